/** Waits on watches: what objects are now, and the next change of any of them. Knows no kind. */
import type { KubeObject } from '../api/object.ts'
import type { Clock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import type { Client, ResourceRef } from '../client/client.ts'
import { createInformer } from '../watch/create-informer.ts'
import type { Informer } from '../watch/informer.ts'

export interface Follower {
  /** Follows the collection; resolves once it has been listed. */
  add<T extends KubeObject>(resource: ResourceRef<T>): Promise<Informer<T>>
  /** Resolves at the next change, after `forMs`, or when the signal aborts; at once when something changed since the last call. */
  changed(forMs: number, signal?: AbortSignal): Promise<void>
  /** Called by `stop` as well. */
  alsoStop(stop: () => void): void
  stop(): void
}

export function createFollower(options: { client: Client; clock: Clock; namespace: string }): Follower {
  const { client, clock, namespace } = options
  const stopping = new AbortController()
  const stops: (() => void)[] = []
  let isDirty = false
  let wake: (() => void) | undefined
  return {
    async add<T extends KubeObject>(resource: ResourceRef<T>) {
      // Reading first gives the caller the server's refusal, where an informer would only try again.
      await client.list(resource, { namespace, limit: 1 })
      const informer = createInformer<T>({ client, clock, namespace, resource, log: silentLog, signal: stopping.signal })
      await informer.whenSynced()
      stops.push(
        informer.subscribe(() => {
          isDirty = true
          wake?.()
        }),
      )
      return informer
    },
    async changed(forMs, signal) {
      if (!isDirty && !signal?.aborted) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(forMs, done)
          function done() {
            cancel()
            signal?.removeEventListener('abort', done)
            wake = undefined
            resolve()
          }
          wake = done
          signal?.addEventListener('abort', done, { once: true })
        })
      }
      isDirty = false
    },
    alsoStop: (stop) => stops.push(stop),
    stop() {
      for (const stop of stops) stop()
      stopping.abort(new Error('no longer followed'))
    },
  }
}

/** Whichever of two versions of an object is the later one; `b` when that cannot be told. */
export function laterOf<T extends KubeObject>(a: T, b: T): T {
  const [left, right] = [a.metadata.resourceVersion ?? '', b.metadata.resourceVersion ?? '']
  if (!/^[0-9]+$/.test(left) || !/^[0-9]+$/.test(right)) return b
  return BigInt(left) > BigInt(right) ? a : b
}
