/** Flags and help of the commands about the machine's own cluster, its images, and the program itself. */
import { Argument, type Command, Option } from 'commander'
import { DATA_DIR_HELP } from './flag-groups.ts'
import { collect, wholeNumber } from './flag-values.ts'
import type { RuntimeName } from './host.ts'
import type { Declaring } from './program.ts'

/**
 * What an API server alone, of which no pod is started, names in token volumes: the recorded one does, whose answers ours are
 * compared with. With controllers nobody makes this ConfigMap, and pods would wait for it.
 */
const BARE_SERVICE_CA = 'openshift-service-ca.crt'

interface UpFlags {
  dataDir?: string
  inMemory?: true
  port?: number
  runtime: RuntimeName
  nodes: number
  controllers: 'on' | 'off'
  extensions?: 'on' | 'off'
  pinImages: 'require' | 'warn' | 'off'
  detach?: true
  auditLog?: string
  auditPolicy?: string
  tokenFile?: string
  serviceCaConfigMap?: string
}

export function declareClusterCommands(declaring: Declaring): void {
  declareUpAndDown(declaring)
  declareImage(declaring)
  declareProgram(declaring)
}

function declareUpAndDown({ program, io, host, globals, action }: Declaring): void {
  program
    .command('up')
    .description('start a cluster on this machine, and stay until Ctrl-C')
    .option('--data-dir <directory>', DATA_DIR_HELP)
    .option('--in-memory', 'keep the API objects in memory only')
    .option('--port <number>', 'the port of the API server', wholeNumber('--port', 65_535))
    .addOption(
      new Option('--runtime <name>', 'what runs the containers').choices(['local', 'simulated', 'none']).default('local'),
    )
    .option('--nodes <count>', 'how many nodes; 0 is the runtime "none"', wholeNumber('--nodes'), 1)
    .addOption(new Option('--controllers <switch>', 'whether the controllers run').choices(['on', 'off']).default('on'))
    .addOption(
      new Option('--extensions <switch>', 'what skiff adds to Kubernetes (default: as the controllers)').choices(['on', 'off']),
    )
    .addOption(
      new Option('--pin-images [mode]', 'images are written with their digests, in namespaces that do not say')
        .choices(['require', 'warn', 'off'])
        .preset('require')
        .default('off'),
    )
    .option('--audit-log <file>', 'append what requests ask for, a JSON document a line')
    .option('--audit-policy <file>', 'an audit policy of Kubernetes; the metadata of all requests without it')
    .option('--token-file <file>', 'bearer tokens, a line each: token,user,uid,"group1,group2"')
    .addOption(
      new Option(
        '--service-ca-config-map <name>',
        `also put service-ca.crt of this ConfigMap into token volumes; "" for none (default: ${BARE_SERVICE_CA} without controllers, else none)`,
      ).env('SKIFF_SERVICE_CA_CONFIG_MAP'),
    )
    .option('-d, --detach', 'leave it running and return when it is ready')
    .addHelpText(
      'after',
      '\nWithout --kubeconfig, a context is added to your kubeconfig.\n\nExample:\n  skiff up --in-memory --runtime simulated --nodes 3\n',
    )
    .action(
      action(async (flags: UpFlags) => {
        const { runUp } = await import('./up.ts')
        const { dataDir, port, runtime, nodes, pinImages, tokenFile, auditLog, auditPolicy } = flags
        const serviceCaConfigMap = flags.serviceCaConfigMap ?? (flags.controllers === 'off' ? BARE_SERVICE_CA : undefined)
        const switches = {
          inMemory: flags.inMemory === true,
          controllers: flags.controllers === 'on',
          extensions: (flags.extensions ?? flags.controllers) === 'on',
          detach: flags.detach === true,
        }
        const apiServer = { tokenFile, auditLog, auditPolicy, serviceCaConfigMap }
        const { kubeconfig } = globals()
        return runUp({ dataDir, port, runtime, nodes, pinImages, apiServer, ...switches, kubeconfig }, io, host)
      }),
    )
  program
    .command('down')
    .description('stop the cluster on this machine')
    .option('--data-dir <directory>', DATA_DIR_HELP)
    .addHelpText('after', '\nExample:\n  skiff down\n')
    .action(action(async ({ dataDir }: { dataDir?: string }) => (await import('./down.ts')).runDown({ dataDir }, io, host)))
  program
    .command('demo')
    .description('show a rolling update that loses no request, on a cluster made for it')
    .addHelpText('after', '\nExample:\n  skiff demo\n')
    .action(action(() => host.demo(io)))
}

