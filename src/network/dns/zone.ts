/**
 * What the cluster's own names mean: Kubernetes' DNS specification 1.1 over Services and EndpointSlices as they are.
 * Knows no sockets; names outside the cluster are somebody else's.
 */
import { isIPv4 } from 'node:net'
import { parseCidr, strictlyWithin } from '../../api/addresses.ts'
import { endpointSlices, services } from '../../client/resources.ts'
import type { Informers } from '../../watch/informers.ts'
import type { EndpointsView } from '../endpoints-view.ts'
import { type Labels, RCODE, type Record, type RecordData, TYPE } from './message.ts'
import { createServiceNames, EMPTY, existing, type Found, NOTHING } from './service-names.ts'

const TTL_SECONDS = 5
const ADDRESS_INDEX = 'address'

/** `foreign`: not a name of this cluster. `alias`: the name stands for another, which is still to be resolved. */
type Resolution =
  | { kind: 'records'; rcode: number; answers: Record[]; authority: Record[] }
  | { kind: 'alias'; answers: Record[]; target: Labels }
  | { kind: 'foreign' }

export interface Zone {
  resolve(name: Labels, type: number): Resolution
}

export interface ZoneOptions {
  informers: Informers
  view: EndpointsView
  clusterDomain: string
  /** CIDRs whose reverse names belong to the cluster. */
  ranges: readonly string[]
}

export function createZone({ informers, view, clusterDomain, ranges }: ZoneOptions): Zone {
  const domain = clusterDomain.toLowerCase().split('.')
  const known = informers.get(services).store
  const slices = informers.get(endpointSlices).store
  known.addIndex(ADDRESS_INDEX, (service) => service.spec?.clusterIPs ?? [])
  const names = createServiceNames({ services: known, view, domain })
  slices.addIndex(ADDRESS_INDEX, (slice) => (slice.endpoints ?? []).flatMap(({ addresses }) => addresses))

  function reverse(address: string): Found {
    const target = (labels: Labels): RecordData => ({ type: TYPE.PTR, target: labels })
    const data = known
      .byIndex(ADDRESS_INDEX, address)
      .map(({ metadata }) => target(names.nameOf(`${metadata.namespace}/${metadata.name}`)))
    for (const slice of slices.byIndex(ADDRESS_INDEX, address)) {
      const name = slice.metadata.labels?.['kubernetes.io/service-name']
      if (!name) continue
      for (const endpoint of slice.endpoints ?? []) {
        if (!endpoint.addresses.includes(address) || !endpoint.hostname) continue
        data.push(target([endpoint.hostname, ...names.nameOf(`${slice.metadata.namespace}/${name}`)]))
      }
    }
    return existing(data)
  }

  function find(name: Labels): Found | undefined {
    const address = reverseAddress(name)
    if (address !== undefined) {
      const found = reverse(address)
      return found.exists || ranges.some((range) => contains(range, address)) ? found : undefined
    }
    const inner = name.length - domain.length
    if (inner < 0 || !domain.every((label, i) => name[inner + i] === label)) return undefined
    if (inner === 0) return EMPTY
    const labels = name.slice(0, inner - 1)
    const kind = name[inner - 1]
    if (kind === 'svc') return names.find(labels)
    return kind === 'pod' ? inPods(labels) : NOTHING
  }

  function soa(): Record {
    const names = { primary: ['ns', 'dns', ...domain], mailbox: ['hostmaster', ...domain] }
    return { name: domain, ttlSeconds: TTL_SECONDS, type: TYPE.SOA, serial: 1, minimumSeconds: TTL_SECONDS, ...names }
  }

  return {
    resolve(name, type) {
      const found = find(name)
      if (!found) return { kind: 'foreign' }
      const answers = found.data
        .filter((data) => type === TYPE.ANY || data.type === type || data.type === TYPE.CNAME)
        .map((data): Record => ({ ...data, name, ttlSeconds: TTL_SECONDS }))
      if (found.alias && type !== TYPE.CNAME && type !== TYPE.ANY) return { kind: 'alias', answers, target: found.alias }
      const rcode = found.exists ? RCODE.NOERROR : RCODE.NXDOMAIN
      return { kind: 'records', rcode, answers, authority: answers.length > 0 ? [] : [soa()] }
    },
  }
}

/** `1-2-3-4.namespace` is the address 1.2.3.4, whether or not there is such a pod. */
function inPods(labels: Labels): Found {
  const [dashed, namespace, ...more] = labels.length < 2 ? [undefined, labels[0]] : labels
  if (more.length > 0) return NOTHING
  if (dashed === undefined) return EMPTY
  const address = dashed.replaceAll('-', '.')
  return isIPv4(address) && namespace ? { exists: true, data: [{ type: TYPE.A, address }] } : NOTHING
}

function reverseAddress(name: Labels): string | undefined {
  if (name.length !== 6 || name[4] !== 'in-addr' || name[5] !== 'arpa') return undefined
  const address = name.slice(0, 4).reverse().join('.')
  return isIPv4(address) ? address : undefined
}

function contains(range: string, address: string): boolean {
  const outer = parseCidr(range)
  const inner = parseCidr(`${address}/32`)
  return outer !== undefined && inner !== undefined && strictlyWithin(inner, outer)
}
