/** Chooses an endpoint for a connection: in turn, or the one its client had before. Knows neither sockets nor the API. */
import type { Clock } from '../base/clock.ts'
import type { Target } from './endpoint-set.ts'

/** Clients remembered per Service port; the one that came longest ago is forgotten first. */
const MAX_AFFINE_CLIENTS = 10_000

export interface Balancer {
  /** `undefined` when every target was tried. `affinityMs` is how long a client keeps its endpoint; absent: it does not. */
  pick(targets: readonly Target[], client: string, tried: readonly Target[], affinityMs?: number): Target | undefined
  /** The client was connected to `target` and stays with it. */
  remember(client: string, target: Target): void
}

export function createBalancer(clock: Clock): Balancer {
  let turn = 0
  const affine = new Map<string, { key: string; since: number }>()
  return {
    pick(targets, client, tried, affinityMs) {
      const last = affinityMs === undefined ? undefined : affine.get(client)
      if (last && affinityMs !== undefined && clock.monotonic() - last.since < affinityMs) {
        const same = targets.find((target) => target.key === last.key)
        if (same && !wasTried(tried, same)) return same
      }
      for (let i = 0; i < targets.length; i++) {
        const target = targets[turn++ % targets.length]
        if (target && !wasTried(tried, target)) return target
      }
      return undefined
    },
    remember(client, target) {
      affine.delete(client)
      affine.set(client, { key: target.key, since: clock.monotonic() })
      if (affine.size <= MAX_AFFINE_CLIENTS) return
      for (const oldest of affine.keys()) {
        affine.delete(oldest)
        break
      }
    },
  }
}

function wasTried(tried: readonly Target[], target: Target): boolean {
  return tried.some(({ key }) => key === target.key)
}
