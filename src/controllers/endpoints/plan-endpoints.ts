/** The Endpoints object of a Service: addresses with the same ports in one subset. Pure. */
import type { EndpointAddress, EndpointPort, EndpointSubset, Service } from '../../api/types.ts'
import { type Backend, isHeadless } from './backends.ts'

export const MANAGED_BY_LABEL = 'endpoints.kubernetes.io/managed-by'
export const MANAGER = 'endpoint-controller'
const HEADLESS_LABEL = 'service.kubernetes.io/headless'
export const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'
/** Addresses in one Endpoints object; readers that need more read EndpointSlices. */
const MAX_ADDRESSES = 1_000

export interface EndpointsPlan {
  subsets: EndpointSubset[]
  labels: Record<string, string>
  /** Addresses were left out, those not ready first. */
  truncated: boolean
}

interface Group {
  ports: EndpointPort[]
  ready: EndpointAddress[]
  notReady: EndpointAddress[]
}

export function planEndpoints(service: Service, backends: readonly Backend[]): EndpointsPlan {
  const publishAll = service.spec?.publishNotReadyAddresses === true
  const portless = (service.spec?.ports ?? []).length === 0 && isHeadless(service)
  const groups = new Map<string, Group>()
  for (const backend of backends) {
    if ((backend.terminating && !publishAll) || (backend.ports.length === 0 && !portless)) continue
    const key = JSON.stringify(backend.ports)
    const group = groups.get(key) ?? { ports: portsOf(backend), ready: [], notReady: [] }
    const list = publishAll || backend.serving ? group.ready : group.notReady
    list.push(addressOf(backend))
    groups.set(key, group)
  }
  const sorted = [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
  const truncated = truncate(sorted)
  return { subsets: sorted.flatMap(subsetOf), labels: labelsOf(service), truncated }
}

function portsOf({ ports }: Backend): EndpointPort[] {
  const named = ports.map(({ name, ...port }) => ({ ...(name && { name }), ...port }))
  return named.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
}

function addressOf({ pod, address, hostname }: Backend): EndpointAddress {
  const { name, namespace, uid } = pod.metadata
  const nodeName = pod.spec?.nodeName
  return {
    ip: address,
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

function truncate(groups: Group[]): boolean {
  let room = MAX_ADDRESSES
  let left = false
  for (const kind of ['ready', 'notReady'] as const) {
    for (const group of groups) {
      const before = group[kind].length
      group[kind] = group[kind].sort(byAddress).slice(0, room)
      room -= group[kind].length
      left ||= group[kind].length < before
    }
  }
  return left
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1
  return (a.targetRef?.uid ?? '') < (b.targetRef?.uid ?? '') ? -1 : 1
}

function subsetOf({ ports, ready, notReady }: Group): EndpointSubset[] {
  if (ready.length === 0 && notReady.length === 0) return []
  return [
    {
      ...(ready.length > 0 && { addresses: ready }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady }),
      ...(ports.length > 0 && { ports }),
    },
  ]
}

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...own } = service.metadata.labels ?? {}
  return { ...own, [MANAGED_BY_LABEL]: MANAGER, ...(isHeadless(service) && { [HEADLESS_LABEL]: '' }) }
}
