/** Which endpoints of a Service are ready, from the cache of EndpointSlices. */
import type { EndpointSlice, Service } from '../../api/types.ts'
import type { Informer } from '../../watch/informer.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'
const INDEX = 'requires/service'

export interface Place {
  address: string
  port: number
}

/** Services are named by their keys, `namespace/name`. */
export class ServiceEndpoints {
  readonly #services: Informer<Service>
  readonly #slices: Informer<EndpointSlice>

  constructor(services: Informer<Service>, slices: Informer<EndpointSlice>) {
    this.#services = services
    this.#slices = slices
    slices.store.addIndex(INDEX, (slice) => [keyOfSlice(slice)])
  }

  /** How many endpoints of the Service are ready. */
  ready(key: string): number {
    let count = 0
    for (const slice of this.#slices.store.byIndex(INDEX, key)) count += slice.endpoints?.filter(isReady).length ?? 0
    return count
  }

  /** Where the ready endpoints listen for a port of the Service; undefined where there is no such Service. */
  places(key: string, port: number): Place[] | undefined {
    const service = this.#services.store.get(key)
    if (!service || service.spec?.type === 'ExternalName') return undefined
    const wanted = service.spec?.ports?.find((one) => one.port === port)
    if (!wanted) return []
    return this.#slices.store.byIndex(INDEX, key).flatMap((slice) => {
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
