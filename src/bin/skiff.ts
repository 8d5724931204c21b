/** The program `skiff` (and `kubectl skiff`): gives the command line its terminal, signals and this machine's clusters. */
import { main } from '../cli/program.ts'
import { createHost } from './host.ts'

const interrupt = new AbortController()
function onSignal(signal: NodeJS.Signals) {
  // A second one means now: whatever is left is swept at the next start.
  if (interrupt.signal.aborted) process.exit(130)
  interrupt.abort(new Error(`interrupted by ${signal}`))
}
process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)
process.on('SIGHUP', onSignal)
// A reader that went away (`skiff get pods | head -1`) ends the program quietly, as other tools do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const { stdout, stderr, stdin } = process
const code = await main(
  process.argv.slice(2),
  {
    ...{ stdout, stderr, stdin, env: process.env, signal: interrupt.signal },
    isTty: stdout.isTTY === true,
    columns: stdout.columns ?? 80,
    ...(stdin.isTTY && {
      terminal: {
        size: () => ({ columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 }),
        setRaw: (raw) => stdin.setRawMode(raw),
        onResize(listener) {
          stdout.on('resize', listener)
          return () => stdout.off('resize', listener)
        },
      },
    }),
  },
  createHost(),
)
process.exitCode = code
// Commands that follow something leave sockets behind that nobody reads any more; what was printed must still go out.
stdout.write('', () => stderr.write('', () => process.exit()))
