/** Flags and help of the commands that roll and stop workloads. */
import { type Command, Option } from 'commander'
import { NAMES_HELP, withFiles } from './flag-groups.ts'
import { collect, durationMs, wholeNumber } from './flag-values.ts'
import { PIN_MODES, type PinMode } from './pin-modes.ts'
import type { Declaring } from './program.ts'
import { EXIT_CODES, ROLL_HELP } from './roll-help.ts'
import { type GlobalOptions, withSession } from './session.ts'

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

interface FileFlags {
  filename?: string[]
  recursive?: true
}

function rolledWords(words: string[], { filename = [], recursive }: FileFlags, { namespace }: GlobalOptions) {
  return { words, files: filename, recursive, namespace }
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
  filename?: string
  toRevision?: number
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
    .argument('[name...]', 'a name, a kind and a name, or kind/name; then the controller to roll to, if it is another')
    .option('--image <[container=]image>', 'the new image (again for more containers)', collect, [])
    .option('-f, --filename <file>', 'a manifest with the new template, or - for standard input')
    .option('--to-revision <number>', 'a template of the history instead', wholeNumber('--to-revision'))
    .option('--canary <amount>', 'stop once so many pods, or such a share, run the new template')
    .option('--pet', 'keep the name for the new template; the old one goes on under another')
    .option('--rollover', 'replace a roll that is under way to something else')
    .option('--keep <count>', 'how many old controllers stay as history (default: 10)', wholeNumber('--keep'))
    .addOption(new Option('--cleanup <what>', 'whether old controllers stay at all').choices(['keep', 'delete']))
    .option('--dry-run', 'only say what would be done, step by step')
  withPin(withPace(command))
    .addHelpText('after', ROLL_HELP)
    .action(
      action(async (words: string[], input: RollInput) => {
        const { runRoll } = await import('./roll.ts')
        const { image: images, filename: file, toRevision, pin, pet, canary, rollover, keep, cleanup } = input
        const { namespace } = globals()
        const to = { images, file, toRevision, dryRun: input.dryRun === true }
        const flags = { words, namespace, ...to, pin, pet, canary, rollover, keep, cleanup }
        return withSession(globals(), io, (session) => runRoll({ ...flags, ...paceFlags(input) }, io, session, host.driver()))
      }),
    )
}

function declareRollback({ program, io, host, globals, action }: Declaring): void {
  const command = program
    .command('rollback')
    .description('go back to what was there before the last roll, finished or not, or to a revision of the history')
    .argument('[name...]', NAMES_HELP)
    .option('--to-revision <number>', 'the revision to go to (default: the one before)', wholeNumber('--to-revision'))
  withPace(withFiles(command))
    .addHelpText(
      'after',
      `${EXIT_CODES}\nExamples:\n  skiff rollback web --note 'errors at checkout'\n  skiff rollback web --to-revision 3\n`,
    )
    .action(
      action(async (words: string[], input: PaceInput & FileFlags & { toRevision?: number }) => {
        const { runRollback } = await import('./rollback.ts')
        const { toRevision } = input
        const flags = { ...rolledWords(words, input, globals()), ...paceFlags(input), toRevision }
        return withSession(globals(), io, (session) => runRollback(flags, io, session, host.driver()))
      }),
    )
}

function declareResume({ program, io, host, globals, action }: Declaring): void {
  const command = program
    .command('resume')
    .description('go on with a roll or a rollback that was paused, or whose driver ended')
    .argument('[name...]', NAMES_HELP)
  withPace(withFiles(command))
    .addHelpText('after', `${EXIT_CODES}\nExample:\n  skiff resume web\n`)
    .action(
      action(async (words: string[], input: PaceInput & FileFlags) => {
        const { runResume } = await import('./resume.ts')
        const flags = { ...rolledWords(words, input, globals()), ...paceFlags(input) }
        return withSession(globals(), io, (session) => runResume(flags, io, session, host.driver()))
      }),
    )
}

function declarePromote({ program, io, host, globals, action }: Declaring): void {
  const command = program.command('promote').description('let a canary become all').argument('[name...]', NAMES_HELP)
  withPace(withFiles(command))
    .addHelpText('after', `${EXIT_CODES}\nExample:\n  skiff roll web --image web:v2 --canary 10% && skiff promote web\n`)
    .action(
      action(async (words: string[], input: PaceInput & FileFlags) => {
        const { runPromote } = await import('./promote.ts')
        const flags = { ...rolledWords(words, input, globals()), ...paceFlags(input) }
        return withSession(globals(), io, (session) => runPromote(flags, io, session, host.driver()))
      }),
    )
}

function declareAbort({ program, io, host, globals, action }: Declaring): void {
  const command = program
    .command('abort')
    .description('give up a roll that is under way: back to before, and delete what it made')
    .argument('[name...]', NAMES_HELP)
    .option('--keep', 'end the roll where it stands instead: both controllers keep their pods')
  withPace(withFiles(command))
    .addHelpText('after', `${EXIT_CODES}\nExamples:\n  skiff abort web\n  skiff abort web --keep\n`)
    .action(
      action(async (words: string[], input: PaceInput & FileFlags & { keep?: true }) => {
        const { runAbort } = await import('./abort.ts')
        const flags = { ...rolledWords(words, input, globals()), keep: input.keep === true, ...paceFlags(input) }
        return withSession(globals(), io, (session) => runAbort(flags, io, session, host.driver()))
      }),
    )
}

function declareHistory({ program, io, globals, action }: Declaring): void {
  const command = program
    .command('history')
    .description('what a workload ran: who changed it, when, why, and which images')
    .argument('[name...]', NAMES_HELP)
    .option('--revision <number>', 'one revision, with its template', wholeNumber('--revision'))
  withFiles(command)
    .addOption(new Option('-o, --output <format>', 'JSON, a line each').choices(['json']))
    .addHelpText('after', '\nExamples:\n  skiff history web\n  skiff history web --revision 2\n')
    .action(
      action(async (words: string[], input: FileFlags & { output?: 'json'; revision?: number }) => {
        const { runHistory } = await import('./history.ts')
        const flags = { ...rolledWords(words, input, globals()), json: input.output === 'json', revision: input.revision }
        return withSession(globals(), io, (session) => runHistory(flags, io, session))
      }),
    )
}
