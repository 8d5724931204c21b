/** The current endpoints of every Service port, computed when first asked for after a change. Knows no sockets. */
import type { EndpointSlice } from '../api/types.ts'
import { endpointSlices } from '../client/resources.ts'
import type { Informers } from '../watch/informers.ts'
import { endpointSet, type Target } from './endpoint-set.ts'

const SERVICE_INDEX = 'service'
const SERVICE_LABEL = 'kubernetes.io/service-name'

export interface EndpointsView {
  /** `service` is `namespace/name`. */
  targets(service: string, portName: string, protocol: string): readonly Target[]
  slices(service: string): readonly EndpointSlice[]
  stop(): void
}

export function createEndpointsView(informers: Informers): EndpointsView {
  const informer = informers.get(endpointSlices)
  const computed = new Map<string, Map<string, readonly Target[]>>()
  informer.store.addIndex(SERVICE_INDEX, serviceOf)
  const stop = informer.subscribe(({ object, old }) => {
    for (const slice of [object, old]) for (const service of slice ? serviceOf(slice) : []) computed.delete(service)
  })
  const slices = (service: string) => informer.store.byIndex(SERVICE_INDEX, service)
  return {
    slices,
    stop,
    targets(service, portName, protocol) {
      let ports = computed.get(service)
      if (!ports) {
        ports = new Map()
        computed.set(service, ports)
      }
      const key = `${protocol}/${portName}`
      let targets = ports.get(key)
      if (!targets) {
        targets = endpointSet(slices(service), portName, protocol)
        ports.set(key, targets)
      }
      return targets
    },
  }
}

function serviceOf(slice: EndpointSlice): string[] {
  const name = slice.metadata.labels?.[SERVICE_LABEL]
  return name ? [`${slice.metadata.namespace}/${name}`] : []
}
