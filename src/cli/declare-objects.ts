/** Flags and help of the commands about objects of any kind. */
import { declareDraft } from './declare-drafts.ts'
import {
  GET_OUTPUT_HELP,
  NAMES_HELP,
  OBJECT_OUTPUT_HELP,
  OUTPUT_HELP,
  withFiles,
  withMatches,
  withSelectors,
} from './flag-groups.ts'
import { collect, durationMs, wholeNumber } from './flag-values.ts'
import type { Declaring } from './program.ts'

export function declareObjectCommands(declaring: Declaring): void {
  declareReading(declaring)
  declareApply(declaring)
  declareCreate(declaring)
  declareChanging(declaring)
}

interface GetFlags {
  output?: string
  watch?: true
  selector?: string
  fieldSelector?: string
  allNamespaces?: true
  showLabels?: true
  headers: boolean
  showManagedFields?: true
  labelColumns?: string[]
  sortBy?: string
  ignoreNotFound?: true
  allMatches?: true
}

function declareReading({ program, io, globals, action }: Declaring): void {
  withMatches(
    withSelectors(program.command('get').description('list objects, or show some of them').argument('<name...>', NAMES_HELP)),
  )
    .option('-o, --output <format>', GET_OUTPUT_HELP)
    .option('-w, --watch', 'go on with changes as they come')
    .option('--show-labels', 'with a column of labels')
    .option('-L, --label-columns <name,…>', 'with a column for each of these labels (again for more)', collect)
    .option('--sort-by <path>', 'in the order of what a JSONPath leads to, such as .metadata.creationTimestamp')
    .option('--ignore-not-found', 'a missing object is no failure')
    .option('--no-headers', 'without the line of headings')
    .option('--show-managed-fields', 'with who manages which field, in json and yaml')
    .addHelpText(
      'after',
      '\nExample:\n  skiff get pods -o wide\n  skiff get deploy/web -o yaml\n  skiff get web\n  skiff get web -o neat | skiff -n staging apply -f -\n',
    )
    .action(
      action(async (words: string[], { headers, ...flags }: GetFlags) => {
        const { runGet } = await import('./get.ts')
        return runGet({ ...globals(), ...flags, words, noHeaders: !headers }, io)
      }),
    )
  withMatches(
    withSelectors(
      program.command('describe').description('show objects in detail, with their events').argument('<name...>', NAMES_HELP),
    ),
  )
    .addHelpText('after', '\nExample:\n  skiff describe web\n  skiff describe pod web-1\n')
    .action(
      action(async (words: string[], flags: Pick<GetFlags, 'selector' | 'fieldSelector' | 'allNamespaces' | 'allMatches'>) => {
        const { runDescribe } = await import('./describe.ts')
        return runDescribe({ ...globals(), ...flags, words }, io)
      }),
    )
}

function declareApply({ program, io, globals, action }: Declaring): void {
  withFiles(program.command('apply').description('create or change objects to be as the files say (server-side apply)'))
    .option('--force-conflicts', 'take over fields that others manage')
    .option('--dry-run', 'let the server check everything and change nothing')
    .addHelpText('after', '\nExample:\n  skiff apply -f web.yaml\n  skiff apply -R -f manifests/\n')
    .action(
      action(async (flags: { filename?: string[]; recursive?: true; forceConflicts?: true; dryRun?: true }) => {
        const { runApply } = await import('./apply.ts')
        return runApply({ ...globals(), ...flags, files: flags.filename ?? [] }, io)
      }),
    )
}

interface GeneratedFlags {
  dryRun?: true
  output?: string
}

