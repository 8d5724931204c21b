/** Where a proxied request goes: `[scheme:]name[:port]` read, and for a Service an endpoint that is ready chosen. */
import { randomInt } from 'node:crypto'
import type { KubeObject } from '../../api/object.ts'
import { badRequest, unavailable } from '../../api/status.ts'
import type { EndpointSlice, Service } from '../../api/types.ts'
import type { Core } from '../core.ts'
import { objectOf } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import type { ResourceTarget } from '../request/target.ts'
import { readEntry } from '../verbs/get.ts'

export interface Endpoint {
  /** The pod that listens; absent for an address that is nobody's in the cluster. */
  pod?: ResourceTarget
  address: string
  port: number
}

const DEFAULT_PORT = 80

/** Throws a 400 for what is none of `name`, `name:port`, `scheme:name:port`. */
export function parseName(text: string, plural: string): { scheme: string; name: string; port: string } {
  const parts = text.split(':')
  const [scheme, name, port] = parts.length === 3 ? parts : ['', parts[0], parts[1] ?? '']
  const known = scheme === '' || scheme === 'http' || scheme === 'https'
  if (parts.length > 3 || !name || !known) throw badRequest(`invalid ${plural.slice(0, -1)} request ${JSON.stringify(text)}`)
  return { scheme: scheme ?? '', name, port: port ?? '' }
}

/** The first port that a container of the pod declares. */
export function podPort(pod: KubeObject): number {
  for (const container of pod.spec?.containers ?? []) if (container.ports?.length) return container.ports[0].containerPort
  return DEFAULT_PORT
}

/** Throws 404 for a missing Service, 503 for one without such a port or without an endpoint. */
export async function endpointOf(core: Core, resource: Resource, target: ResourceTarget, port: string): Promise<Endpoint> {
  const service = objectOf(readEntry(core, resource, target.namespace, target.name), resource) as Service
  const portName = portNameOf(service, port)
  const candidates = core.reader
    .list('discovery.k8s.io', 'endpointslices', target.namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === target.name)
    .flatMap((slice) => endpointsIn(slice as unknown as EndpointSlice, portName, target))
  if (candidates.length === 0) throw unavailable(`no endpoints available for service ${JSON.stringify(target.name)}`)
  return candidates[randomInt(candidates.length)]!
}

/** The name of the port that was asked for by name or number; the only one there is when none was. */
function portNameOf({ metadata, spec }: Service, asked: string): string {
  const ports = spec?.ports ?? []
  if (asked === '') return ports.length === 1 ? (ports[0]?.name ?? '') : ''
  const found = ports.find(({ name, port }) => name === asked || String(port) === asked)
  if (!found) throw unavailable(`no service port ${JSON.stringify(asked)} found for service ${JSON.stringify(metadata.name)}`)
  return found.name ?? ''
}

function endpointsIn(slice: EndpointSlice, portName: string, target: ResourceTarget): Endpoint[] {
  const port = slice.ports?.find(({ name }) => (name ?? '') === portName)?.port
  if (port === undefined) return []
  return (slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .map(({ addresses, targetRef }) => {
      const endpoint = { address: addresses[0] ?? '', port }
      if (targetRef?.kind !== 'Pod' || !targetRef.name) return endpoint
      return { ...endpoint, pod: { ...target, plural: 'pods', name: targetRef.name } }
    })
}
