/** Flags and help of the commands that show how things stand: what is around an object, and whether it works. */
import { NAMES_HELP, OBJECT_OUTPUT_HELP, withMatches, withSelectors } from './flag-groups.ts'
import type { Declaring } from './program.ts'

export function declareSeeing(declaring: Declaring): void {
  declareTree(declaring)
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
