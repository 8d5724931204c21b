/** Flags and help of the commands that roll and stop workloads. */
import { type Command, Option } from 'commander'
import { collect, durationMs, wholeNumber } from './flag-values.ts'
import { PIN_MODES, type PinMode } from './pin-modes.ts'
import type { Declaring } from './program.ts'
import { withSession } from './session.ts'

interface PaceInput {
  maxSurge?: string
  maxUnavailable?: string
  minReady?: number
  timeout?: number
  deadline?: number
  updatePeriod?: number
  output?: 'json'
}

export function declareRolloutCommands(declaring: Declaring): void {
  declareRoll(declaring)
  declareRollback(declaring)
}

function withPace(command: Command): Command {
  return command
    .option('--max-surge <amount>', 'pods above the wanted count, or a percentage of it')
    .option('--max-unavailable <amount>', 'pods below the wanted count, or a percentage of it')
    .option('--min-ready <seconds>', 'how long a new pod must be ready to count', wholeNumber('--min-ready'))
    .option('--timeout <duration>', 'give up after so long without progress (default: 10m)', durationMs('--timeout'))
    .option('--deadline <duration>', 'give up after so long in all', durationMs('--deadline'))
    .option('--update-period <duration>', 'the least time between two steps', durationMs('--update-period'))
    .addOption(new Option('-o, --output <format>', 'how to print progress').choices(['json']))
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
    json: input.output === 'json',
  }
}

function declareRoll({ program, io, globals, action }: Declaring): void {
  const command = program
    .command('roll')
    .description('replace the pods of a workload by those of another image, template or controller, without a gap')
    .argument('<name>', 'a name, or kind/name')
    .argument('[to]', 'the controller to roll to')
    .option('--image <[container=]image>', 'the new image (again for more containers)', collect, [])
    .option('-f, --file <file>', 'a manifest with the new template')
    .option('--dry-run', 'only say what would be done')
  withPin(withPace(command))
    .addHelpText(
      'after',
      '\nExit code 0 when done, 3 on a conflict, 4 without progress, 5 when rolled back, 130 when interrupted.\n\nExample:\n  skiff roll web --image web:v2\n',
    )
    .action(
      action(
        async (
          name: string,
          to: string | undefined,
          input: PaceInput & { image: string[]; file?: string; dryRun?: true; pin?: PinMode },
        ) => {
          const { runRoll } = await import('./roll.ts')
          const { image: images, file, pin } = input
          const flags = { name, to, images, file, pin, dryRun: input.dryRun === true, ...paceFlags(input) }
          return withSession(globals(), io, (session) => runRoll(flags, io, session))
        },
      ),
    )
}

function declareRollback({ program, io, globals, action }: Declaring): void {
  const command = program
    .command('rollback')
    .description('go back to what was there before the last roll')
    .argument('<name>', 'a name, or kind/name')
  withPace(command)
    .addHelpText('after', '\nExample:\n  skiff rollback web\n')
    .action(
      action(async (name: string, input: PaceInput) => {
        const { runRollback } = await import('./rollback.ts')
        return withSession(globals(), io, (session) => runRollback({ name, ...paceFlags(input) }, io, session))
      }),
    )
}
