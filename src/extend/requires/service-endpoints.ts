/** Which endpoints of a Service are ready, from the cache of EndpointSlices. */
import type { EndpointSlice, Service } from '../../api/types.ts'
import type { Informer } from '../../watch/informer.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'
const INDEX = 'requires/service'

export interface Place {
  address: string
  port: number
}

export class ServiceEndpoints {
  readonly #services: Informer<Service>
  readonly #slices: Informer<EndpointSlice>

  constructor(services: Informer<Service>, slices: Informer<EndpointSlice>) {
    this.#services = services
    this.#slices = slices
    slices.store.addIndex(INDEX, (slice) => [keyOfSlice(slice)])
  }

  service(namespace: string, name: string): Service | undefined {
    return this.#services.store.get(`${namespace}/${name}`)
  }

  /** How many endpoints are ready. */
  ready(namespace: string, name: string): number {
    let count = 0
    for (const slice of this.#slices.store.byIndex(INDEX, `${namespace}/${name}`))
      count += slice.endpoints?.filter(isReady).length ?? 0
    return count
  }

  /** Where the ready endpoints listen for a port of the Service; undefined where there is no such Service. */
  places(namespace: string, name: string, port: number): Place[] | undefined {
    const service = this.service(namespace, name)
    if (!service || service.spec?.type === 'ExternalName') return undefined
    const wanted = service.spec?.ports?.find((one) => one.port === port)
    if (!wanted) return []
    return this.#slices.store.byIndex(INDEX, `${namespace}/${name}`).flatMap((slice) => {
      const target = slice.ports?.find((one) => (one.name ?? '') === (wanted.name ?? ''))?.port
      if (target === undefined) return []
      return (slice.endpoints ?? [])
        .filter(isReady)
        .flatMap(({ addresses }) => addresses.map((address) => ({ address, port: target })))
    })
  }
}

/** `namespace/service` of a slice. */
export function keyOfSlice({ metadata }: EndpointSlice): string {
  return `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`
}

function isReady({ conditions }: NonNullable<EndpointSlice['endpoints']>[number]): boolean {
  return conditions?.ready !== false && conditions?.terminating !== true
}
