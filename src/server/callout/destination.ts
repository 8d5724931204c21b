/**
 * Where a program outside of the API server is reached: by URL, or by a Service. A Service's ready endpoints are dialled themselves,
 * those that are pods through their node: so it works where the cluster's addresses cannot be reached from here.
 */
import type { Duplex } from 'node:stream'
import type { EndpointSlice, Pod, Service } from '../../api/types.ts'
import type { Core } from '../core.ts'

/** `clientConfig` of webhooks, and what an APIService names. */
export interface ClientConfig {
  readonly url?: string | undefined
  readonly service?:
    | {
        readonly namespace: string
        readonly name: string
        readonly path?: string | undefined
        readonly port?: number | undefined
      }
    | undefined
  /** PEM in base64. */
  readonly caBundle?: string | undefined
}

export interface Destination {
  /** As messages show it: `https://name.namespace.svc:443/path`. */
  readonly url: URL
  readonly host: string
  readonly port: number
  /** The name that the certificate must have. */
  readonly serverName: string
  /** Opens the connection, where it takes more than dialling the host. */
  readonly open: (() => Promise<Duplex>) | undefined
}

export type Reach = Pick<Core, 'reader' | 'nodes' | 'closing'>

const HTTPS_PORT = 443

/** Throws an Error whose message says what is missing. */
export function destinationOf(reach: Reach, config: ClientConfig): Destination {
  if (config.url !== undefined) {
    const url = new URL(config.url)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    return { url, host, port: Number(url.port || HTTPS_PORT), serverName: host, open: undefined }
  }
  if (!config.service) throw new Error('there is neither a url nor a service to call')
  const { namespace, name, path = '', port = HTTPS_PORT } = config.service
  const serverName = `${name}.${namespace}.svc`
  const url = new URL(`https://${serverName}:${port}${path.startsWith('/') ? path : `/${path}`}`)
  const service = reach.reader.get('', 'services', namespace, name) as Service | undefined
  if (!service) throw new Error(`service ${JSON.stringify(name)} not found`)
  if (service.spec?.type === 'ExternalName') {
    return { url, host: service.spec.externalName ?? '', port, serverName, open: undefined }
  }
  const portName = service.spec?.ports?.find((one) => one.port === port)?.name ?? ''
  if (!service.spec?.ports?.some((one) => one.port === port)) {
    throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
  }
  const [endpoint] = readyEndpoints(reach, namespace, name, portName)
  if (endpoint) return { url, serverName, ...endpoint }
  const address = service.spec.clusterIP ?? ''
  if (service.spec.selector || address === '' || address === 'None') {
    throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
  }
  return { url, host: address, port, serverName, open: undefined }
}

function readyEndpoints(
  reach: Reach,
  namespace: string,
  name: string,
  portName: string,
): Omit<Destination, 'url' | 'serverName'>[] {
  const slices = reach.reader.list('discovery.k8s.io', 'endpointslices', namespace) as readonly EndpointSlice[]
  return slices
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(({ endpoints, ports }) => {
      const port = ports?.find((one) => (one.name ?? '') === portName)?.port
      if (port === undefined) return []
      return (endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .map(({ addresses, targetRef }) => ({
          ...{ host: addresses?.[0] ?? '', port },
          open: targetRef?.kind === 'Pod' ? throughNode(reach, namespace, targetRef.name ?? '', port) : undefined,
        }))
    })
}

/** Undefined when the pod's node is not ours to ask. */
function throughNode(reach: Reach, namespace: string, name: string, port: number): Destination['open'] {
  const pod = reach.reader.get('', 'pods', namespace, name) as Pod | undefined
  const node = reach.nodes.get(pod?.spec?.nodeName ?? '')
  if (!pod || !node) return undefined
  const ref = { namespace, name, ...(pod.metadata.uid && { uid: pod.metadata.uid }) }
  return async () => (await node.portForward(ref, port, reach.closing)).duplex
}