function declareCreate(declaring: Declaring): void {
  const { program, io, globals, action } = declaring
  const create = withFiles(program.command('create').description('create objects from files, or one of a simple kind'))
    .option('--dry-run', 'let the server check everything and change nothing')
    .option('-o, --output <format>', OUTPUT_HELP)
    .addHelpText('after', '\nExample:\n  skiff create -f web.yaml\n  skiff create deployment web --image web:v1 --replicas 3\n')
    .action(
      action(async (flags: { filename?: string[]; recursive?: true } & GeneratedFlags) => {
        const { createFromFiles } = await import('./create.ts')
        return createFromFiles({ ...globals(), ...flags, files: flags.filename ?? [] }, io)
      }),
    )
  const generated = async (
    kind: 'deployment' | 'service' | 'configmap' | 'secret' | 'namespace',
    words: string[],
    flags: object,
  ) => {
    const { createGenerated } = await import('./create.ts')
    return createGenerated({ ...globals(), ...create.opts<GeneratedFlags>(), kind, words, flags }, io)
  }
  declareDraft(create, declaring)
  create
    .command('deployment')
    .argument('<name>')
    .argument('[command...]', 'what the container runs, after --')
    .requiredOption('--image <image>', 'an image (again for more containers)', collect)
    .option('--replicas <count>', 'how many pods', wholeNumber('--replicas'), 1)
    .option('--port <number>', 'the port that the container listens on', wholeNumber('--port', 65_535))
    .description('create a deployment')
    .addHelpText('after', '\nExample:\n  skiff create deployment web --image web:v1 --replicas 3\n')
    .action(action((name: string, command: string[], flags: object) => generated('deployment', [name, ...command], flags)))
  create
    .command('service')
    .argument('<type>', 'clusterip or nodeport')
    .argument('<name>')
    .requiredOption('--tcp <port[:targetPort]>', 'a port, and what it leads to (again for more)', collect)
    .description('create a service for the pods with the label app=NAME')
    .addHelpText('after', '\nExample:\n  skiff create service clusterip web --tcp 80:8080\n')
    .action(action((type: string, name: string, flags: object) => generated('service', [type, name], flags)))
  create
    .command('configmap')
    .argument('<name>')
    .option('--from-literal <key=value>', 'a key and its value (again for more)', collect)
    .option('--from-file <[key=]file>', 'a file; the key is its name unless given (again for more)', collect)
    .description('create a config map')
    .addHelpText('after', '\nExample:\n  skiff create configmap settings --from-literal mode=fast\n')
    .action(action((name: string, flags: object) => generated('configmap', [name], flags)))
  create
    .command('secret')
    .argument('<type>', 'generic')
    .argument('<name>')
    .option('--from-literal <key=value>', 'a key and its value (again for more)', collect)
    .option('--from-file <[key=]file>', 'a file; the key is its name unless given (again for more)', collect)
    .description('create a secret')
    .addHelpText('after', '\nExample:\n  skiff create secret generic login --from-literal password=hunter2\n')
    .action(action((type: string, name: string, flags: object) => generated('secret', [type, name], flags)))
  create
    .command('namespace')
    .argument('<name>')
    .description('create a namespace')
    .addHelpText('after', '\nExample:\n  skiff create namespace staging\n')
    .action(action((name: string, flags: object) => generated('namespace', [name], flags)))
}

interface DeleteFlags {
  filename?: string[]
  recursive?: true
  all?: true
  selector?: string
  fieldSelector?: string
  allNamespaces?: true
  gracePeriod?: number
  force?: true
  cascade: 'background' | 'foreground' | 'orphan'
  ignoreNotFound?: true
  yes?: true
  output?: string
  wait: string | true
  timeout?: number
  allMatches?: true
}

function declareChanging({ program, io, globals, action }: Declaring): void {
  withFiles(
    withMatches(
      withSelectors(
        program.command('delete').description('delete objects and wait until they are gone').argument('[name...]', NAMES_HELP),
      ),
    ),
  )
    .option('--all', 'every object of the kind')
    .option('--grace-period <seconds>', 'how long the containers may take to end', wholeNumber('--grace-period'))
    .option('--force', 'at once, with --grace-period=0, without waiting for the node to confirm')
    .option('--cascade <how>', 'what becomes of owned objects: background, foreground or orphan', 'background')
    .option('-o, --output <format>', OBJECT_OUTPUT_HELP)
    .option('-y, --yes', 'ask nothing; needed in scripts where only a name or an alias is given')
    .option('--ignore-not-found', 'a missing object is no failure')
    .option('--wait <yes>', 'whether to wait until they are gone', 'true')
    .option('--timeout <duration>', 'how long to wait', durationMs('--timeout'))
    .addHelpText(
      'after',
      '\nOn a terminal it shows what goes, by owner, and asks.\n\nExample:\n  skiff delete web\n  skiff delete deploy web\n  skiff delete -f web.yaml\n',
    )
    .action(
      action(async (words: string[], flags: DeleteFlags) => {
        const { runDelete } = await import('./delete.ts')
        const { filename: files = [], wait, timeout: timeoutMs, ...rest } = flags
        return runDelete({ ...globals(), ...rest, words, files, wait: wait !== 'false', timeoutMs }, io)
      }),
    )
  withFiles(
    withSelectors(program.command('wait').description('wait until objects are as asked').argument('[kind...]', 'kind and names')),
  )
    .requiredOption('--for <what>', 'condition=NAME[=VALUE], delete, create or jsonpath={PATH}[=VALUE]')
    .option('--timeout <duration>', 'how long to wait; negative: a week', durationMs('--timeout'), 30_000)
    .option('--all', 'every object of the kind')
    .addHelpText('after', '\nExample:\n  skiff wait pod/web --for=condition=Ready --timeout=60s\n')
    .action(
      action(async (words: string[], flags: DeleteFlags & { for: string; timeout: number }) => {
        const { runWait } = await import('./wait.ts')
        const { filename: files = [], timeout: timeoutMs, selector, fieldSelector, allNamespaces, all, recursive } = flags
        return runWait(
          { ...globals(), words, files, timeoutMs, selector, fieldSelector, allNamespaces, all, recursive, for: flags.for },
          io,
        )
      }),
    )
}
