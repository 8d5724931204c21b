/** Flags and help of `skiff set`. */
import { type Command, Option } from 'commander'
import { type ChoiceFlags, choiceOf, OBJECT_OUTPUT_HELP, withChoice } from './flag-groups.ts'
import { collect, positiveInteger, wholeNumber } from './flag-values.ts'
import { CommandError } from './io.ts'
import { PIN_MODES, type PinMode } from './pin-modes.ts'
import type { Declaring } from './program.ts'
import type { ProbeChange } from './set/probe.ts'
import type { TemplateChange } from './set/set.ts'

interface SetFlags extends ChoiceFlags {
  dryRun?: true
  output?: string
}

/** Runs a change on what the words and flags choose. */
type Run = (words: readonly string[], flags: SetFlags, change: TemplateChange) => Promise<number>

export function declareSet(declaring: Declaring): void {
  const { program, io, globals } = declaring
  const set = program
    .command('set')
    .description('change the pod template of whatever has one: a workload, a draft, a custom resource')
  set.addHelpText('after', '\nExample:\n  skiff set image web web:v2\n  skiff set env web MODE=fast\n')
  const run: Run = async (words, flags, change) => {
    const { runSet } = await import('./set/set.ts')
    const { dryRun, output } = flags
    return runSet({ ...globals(), ...choiceOf(flags), words, dryRun, output }, change, io)
  }
  declareSetImage(set, declaring, run)
  declareSetEnv(set, declaring, run)
  declareSetVolume(set, declaring, run)
  declareSetResources(set, declaring, run)
  declareSetServiceAccount(set, declaring, run)
  declareSetProbe(set, declaring, run)
}

function subcommand(set: Command, name: string, description: string, example: string): Command {
  return withChoice(set.command(name).description(description))
    .option('--dry-run', 'let the server check everything and change nothing')
    .option('-o, --output <format>', OBJECT_OUTPUT_HELP)
    .addHelpText('after', `\nExample:\n${example}\n`)
}

function declareSetImage(set: Command, { action }: Declaring, run: Run): void {
  subcommand(set, 'image', 'change images', '  skiff set image web web:v2\n  skiff set image web app=web:v2 log=log:v3')
    .argument('<word...>', 'names, then an image, or CONTAINER=IMAGE for each; *=IMAGE is all containers')
    .addOption(
      new Option(
        '--pin <when>',
        'write images with their digests (default: $SKIFF_PIN, else auto: where they can be had)',
      ).choices(PIN_MODES),
    )
    .action(
      action(async (words: string[], flags: SetFlags & { pin?: PinMode }) => {
        const { imageChange, splitImages } = await import('./set/image.ts')
        const { names, images } = splitImages(words)
        return run(names, flags, imageChange(images, flags.pin))
      }),
    )
}

interface EnvFlags extends SetFlags {
  container?: string
  env?: string[]
  from?: string[]
  prefix?: string
  keys?: string
  list?: true
}

function declareSetEnv(set: Command, { io, globals, action }: Declaring, run: Run): void {
  subcommand(
    set,
    'env',
    'set, remove and list variables',
    '  skiff set env web MODE=fast DEBUG-\n  skiff set env web --from configmap/settings',
  )
    .argument('<word...>', 'names, then NAME=VALUE to set and NAME- to remove')
    .option('-c, --container <name>', 'only in this container')
    .option('-e, --env <name=value>', 'a variable (again for more)', collect)
    .option('--from <kind/name>', 'a variable for each key of a configmap or secret, referring to it (again for more)', collect)
    .option('--prefix <text>', 'what the names of those variables begin with')
    .option('--keys <key,…>', 'only these keys')
    .option('--list', 'print the variables, and change nothing')
    .action(
      action(async (words: string[], flags: EnvFlags) => {
        const { envChange, isEnvWord } = await import('./set/env.ts')
        const names = words.filter((word) => !isEnvWord(word))
        const changes = [...words.filter(isEnvWord), ...(flags.env ?? [])]
        if (flags.list) {
          if (changes.length > 0 || flags.from) throw new CommandError('--list changes nothing: give no variables with it')
          const { listEnv } = await import('./set/env-list.ts')
          return listEnv({ ...globals(), ...choiceOf(flags), words: names, container: flags.container }, io)
        }
        const { referencesFrom } = await import('./set/env-from.ts')
        const references = await referencesFrom(
          { ...globals(), from: flags.from ?? [], prefix: flags.prefix, keys: flags.keys },
          io,
        )
        return run(names, flags, envChange({ words: changes, references, container: flags.container }))
      }),
    )
}

