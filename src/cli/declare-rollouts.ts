/** Flags and help of the commands that roll and stop workloads. */
import { type Command, Option } from 'commander'
import { collect, durationMs, wholeNumber } from './flag-values.ts'
import { PIN_MODES, type PinMode } from './pin-modes.ts'
import type { Declaring } from './program.ts'
import { EXIT_CODES, ROLL_HELP } from './roll-help.ts'
import { withSession } from './session.ts'

interface PaceInput {
  maxSurge?: string
  maxUnavailable?: string
  minReady?: number
  timeout?: number
  deadline?: number
  updatePeriod?: number
  output?: 'json'
  onInterrupt?: 'pause' | 'rollback' | 'continue'
  note?: string
}

export function declareRolloutCommands(declaring: Declaring): void {
  declareRoll(declaring)
  declareRollback(declaring)
  declareResume(declaring)
  declarePromote(declaring)
  declareAbort(declaring)
  declareHistory(declaring)
}

function withPace(command: Command): Command {
  return command
    .option('--max-surge <amount>', 'pods above the wanted count, or a percentage of it (default: 25%, rounded up)')
    .option('--max-unavailable <amount>', 'pods below the wanted count, or a percentage of it (default: 0)')
    .option('--min-ready <seconds>', 'how long a new pod must be ready to count', wholeNumber('--min-ready'))
    .option('--timeout <duration>', 'give up after so long without progress (default: 10m)', durationMs('--timeout'))
    .option('--deadline <duration>', 'give up after so long in all', durationMs('--deadline'))
    .option('--update-period <duration>', 'the least time between two steps', durationMs('--update-period'))
    .option('--note <text>', 'why, for the history')
    .addOption(
      new Option('--on-interrupt <what>', 'what Ctrl-C does (default: pause)').choices(['pause', 'rollback', 'continue']),
    )
    .addOption(new Option('-o, --output <format>', 'how to print progress: JSON, a line each').choices(['json']))
}

function withPin(command: Command): Command {
  return command.addOption(
    new Option('--pin <when>', 'write images with their digests (default: $SKIFF_PIN, else auto: where they can be had)').choices(
      PIN_MODES,
    ),
  )
}

function paceFlags(input: PaceInput) {
  return {
    ...{ maxSurge: input.maxSurge, maxUnavailable: input.maxUnavailable, minReady: input.minReady },
    ...{ timeoutMs: input.timeout, deadlineMs: input.deadline, updatePeriodMs: input.updatePeriod },
    ...{ onInterrupt: input.onInterrupt, note: input.note },
    json: input.output === 'json',
  }
}

interface RollInput extends PaceInput {
  image: string[]
  file?: string
  dryRun?: true
  pin?: PinMode
  pet?: true
  canary?: string
  rollover?: true
  keep?: number
  cleanup?: 'keep' | 'delete'
}

function declareRoll({ program, io, host, globals, action }: Declaring): void {
  const command = program
    .command('roll')
    .description('replace the pods of a workload by those of another image, template or controller, without a gap')
    .argument('<name>', 'a name, or kind/name')
    .argument('[to]', 'the controller to roll to')
    .option('--image <[container=]image>', 'the new image (again for more containers)', collect, [])
    .option('-f, --file <file>', 'a manifest with the new template')
    .option('--canary <amount>', 'stop once so many pods, or such a share, run the new template')
    .option('--pet', 'keep the name for the new template; the old one goes on under another')
    .option('--rollover', 'replace a roll that is under way to something else')
    .option('--keep <count>', 'how many old controllers stay as history (default: 10)', wholeNumber('--keep'))
    .addOption(new Option('--cleanup <what>', 'whether old controllers stay at all').choices(['keep', 'delete']))
    .option('--dry-run', 'only say what would be done, step by step')
  withPin(withPace(command))
    .addHelpText('after', ROLL_HELP)
    .action(
      action(async (name: string, to: string | undefined, input: RollInput) => {
        const { runRoll } = await import('./roll.ts')
        const { image: images, file, pin, pet, canary, rollover, keep, cleanup, dryRun } = input
        const flags = { name, to, images, file, pin, pet, canary, rollover, keep, cleanup, dryRun: dryRun === true }
        return withSession(globals(), io, (session) => runRoll({ ...flags, ...paceFlags(input) }, io, session, host.driver()))
      }),
    )
}

function declareRollback({ program, io, host, globals, action }: Declaring): void {
  const command = program
    .command('rollback')
    .description('go back to what was there before the last roll, finished or not')
    .argument('<name>', 'a name, or kind/name')
  withPace(command)
    .addHelpText('after', `${EXIT_CODES}\nExample:\n  skiff rollback web --note 'errors at checkout'\n`)
    .action(
      action(async (name: string, input: PaceInput) => {
        const { runRollback } = await import('./rollback.ts')
        return withSession(globals(), io, (session) => runRollback({ name, ...paceFlags(input) }, io, session, host.driver()))
      }),
    )
}

function declareResume({ program, io, host, globals, action }: Declaring): void {
  const command = program
    .command('resume')
    .description('go on with a roll or a rollback that was paused, or whose driver ended')
    .argument('<name>', 'a name, or kind/name')
  withPace(command)
    .addHelpText('after', `${EXIT_CODES}\nExample:\n  skiff resume web\n`)
    .action(
      action(async (name: string, input: PaceInput) => {
        const { runResume } = await import('./resume.ts')
        return withSession(globals(), io, (session) => runResume({ name, ...paceFlags(input) }, io, session, host.driver()))
      }),
    )
}

function declarePromote({ program, io, host, globals, action }: Declaring): void {
  const command = program.command('promote').description('let a canary become all').argument('<name>', 'a name, or kind/name')
  withPace(command)
    .addHelpText('after', `${EXIT_CODES}\nExample:\n  skiff roll web --image web:v2 --canary 10% && skiff promote web\n`)
    .action(
      action(async (name: string, input: PaceInput) => {
        const { runPromote } = await import('./promote.ts')
        return withSession(globals(), io, (session) => runPromote({ name, ...paceFlags(input) }, io, session, host.driver()))
      }),
    )
}

function declareAbort({ program, io, host, globals, action }: Declaring): void {
  const command = program
    .command('abort')
    .description('give up a roll that is under way: back to before, and delete what it made')
    .argument('<name>', 'a name, or kind/name')
    .option('--keep', 'end the roll where it stands instead: both controllers keep their pods')
  withPace(command)
    .addHelpText('after', `${EXIT_CODES}\nExamples:\n  skiff abort web\n  skiff abort web --keep\n`)
    .action(
      action(async (name: string, input: PaceInput & { keep?: true }) => {
        const { runAbort } = await import('./abort.ts')
        const flags = { name, keep: input.keep === true, ...paceFlags(input) }
        return withSession(globals(), io, (session) => runAbort(flags, io, session, host.driver()))
      }),
    )
}

function declareHistory({ program, io, globals, action }: Declaring): void {
  program
    .command('history')
    .description('what a workload ran: who changed it, when, why, and which images')
    .argument('<name>', 'a name, or kind/name')
    .addOption(new Option('-o, --output <format>', 'JSON, a line each').choices(['json']))
    .addHelpText('after', '\nExample:\n  skiff history web\n')
    .action(
      action(async (name: string, { output }: { output?: 'json' }) => {
        const { runHistory } = await import('./history.ts')
        return withSession(globals(), io, (session) => runHistory({ name, json: output === 'json' }, io, session))
      }),
    )
}
