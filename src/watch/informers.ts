/** One shared informer for each resource (and namespace), started by whoever asks first. */
import type { KubeObject } from '../api/object.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client, ResourceRef } from '../client/client.ts'
import { createInformer } from './create-informer.ts'
import type { Informer } from './informer.ts'

export interface Informers {
  get<T extends KubeObject>(resource: ResourceRef<T>, options?: { namespace?: string }): Informer<T>
  /** Resolves when everything asked for so far has listed once. */
  whenSynced(): Promise<void>
}

export function createInformers(options: { client: Client; clock: Clock; log: Log; signal: AbortSignal }): Informers {
  const known = new Map<string, Informer>()
  return {
    get<T extends KubeObject>(resource: ResourceRef<T>, { namespace }: { namespace?: string } = {}) {
      const key = `${resource.group}/${resource.version}/${resource.plural}/${namespace ?? ''}`
      let informer = known.get(key)
      if (!informer) {
        informer = createInformer<T>({ ...options, resource, ...(namespace && { namespace }) }) as unknown as Informer
        known.set(key, informer)
      }
      return informer as unknown as Informer<T>
    },
    async whenSynced() {
      // Informers may be asked for while others sync.
      for (let waited = 0; waited < known.size; ) {
        waited = known.size
        await Promise.all([...known.values()].map((informer) => informer.whenSynced()))
      }
    },
  }
}
