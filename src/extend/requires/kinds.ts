/** From the word a requirement uses for a kind to the resource that is served for it. */

import type { KubeObject } from '../../api/object.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import { createDiscovery } from '../../client/discovery.ts'

export interface Kinds {
  /** Undefined for a kind that is not served (yet). */
  find(word: string): Promise<ResourceRef<KubeObject> | undefined>
  /** Something was defined or taken away: the next question asks the server again. */
  refresh(): void
}

const known = new WeakMap<Client, Kinds>()

/** One for each client: the server is asked once for all of them. */
export function resourcesOf(client: Client): Kinds {
  let kinds = known.get(client)
  if (!kinds) {
    const discovery = createDiscovery(client.transport)
    kinds = {
      find: async (word) => (await discovery.find(word)) as ResourceRef<KubeObject> | undefined,
      refresh: () => discovery.refresh(),
    }
    known.set(client, kinds)
  }
  return kinds
}
