/** What stands behind one port of a Service, as the proxies see it: a choice of targets. Knows no sockets. */
import type { Service } from '../api/types.ts'
import type { Clock } from '../base/clock.ts'
import { createBalancer } from './balancer.ts'
import type { Target } from './endpoint-set.ts'
import type { EndpointsView } from './endpoints-view.ts'

const DEFAULT_AFFINITY_SECONDS = 10_800

/** Where the API server itself listens; its Service leads there, whatever its slices say. */
export interface ApiServerAddress {
  host: string
  port: number
}

export interface Backend {
  /** `namespace/name`. */
  readonly service: string
  /** The next target for a client, leaving out those tried; `undefined` when there is none. */
  pick(client: string, tried: readonly Target[]): Target | undefined
  /** `target` took the client's connection. */
  chosen(client: string, target: Target): void
}

/** `service` and `portName` are read at every choice, so that a change counts at once. */
export function createBackend(options: {
  key: string
  service: () => Service | undefined
  portName: () => string
  protocol: string
  view: EndpointsView
  clock: Clock
}): Backend {
  const { key, view, protocol } = options
  const balancer = createBalancer(options.clock)
  const affinityMs = () => {
    const spec = options.service()?.spec
    if (spec?.sessionAffinity !== 'ClientIP') return undefined
    return (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS) * 1000
  }
  return {
    service: key,
    pick: (client, tried) => balancer.pick(view.targets(key, options.portName(), protocol), client, tried, affinityMs()),
    chosen(client, target) {
      if (affinityMs() !== undefined) balancer.remember(client, target)
    },
  }
}

/** One fixed target. */
export function fixedBackend(service: string, { host, port }: ApiServerAddress): Backend {
  const target = { key: `${host}:${port}`, address: host, port }
  return { service, pick: (_, tried) => (tried.length === 0 ? target : undefined), chosen: () => {} }
}
