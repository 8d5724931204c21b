/**
 * Which EndpointSlices of a Service to create, change and delete. Pure. Endpoints stay in the slice they are in, so that one pod's
 * change rewrites one slice; room is filled before a slice is added.
 */
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice, Service } from '../../api/types.ts'
import { services } from '../../client/resources.ts'
import { sameJson } from '../parts/json.ts'
import { controllerReference } from '../parts/owners.ts'
import { type Backend, type Family, isHeadless } from './backends.ts'

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
export const MANAGER = 'endpointslice-controller.k8s.io'
const HEADLESS_LABEL = 'service.kubernetes.io/headless'
/** Endpoints in one slice. */
const MAX_ENDPOINTS_PER_SLICE = 100

export interface SlicesPlan {
  create: EndpointSlice[]
  update: EndpointSlice[]
  remove: EndpointSlice[]
}

/** `existing` are the slices of this Service and address family that this controller manages. */
export function planSlices(
  service: Service,
  family: Family,
  backends: readonly Backend[],
  existing: readonly EndpointSlice[],
): SlicesPlan {
  const plan: SlicesPlan = { create: [], update: [], remove: [] }
  const groups = groupByPorts(service, backends)
  const known = new Map<string, EndpointSlice[]>()
  for (const slice of existing) {
    const key = portsKey(slice.ports ?? [])
    if (groups.has(key)) known.set(key, [...(known.get(key) ?? []), slice])
    else plan.remove.push(slice)
  }
  for (const [key, group] of groups) planGroup(service, family, group, known.get(key) ?? [], plan)
  return plan
}

interface Group {
  ports: DiscoveryV1EndpointPort[]
  endpoints: Map<string, Endpoint>
}

/** Pods that resolve a named port differently need slices of their own. A Service without backends keeps one empty slice. */
function groupByPorts(service: Service, backends: readonly Backend[]): Map<string, Group> {
  const groups = new Map<string, Group>()
  const portless = (service.spec?.ports ?? []).length === 0
  for (const backend of backends) {
    if (backend.ports.length === 0 && !(portless && isHeadless(service))) continue
    const key = portsKey(backend.ports)
    const group = groups.get(key) ?? { ports: backend.ports.map((port) => ({ ...port })), endpoints: new Map() }
    const endpoint = endpointOf(service, backend)
    group.endpoints.set(endpointKey(endpoint), endpoint)
    groups.set(key, group)
  }
  if (groups.size === 0) groups.set(portsKey([]), { ports: [], endpoints: new Map() })
  return groups
}

function portsKey(ports: readonly DiscoveryV1EndpointPort[]): string {
  const texts = ports.map(({ name, port, protocol, appProtocol }) => JSON.stringify([name ?? '', port, protocol, appProtocol]))
  return texts.sort().join()
}

function endpointKey({ addresses, targetRef }: Endpoint): string {
  return `${targetRef?.uid ?? ''} ${addresses[0]}`
}

function endpointOf(service: Service, backend: Backend): Endpoint {
  const { pod, serving, terminating, hostname, zone } = backend
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating)
  const { name, namespace, uid } = pod.metadata
  const nodeName = pod.spec?.nodeName
  const hints = hintsOf(service, zone, nodeName)
  return {
    addresses: [backend.address],
    conditions: { ready, serving, terminating },
    ...(hostname && { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
    ...(hints && ready && { hints }),
  }
}

function hintsOf(service: Service, zone: string | undefined, node: string | undefined): Endpoint['hints'] | undefined {
  const forZones = zone ? [{ name: zone }] : undefined
  switch (service.spec?.trafficDistribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return forZones && { forZones }
    case 'PreferSameNode':
      return { ...(forZones && { forZones }), ...(node && { forNodes: [{ name: node }] }) }
    default:
      return undefined
  }
}

interface Refill {
  slice: EndpointSlice
  endpoints: Endpoint[]
  changed: boolean
}

function planGroup(service: Service, family: Family, group: Group, slices: readonly EndpointSlice[], plan: SlicesPlan): void {
  const missing = new Map(group.endpoints)
  const labels = labelsOf(service)
  const refills = slices.map((slice) => refill(slice, missing, labels))
  // Slices that are written anyway take the new endpoints first.
  for (const one of [...refills].sort((a, b) => Number(b.changed) - Number(a.changed))) {
    for (const [key, endpoint] of missing) {
      if (one.endpoints.length >= MAX_ENDPOINTS_PER_SLICE) break
      one.endpoints.push(endpoint)
      one.changed = true
      missing.delete(key)
    }
  }
  let mayBeEmpty = group.endpoints.size === 0 ? 1 : 0
  for (const { slice, endpoints, changed } of refills) {
    if (endpoints.length === 0 && mayBeEmpty === 0) plan.remove.push(slice)
    else {
      if (endpoints.length === 0) mayBeEmpty -= 1
      if (changed) plan.update.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints })
    }
  }
  const rest = [...missing.values()]
  if (rest.length === 0 && mayBeEmpty === 1 && slices.length === 0) plan.create.push(sliceOf(service, family, group, [], labels))
  for (let i = 0; i < rest.length; i += MAX_ENDPOINTS_PER_SLICE)
    plan.create.push(sliceOf(service, family, group, rest.slice(i, i + MAX_ENDPOINTS_PER_SLICE), labels))
}

/** What stays of a slice; takes it out of `missing`. */
function refill(slice: EndpointSlice, missing: Map<string, Endpoint>, labels: Record<string, string>): Refill {
  const endpoints: Endpoint[] = []
  let changed = !sameJson(slice.metadata.labels ?? {}, labels)
  for (const old of slice.endpoints ?? []) {
    const key = endpointKey(old)
    const wanted = missing.get(key)
    if (!wanted || !missing.delete(key)) changed = true
    else {
      endpoints.push(wanted)
      if (!sameJson(wanted, old)) changed = true
    }
  }
  return { slice, endpoints, changed }
}

function labelsOf(service: Service): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...own } = service.metadata.labels ?? {}
  return {
    ...own,
    ...(isHeadless(service) && { [HEADLESS_LABEL]: '' }),
    [SERVICE_NAME_LABEL]: service.metadata.name ?? '',
    [MANAGED_BY_LABEL]: MANAGER,
  }
}

function sliceOf(
  service: Service,
  family: Family,
  group: Group,
  endpoints: Endpoint[],
  labels: Record<string, string>,
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      namespace: service.metadata.namespace,
      labels: { ...labels },
      ownerReferences: [controllerReference(service, services)],
    },
    addressType: family,
    endpoints,
    ports: group.ports,
  }
}
