/** Flags and help of the commands that change how workloads run: scale, autoscale, restart, stop. */
import { type ChoiceFlags, choiceOf, NAMES_HELP, OBJECT_OUTPUT_HELP, withChoice } from './flag-groups.ts'
import { durationMs, positiveInteger, wholeNumber } from './flag-values.ts'
import type { Declaring } from './program.ts'

export function declareWorkloadCommands(declaring: Declaring): void {
  declareScale(declaring)
  declareAutoscale(declaring)
  declareRestart(declaring)
  declareStop(declaring)
}

interface OutputFlag {
  output?: string
}

function declareScale({ program, io, globals, action }: Declaring): void {
  withChoice(program.command('scale').description('set how many pods a controller keeps').argument('[name...]', NAMES_HELP))
    .requiredOption('--replicas <count>', 'how many', wholeNumber('--replicas'))
    .option('--current-replicas <count>', 'only if it asks for this many now', wholeNumber('--current-replicas'))
    .option('-o, --output <format>', OBJECT_OUTPUT_HELP)
    .addHelpText('after', '\nExample:\n  skiff scale web --replicas 5\n')
    .action(
      action(async (words: string[], flags: ChoiceFlags & OutputFlag & { replicas: number; currentReplicas?: number }) => {
        const { runScale } = await import('./scale.ts')
        const { replicas, currentReplicas, output } = flags
        return runScale({ ...globals(), ...choiceOf(flags), words, replicas, currentReplicas, output }, io)
      }),
    )
}

interface AutoscaleFlags extends ChoiceFlags, OutputFlag {
  min: number
  max: number
  cpu?: string
  memory?: string
  cpuPercent?: number
  dryRun?: true
}

function declareAutoscale({ program, io, globals, action }: Declaring): void {
  withChoice(
    program
      .command('autoscale')
      .description('let a controller keep as many pods as their use of CPU or memory asks for')
      .argument('[name...]', NAMES_HELP),
  )
    .requiredOption('--max <count>', 'at most so many', positiveInteger('--max'))
    .option('--min <count>', 'at least so many', positiveInteger('--min'), 1)
    .option('--cpu <share>', 'what each pod is to use: 80% of what it requests (the default), or an amount such as 500m')
    .option('--memory <share>', 'the same of memory: 80% or 200Mi')
    .option('--cpu-percent <number>', 'as --cpu NUMBER%', positiveInteger('--cpu-percent'))
    .option('--dry-run', 'let the server check everything and change nothing')
    .option('-o, --output <format>', OBJECT_OUTPUT_HELP)
    .addHelpText(
      'after',
      '\nMakes a HorizontalPodAutoscaler of the same name, or changes the one there is. "skiff describe hpa/NAME" says what it does and why.\n\n' +
        'Example:\n  skiff autoscale web --max 10 --cpu 50%\n',
    )
    .action(
      action(async (words: string[], flags: AutoscaleFlags) => {
        const { runAutoscale } = await import('./autoscale.ts')
        const { min, max, memory, cpuPercent, dryRun, output } = flags
        const cpu = flags.cpu ?? (cpuPercent === undefined ? undefined : `${cpuPercent}%`)
        return runAutoscale({ ...globals(), ...choiceOf(flags), words, min, max, cpu, memory, dryRun, output }, io)
      }),
    )
}

function declareRestart({ program, io, globals, action }: Declaring): void {
  withChoice(
    program.command('restart').description('replace pods by new ones, a few at a time').argument('[name...]', NAMES_HELP),
  )
    .option('--wait <yes>', 'whether to wait until the new pods are there', 'true')
    .option('--timeout <duration>', 'give up after so long', durationMs('--timeout'), 600_000)
    .option('-o, --output <format>', OBJECT_OUTPUT_HELP)
    .addHelpText(
      'after',
      '\nDeployments, StatefulSets, DaemonSets and custom resources with a pod template roll by themselves; the pods of bare ReplicaSets and\n' +
        'ReplicationControllers are deleted one after the other. Exit code 4 when the new pods are not there in time.\n\nExample:\n  skiff restart web\n',
    )
    .action(
      action(async (words: string[], flags: ChoiceFlags & OutputFlag & { wait: string; timeout: number }) => {
        const { runRestart } = await import('./restart.ts')
        const { wait, timeout: timeoutMs, output } = flags
        return runRestart({ ...globals(), ...choiceOf(flags), words, wait: wait !== 'false', timeoutMs, output }, io)
      }),
    )
}

function declareStop({ program, io, globals, action }: Declaring): void {
  withChoice(
    program
      .command('stop')
      .description('scale workloads down, wait for their pods to go, and delete them')
      .argument('[name...]', NAMES_HELP),
  )
    .option('--timeout <duration>', 'give up after so long', durationMs('--timeout'), 300_000)
    .option('-o, --output <format>', OBJECT_OUTPUT_HELP)
    .addHelpText('after', '\nExit code 4 when the pods are not gone in time.\n\nExample:\n  skiff stop web\n')
    .action(
      action(async (words: string[], flags: ChoiceFlags & OutputFlag & { timeout: number }) => {
        const { runStop } = await import('./stop.ts')
        const { timeout: timeoutMs, output } = flags
        return runStop({ ...globals(), ...choiceOf(flags), words, timeoutMs, output }, io)
      }),
    )
}
