/**
 * What names under `svc` mean: Services, their ports and their instances. Knows no messages' bytes and no sockets.
 */
import { isIPv4 } from 'node:net'
import type { Endpoint, EndpointSlice, Service } from '../../api/types.ts'
import type { Cache } from '../../watch/informer.ts'
import type { EndpointsView } from '../endpoints-view.ts'
import { type Labels, type RecordData, TYPE } from './message.ts'

const SRV_WEIGHT = 100

/** `alias`: the name stands for another one. */
export interface Found {
  exists: boolean
  data: RecordData[]
  alias?: Labels
}

export const NOTHING: Found = { exists: false, data: [] }
export const EMPTY: Found = { exists: true, data: [] }

/** One ready address behind a Service. */
interface Instance {
  name: Labels
  address: string
  slice: EndpointSlice
}

type NamedPort = { name?: string | undefined; protocol?: string | undefined; port?: number | undefined }

export interface ServiceNames {
  /** `labels` are those before `svc`. */
  find(labels: Labels): Found
  /** The full name of a Service, given as `namespace/name`. */
  nameOf(key: string): Labels
}

export function createServiceNames(options: { services: Cache<Service>; view: EndpointsView; domain: Labels }): ServiceNames {
  const { services, view, domain } = options

  function nameOf(key: string): Labels {
    const [namespace = '', name = ''] = key.split('/')
    return [name, namespace, 'svc', ...domain]
  }

  function instances(key: string): Instance[] {
    const suffix = nameOf(key)
    return view
      .slices(key)
      .filter((slice) => slice.addressType === 'IPv4')
      .flatMap((slice) => (slice.endpoints ?? []).filter(isReady).flatMap((endpoint) => instancesOf(endpoint, slice, suffix)))
  }

  function withinService(key: string, service: Service, rest: Labels): Found {
    const [second, first, ...more] = rest
    const headless = service.spec?.clusterIP === 'None'
    if (more.length > 0) return NOTHING
    if (first !== undefined) {
      if (!first.startsWith('_') || !second?.startsWith('_')) return NOTHING
      const wanted = { portName: first.slice(1), protocol: second.slice(1) }
      return existing(headless ? instancePorts(instances(key), wanted) : servicePorts(service, nameOf(key), wanted))
    }
    if (second !== undefined)
      return existing(
        instances(key)
          .filter(({ name }) => name[0] === second)
          .map(addressOf),
      )
    // The specification: a headless Service without ready endpoints is NXDOMAIN.
    if (headless) return existing([...instances(key).map(addressOf), ...instancePorts(instances(key))])
    return { exists: true, data: [...clusterAddresses(service), ...servicePorts(service, nameOf(key))] }
  }

  return {
    nameOf,
    find(labels) {
      const [namespace, name, ...rest] = [...labels].reverse()
      if (namespace === undefined) return EMPTY
      if (name === undefined) return services.list(namespace).length > 0 ? EMPTY : NOTHING
      const key = `${namespace}/${name}`
      const service = services.get(key)
      if (!service) return NOTHING
      if (service.spec?.type !== 'ExternalName') return withinService(key, service, rest)
      const alias = (service.spec.externalName ?? '').replace(/\.$/, '').toLowerCase().split('.')
      return rest.length === 0 ? { exists: true, data: [{ type: TYPE.CNAME, target: alias }], alias } : NOTHING
    },
  }
}

/** A name exists when there is data for it; equal records are one. */
export function existing(data: readonly RecordData[]): Found {
  return { exists: data.length > 0, data: [...new Map(data.map((one) => [JSON.stringify(one), one])).values()] }
}

function clusterAddresses(service: Service): RecordData[] {
  const addresses = service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? '']
  return addresses.filter((address) => isIPv4(address)).map((address) => ({ type: TYPE.A, address }))
}

function addressOf({ address }: Instance): RecordData {
  return { type: TYPE.A, address }
}

function servicePorts(service: Service, target: Labels, wanted?: WantedPort): RecordData[] {
  return portsOf(service.spec?.ports, target, wanted)
}

function instancePorts(instances: readonly Instance[], wanted?: WantedPort): RecordData[] {
  return instances.flatMap(({ name, slice }) => portsOf(slice.ports, name, wanted))
}

interface WantedPort {
  portName: string
  protocol: string
}

/** SRV records; all ports when none is asked for by name. */
function portsOf(ports: readonly NamedPort[] | null | undefined, target: Labels, wanted: WantedPort | undefined): RecordData[] {
  return (ports ?? []).flatMap(({ name, protocol = 'TCP', port }): RecordData[] => {
    if (port === undefined) return []
    if (wanted && (name !== wanted.portName || protocol.toLowerCase() !== wanted.protocol)) return []
    return [{ type: TYPE.SRV, priority: 0, weight: SRV_WEIGHT, port, target }]
  })
}

function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false
}

/** An endpoint without a hostname is named by its address. */
function instancesOf({ hostname, addresses }: Endpoint, slice: EndpointSlice, suffix: Labels): Instance[] {
  return addresses
    .filter((address) => isIPv4(address))
    .map((address) => ({ name: [hostname?.toLowerCase() ?? address.replaceAll('.', '-'), ...suffix], address, slice }))
}
