/** From the word a requirement uses for a kind to the resource that is served for it. */

import type { KubeObject } from '../../api/object.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import { createDiscovery } from '../../client/discovery.ts'

export interface Kinds {
  /** Undefined for a kind that is not served (yet). */
  find(word: string): Promise<ResourceRef<KubeObject> | undefined>
  /** Something was defined or taken away: the next question asks the server again. */
  refresh(): void
}

const known = new WeakMap<Client, Kinds>()

/** A word that means nothing may mean something soon: the server is asked again, but not more often than this. */
const ASK_AGAIN_MS = 1_000

/** One for each client: the server is asked once for all of them. */
export function resourcesOf(client: Client, clock: Clock): Kinds {
  let kinds = known.get(client)
  if (!kinds) {
    const discovery = createDiscovery(client.transport)
    let askedMs = Number.NEGATIVE_INFINITY
    kinds = {
      async find(word) {
        const found = await discovery.find(word)
        if (found || clock.monotonic() - askedMs < ASK_AGAIN_MS) return found as ResourceRef<KubeObject> | undefined
        askedMs = clock.monotonic()
        discovery.refresh()
        return (await discovery.find(word)) as ResourceRef<KubeObject> | undefined
      },
      refresh: () => discovery.refresh(),
    }
    known.set(client, kinds)
  }
  return kinds
}
