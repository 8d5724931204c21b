/** Flags and help of the commands that show how things stand: what is around an object, what it uses, and whether it works. */
import { Option } from 'commander'
import { DATA_DIR_HELP, NAMES_HELP, OBJECT_OUTPUT_HELP, withMatches, withSelectors } from './flag-groups.ts'
import { CommandError } from './io.ts'
import type { Declaring } from './program.ts'

export function declareSeeing(declaring: Declaring): void {
  declareTree(declaring)
  declareTop(declaring)
  declareStatus(declaring)
}

interface ChoosingFlags {
  selector?: string
  fieldSelector?: string
  allNamespaces?: true
  allMatches?: true
  output?: string
}

function declareTree({ program, io, globals, action }: Declaring): void {
  withMatches(
    withSelectors(
      program
        .command('tree')
        .description('show what stands around objects: owners, what they own, and what belongs to it')
        .argument('<name...>', NAMES_HELP),
    ),
  )
    .option('--full', 'every object on a line of its own, where many of a kind would be counted')
    .option('-o, --output <format>', OBJECT_OUTPUT_HELP)
    .addHelpText(
      'after',
      '\nDown to pods and containers; Services and what else selects the pods, with their endpoints; the ConfigMaps, Secrets, claims and\n' +
        'ServiceAccounts that they use. Of a ConfigMap, Secret, claim or ServiceAccount: who uses it.\n\n' +
        'Example:\n  skiff tree web\n  skiff tree configmap/settings\n  skiff tree deploy -l app=web -o name\n',
    )
    .action(
      action(async (words: string[], flags: ChoosingFlags & { full?: true }) => {
        const { runTree } = await import('./tree/tree.ts')
        return runTree({ ...globals(), ...flags, words }, io)
      }),
    )
}

interface TopFlags extends ChoosingFlags {
  containers?: true
  sortBy?: 'cpu' | 'memory'
  sum?: true
  showCapacity?: true
  headers: boolean
}

function declareTop({ program, io, globals, action }: Declaring): void {
  withMatches(
    withSelectors(
      program
        .command('top')
        .description('show how much CPU and memory nodes and pods use now')
        .argument('[name...]', 'nodes or pods, with or without names; or names of pods, of what has pods, and of nodes'),
    ),
  )
    .option('--containers', "a line for each of a pod's containers")
    .addOption(new Option('--sort-by <resource>', 'by what is used most').choices(['cpu', 'memory']))
    .option('--sum', 'with a last line of what all pods use together')
    .option('--show-capacity', "shares of the nodes' capacity, not of what pods may have of it")
    .option('--no-headers', 'without the line of headings')
    .option('-o, --output <format>', OBJECT_OUTPUT_HELP)
    .addHelpText('after', '\nExample:\n  skiff top nodes\n  skiff top pods -A --sort-by memory\n  skiff top web --containers\n')
    .action(
      action(async (words: string[], { headers, ...flags }: TopFlags) => {
        const { runTop } = await import('./top/top.ts')
        return runTop({ ...globals(), ...flags, words, noHeaders: !headers }, io)
      }),
    )
}

function declareStatus({ program, io, host, globals, action }: Declaring): void {
  withMatches(
    withSelectors(
      program
        .command('status')
        .description('say whether something works and, if not, why; without a name, whether a cluster runs on this machine')
        .argument('[name...]', NAMES_HELP),
    ),
  )
    .option('--data-dir <directory>', DATA_DIR_HELP)
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json']))
    .addHelpText(
      'after',
      '\nThe root cause first; then replicas and the rollout, pods that are not well with the last lines of what crashed, the Services in front\n' +
        'with their endpoints, and warnings. Exit code 0 when all of it works (or the cluster runs), 3 when not.\n\n' +
        'Example:\n  skiff status web\n  skiff status deploy -l app=web -o json\n  skiff status\n',
    )
    .action(
      action(async (words: string[], { dataDir, ...flags }: ChoosingFlags & { dataDir?: string }) => {
        if (words.length > 0) {
          if (dataDir !== undefined) throw new CommandError('--data-dir is of a cluster of this machine: it goes without names')
          return (await import('./status/status.ts')).runObjectStatus({ ...globals(), ...flags, words }, io)
        }
        const { output, ...choosing } = flags
        if (Object.keys(choosing).length > 0) throw new CommandError('selectors choose among objects: a kind or names are needed')
        return (await import('./cluster-status.ts')).runStatus({ dataDir, output }, io, host)
      }),
    )
}