function declareSetVolume(set: Command, { action }: Declaring, run: Run): void {
  subcommand(
    set,
    'volume',
    'mount volumes, and take mounts away',
    '  skiff set volume web data:/var/lib/web /cache\n  skiff set volume web --mount type=configmap,source=settings,target=/etc/web',
  )
    .argument(
      '<word...>',
      'names, then [SOURCE:]PATH[:ro] to mount (a claim, a directory of the node, or empty) and PATH- to unmount',
    )
    .option('-c, --container <name>', 'only in this container')
    .option('--mount <type=…,target=…>', 'bind, volume, tmpfs, empty, configmap or secret (again for more)', collect)
    .action(
      action(async (words: string[], flags: SetFlags & { container?: string; mount?: string[] }) => {
        const { isVolumeWord, volumeChange } = await import('./set/volume.ts')
        const change = { words: words.filter(isVolumeWord), mounts: flags.mount ?? [], container: flags.container }
        return run(
          words.filter((word) => !isVolumeWord(word)),
          flags,
          volumeChange(change),
        )
      }),
    )
}

function declareSetResources(set: Command, { action }: Declaring, run: Run): void {
  subcommand(
    set,
    'resources',
    'change what containers may use and are promised',
    '  skiff set resources web --limits cpu=500m,memory=256Mi',
  )
    .argument('[name...]', 'what to change')
    .option('-c, --container <name>', 'only of this container')
    .option('--limits <name=amount,…>', 'the most that they may use; 0 takes a limit away')
    .option('--requests <name=amount,…>', 'what they are promised; 0 takes a request away')
    .action(
      action(async (names: string[], flags: SetFlags & { container?: string; limits?: string; requests?: string }) => {
        const { resourcesChange } = await import('./set/resources.ts')
        return run(names, flags, resourcesChange(flags))
      }),
    )
}

function declareSetServiceAccount(set: Command, { action }: Declaring, run: Run): void {
  subcommand(set, 'serviceaccount', 'change whom the pods are to the API', '  skiff set serviceaccount web builder')
    .alias('sa')
    .argument('<word...>', 'names, then the service account')
    .action(
      action(async (words: string[], flags: SetFlags) => {
        const { serviceAccountChange } = await import('./set/service-account.ts')
        return run(words.slice(0, -1), flags, serviceAccountChange(words.at(-1)!))
      }),
    )
}

type ProbeFlags = SetFlags & Omit<ProbeChange, 'command'>

function declareSetProbe(set: Command, { action }: Declaring, run: Run): void {
  subcommand(
    set,
    'probe',
    'change how the node finds out whether containers have started, live, and are ready',
    '  skiff set probe web --readiness --get-url http://:8080/healthz\n  skiff set probe web --liveness -- test -f /tmp/alive',
  )
    .argument('[word...]', 'names, then after -- a command that must end with 0')
    .option('--readiness', 'the probe that says whether it takes requests')
    .option('--liveness', 'the probe that says whether it must be restarted')
    .option('--startup', 'the probe that the others wait for')
    .option('--get-url <url>', 'answered with success: http://:8080/healthz')
    .option('--open-tcp <port>', 'can be connected to')
    .option('--remove', 'take the probe away')
    .option('--initial-delay <seconds>', 'from the start to the first probe', wholeNumber('--initial-delay'))
    .option('--period <seconds>', 'from one probe to the next', positiveInteger('--period'))
    .option('--timeout <seconds>', 'how long an answer may take', positiveInteger('--timeout'))
    .option('--success-threshold <count>', 'successes in a row that count as one', positiveInteger('--success-threshold'))
    .option('--failure-threshold <count>', 'failures in a row that count as one', positiveInteger('--failure-threshold'))
    .option('-c, --container <name>', 'only of this container')
    .action(
      action(async (words: string[], flags: ProbeFlags, { args, parent }: Command) => {
        const { probeChange } = await import('./set/probe.ts')
        // Commander does not say where `--` stood: the command is what the command line has behind it.
        const behind = behindDashes(parent)
        const names = words.slice(0, args.length - behind.length)
        return run(names, flags, probeChange({ ...flags, command: behind }))
      }),
    )
}

/** The words after `--` on the command line that the program was given. */
function behindDashes(command: Command | null): readonly string[] {
  let root = command
  while (root?.parent) root = root.parent
  const words = (root as (Command & { rawArgs: string[] }) | null)?.rawArgs ?? []
  const at = words.indexOf('--')
  return at < 0 ? [] : words.slice(at + 1)
}
