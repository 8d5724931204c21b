/** Further processes in a running container (exec) and joining its own (attach). */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { finished } from 'node:stream/promises'
import type { ProcessExit, ProcessHandle, ProcessIo, TerminalSize } from '../../../api/streams.ts'
import { RuntimeError } from '../runtime.ts'
import type { EnterPlan } from './isolation.ts'
import type { RunningProcess } from './running-process.ts'

export function execProcess(plan: EnterPlan, io: ProcessIo, signal: AbortSignal): ProcessHandle {
  signal.throwIfAborted()
  const child = spawn(plan.command, plan.args, {
    env: plan.env,
    ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
    detached: true,
    stdio: [io.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  const kill = () => child.pid !== undefined && plan.kill(child.pid)
  signal.addEventListener('abort', kill, { once: true })
  if (io.stdin && child.stdin) {
    // A command that ends before it has read everything is nothing unusual.
    child.stdin.on('error', () => {})
    io.stdin.on('error', kill)
    io.stdin.pipe(child.stdin)
  }
  forward(child.stdout, io.stdout)
  forward(child.stderr, io.stderr)
  const exit = new Promise<ProcessExit>((resolve) => {
    child.once('error', (error) => resolve({ code: 126, error: error.message }))
    child.once('close', (code, name) => {
      signal.removeEventListener('abort', kill)
      if (signal.aborted) resolve({ code: 137, error: 'the caller went away' })
      else resolve({ code: code ?? 128 + (name ? constants.signals[name] : 0) })
    })
  })
  return { exit }
}

interface Terminal {
  pid: number
  write(data: string | Buffer): void
  resize(columns: number, rows: number): void
  onData(listener: (data: string | Buffer) => void): void
  onExit(listener: (event: { exitCode: number; signal?: number }) => void): void
}

/** The same with a terminal in between, for which an optional package is needed. */
export async function execTerminal(plan: EnterPlan, io: ProcessIo, signal: AbortSignal): Promise<ProcessHandle> {
  const pty = await import('@lydell/node-pty').catch((cause: unknown) => {
    throw new RuntimeError('TTYNotSupported', 'a terminal needs the optional package @lydell/node-pty', { cause })
  })
  signal.throwIfAborted()
  const env = { TERM: 'xterm', ...plan.env }
  const options = { env, encoding: null, ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }) }
  const terminal = pty.spawn(plan.command, plan.args, options) as unknown as Terminal
  const kill = () => plan.kill(terminal.pid)
  signal.addEventListener('abort', kill, { once: true })
  io.stdin?.on('data', (chunk: Buffer) => terminal.write(chunk))
  terminal.onData((data) => io.stdout?.write(data))
  let ended = false
  if (io.resize)
    void followSize(io.resize, async ({ columns, rows }) => {
      if (!ended) terminal.resize(columns, rows)
    })
  const exit = new Promise<ProcessExit>((resolve) => {
    terminal.onExit(({ exitCode, signal: number }) => {
      ended = true
      signal.removeEventListener('abort', kill)
      resolve({ code: number ? 128 + number : exitCode })
    })
  })
  return { exit }
}

/** A caller whose terminal is no window says 0 by 0, and some report sizes of what has ended: neither changes anything. */
async function followSize(sizes: NonNullable<ProcessIo['resize']>, resize: (size: TerminalSize) => Promise<void>): Promise<void> {
  for await (const size of sizes) if (size.columns > 0 && size.rows > 0) await resize(size)
}

export function attachProcess(running: RunningProcess, io: ProcessIo, signal: AbortSignal, closeStdin: boolean): ProcessHandle {
  const leave = running.watch(io.stdout, io.stderr)
  if (io.resize) void followSize(io.resize, (size) => running.resize(size))
  if (io.stdin) io.stdin.pipe(running.stdin, { end: closeStdin })
  const aborted = new Promise<ProcessExit>((resolve) => {
    signal.addEventListener('abort', () => resolve({ code: 0 }), { once: true })
  })
  const exit = Promise.race([running.ended.then(({ code }) => ({ code })), aborted]).finally(() => {
    leave()
    io.stdin?.unpipe(running.stdin)
  })
  return { exit }
}

/** Copies output to the caller, whose going away must not stop the command from being read. */
function forward(from: NodeJS.ReadableStream | null, to: ProcessIo['stdout']): void {
  if (!from) return
  if (!to) {
    from.resume()
    return
  }
  from.pipe(to, { end: false })
  void finished(to, { readable: false }).catch(() => from.resume())
}