interface BuildFlags {
  dataDir?: string
  tag: string
  entrypoint: string
  env: string[]
  workdir?: string
}

function declareImage(declaring: Declaring): void {
  const image = declaring.program.command('image').description('build, load and list the images of the local runtime')
  image.addHelpText('after', "\nExample:\n  skiff image build ./app -t app:v1 --entrypoint 'node server.js'\n")
  declareImageBuild(image, declaring)
  declareImageArchives(image, declaring)
  declareImageList(image, declaring)
}

function declareImageBuild(image: Command, { io, host, action }: Declaring): void {
  image
    .command('build')
    .description('make an image of a directory; no cluster is needed')
    .argument('<directory>')
    .requiredOption('-t, --tag <name:tag>', "the image's name")
    .requiredOption('--entrypoint <command>', "what it runs; a pod's args follow it")
    .option('-e, --env <name=value>', 'an environment variable (again for more)', collect, [])
    .option('--workdir <directory>', 'the working directory inside the image')
    .option('--data-dir <directory>', DATA_DIR_HELP)
    .addHelpText('after', "\nExample:\n  skiff image build ./app -t app:v1 --entrypoint 'node server.js'\n")
    .action(
      action(async (directory: string, { dataDir, tag, entrypoint, env, workdir }: BuildFlags) => {
        const { buildImage } = await import('./image.ts')
        return buildImage({ directory, tag, entrypoint, env, workingDirectory: workdir }, io, host.images({ dataDir }))
      }),
    )
}

function declareImageArchives(image: Command, { io, host, action }: Declaring): void {
  image
    .command('load')
    .description('take in the images of an OCI or Docker archive')
    .argument('<file>')
    .option('--data-dir <directory>', DATA_DIR_HELP)
    .addHelpText('after', '\nExample:\n  skiff image load app.tar\n')
    .action(
      action(async (file: string, { dataDir }: { dataDir?: string }) => {
        const { loadImages } = await import('./image.ts')
        return loadImages(file, io, host.images({ dataDir }))
      }),
    )
  image
    .command('save')
    .description('write an image as an OCI archive')
    .argument('<image>')
    .requiredOption('-o, --output <file>', 'the archive to write')
    .option('--data-dir <directory>', DATA_DIR_HELP)
    .addHelpText('after', '\nExample:\n  skiff image save app:v1 -o app.tar\n')
    .action(
      action(async (name: string, { dataDir, output }: { dataDir?: string; output: string }) => {
        const { saveImage } = await import('./image.ts')
        return saveImage(name, output, io, host.images({ dataDir }))
      }),
    )
}

function declareImageList(image: Command, { io, host, action }: Declaring): void {
  image
    .command('ls')
    .description('list the images')
    .option('--data-dir <directory>', DATA_DIR_HELP)
    .addOption(new Option('-o, --output <format>', 'how to print them').choices(['json']))
    .addHelpText('after', '\nExample:\n  skiff image ls\n')
    .action(
      action(async ({ dataDir, output }: { dataDir?: string; output?: string }) => {
        const { listImages } = await import('./image.ts')
        return listImages(output === 'json', io, host.images({ dataDir }))
      }),
    )
  image
    .command('rm')
    .description('remove images')
    .argument('<image...>')
    .option('--data-dir <directory>', DATA_DIR_HELP)
    .addHelpText('after', '\nExample:\n  skiff image rm app:v1\n')
    .action(
      action(async (names: string[], { dataDir }: { dataDir?: string }) => {
        const { removeImages } = await import('./image.ts')
        return removeImages(names, io, host.images({ dataDir }))
      }),
    )
}

function declareProgram({ program, io, host, globals, action }: Declaring): void {
  program
    .command('version')
    .description('print the versions of skiff and of the server')
    .option('--client', 'only the version of skiff')
    .addOption(new Option('-o, --output <format>', 'how to print them').choices(['json']))
    .addHelpText('after', '\nExample:\n  skiff version --client\n')
    .action(
      action(async (flags: { client?: true; output?: string }) => {
        const { runVersion } = await import('./version.ts')
        return runVersion({ ...globals(), clientOnly: flags.client === true, json: flags.output === 'json' }, io, host)
      }),
    )
  program
    .command('completion')
    .description("print a shell's completion script")
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', '\nExample:\n  source <(skiff completion bash)\n')
    .action(action(async (shell: string) => (await import('./completion.ts')).printScript(shell, io)))
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(
      action(async (words: string[]) => {
        const { runComplete } = await import('./complete/complete.ts')
        return runComplete({ ...globals(), words }, program, io, host)
      }),
    )
}
