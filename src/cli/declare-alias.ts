/** Flags and help of `skiff alias`. */
import { type Command, Option } from 'commander'
import type { AliasFormat, StoredScope } from './aliases/command.ts'
import type { Declaring } from './program.ts'

const HELP = `
A set of kinds that are named is explicit. One with category:NAME, capability:NAME or * is open: it follows what the cluster has, and
delete and stop never act on it. capability: scalable, has-pod-template or restartable. "all" is an open alias: every kind of a namespace
but what the cluster computes (events, endpoints, endpoint slices, controller revisions, leases); set it to what you mean by it.
A custom kind declares aliases and capabilities by its categories; a tool declares aliases in a ConfigMap with the label skiff.dev/aliases=true.
`

function withScope(command: Command): Command {
  return command.addOption(
    new Option('--scope <scope>', 'whose alias: yours, the namespace’s, or the whole cluster’s')
      .choices(['user', 'namespace', 'cluster'])
      .default('user'),
  )
}

export function declareAlias({ program, io, globals, action }: Declaring): void {
  const alias = program.command('alias').description('name sets of kinds, for get, delete and the others')
  alias.addHelpText('after', `${HELP}\nExample:\n  skiff alias set app deployments,services,configmaps\n  skiff get app\n`)
  withScope(alias.command('set').description('set an alias'))
    .argument('<name>')
    .argument('<kind...>', 'kinds; category:NAME, capability:NAME or * make an open set')
    .addHelpText('after', `${HELP}\nExample:\n  skiff alias set app deployments,services,configmaps\n`)
    .action(
      action(async (name: string, kinds: string[], { scope }: { scope: StoredScope }) => {
        const { setAlias } = await import('./aliases/command.ts')
        return setAlias({ ...globals(), name, kinds, scope }, io)
      }),
    )
  withScope(alias.command('rm').description('remove an alias'))
    .argument('<name>')
    .addHelpText('after', '\nExample:\n  skiff alias rm app\n')
    .action(
      action(async (name: string, { scope }: { scope: StoredScope }) => {
        const { removeAlias } = await import('./aliases/command.ts')
        return removeAlias({ ...globals(), name, scope }, io)
      }),
    )
  alias
    .command('ls')
    .description('list the aliases that count here')
    .addOption(new Option('-o, --output <format>', 'how to print them').choices(['json', 'yaml', 'name']))
    .addHelpText(
      'after',
      '\nIn json and yaml with those that another of the same name hides.\n\nExample:\n  skiff alias ls\n  skiff alias ls -o yaml\n',
    )
    .action(
      action(async ({ output }: { output?: AliasFormat }) => {
        const { listAliases } = await import('./aliases/command.ts')
        return listAliases({ ...globals(), output }, io)
      }),
    )
}
