/** Flags and help of `extend`: what skiff adds to Kubernetes, beside any cluster. */
import { Option } from 'commander'
import { wholeNumber } from './flag-values.ts'
import { CommandError, writeLine } from './io.ts'
import type { Declaring } from './program.ts'

const DEFAULT_NAMESPACE = 'skiff-system'
const DEFAULT_PORT = 8443
const MAX_PORT = 65_535

interface ServeFlags {
  host: string
  port: number
  service?: string
  pinImages: 'off' | 'warn' | 'require'
}

export function declareExtend({ program, io, host, globals, action }: Declaring): void {
  const extend = program.command('extend').description("run what skiff adds to Kubernetes beside a cluster that is not skiff's")
  extend.addHelpText('after', '\nExample:\n  skiff extend manifests --image registry.example.com/skiff:v1 | kubectl apply -f -\n')
  extend
    .command('serve')
    .description('answer admission reviews and run the reconcilers, until Ctrl-C')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'the port to listen on; 0 takes a free one', wholeNumber('--port', MAX_PORT), DEFAULT_PORT)
    .option('--service <namespace/name>', 'the Service through which the API server reaches this (default: the address itself)')
    .addOption(
      new Option('--pin-images <mode>', 'for namespaces that do not say').choices(['off', 'warn', 'require']).default('off'),
    )
    .addHelpText(
      'after',
      `
It registers a MutatingWebhookConfiguration named skiff-extensions. Without --service the registration is taken back at the end,
and the API server must reach --host. What needs skiff's own node agent (sd_notify, stage timeouts) is refused by name.

Example:
  skiff extend serve --kubeconfig ~/.kube/config
`,
    )
    .action(
      action(async ({ host: address, port, service, pinImages }: ServeFlags) => {
        const { kubeconfig, context } = globals()
        const options = { host: address, port, pinImages, kubeconfig, context, ...(service && { service: serviceOf(service) }) }
        return host.extend.serve(options, io, (report) =>
          writeLine(io.stdout, `extensions of ${report.server} on port ${report.port}`),
        )
      }),
    )
  extend
    .command('manifests')
    .description('print what a cluster needs to run the extensions itself')
    .requiredOption('--image <name>', 'an image whose entrypoint is skiff')
    .addHelpText(
      'after',
      '\nThe namespace is skiff-system unless -n says another.\n\nExample:\n  skiff extend manifests --image registry.example.com/skiff:v1\n',
    )
    .action(
      action(async ({ image }: { image: string }) => {
        const objects = await host.extend.manifests({ image, namespace: globals().namespace ?? DEFAULT_NAMESPACE })
        const { dump } = await import('js-yaml')
        io.stdout.write(objects.map((object) => dump(object, { noRefs: true })).join('---\n'))
        return 0
      }),
    )
}

function serviceOf(text: string): { namespace: string; name: string } {
  const [namespace = '', name = '', ...rest] = text.split('/')
  if (namespace === '' || name === '' || rest.length > 0)
    throw new CommandError(`--service takes NAMESPACE/NAME, not ${JSON.stringify(text)}`)
  return { namespace, name }
}
