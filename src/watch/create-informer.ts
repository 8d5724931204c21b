/**
 * List, then watch, then list again when the watch is lost: the state machine of an informer.
 * What it promises: after `whenSynced` the cache is a state the collection really had, and it only moves forward.
 */
import type { KubeObject, WatchEvent } from '../api/object.ts'
import { isExpired } from '../api/status.ts'
import { type Backoff, createBackoff } from '../base/backoff.ts'
import { type Clock, delay } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client, ResourceRef } from '../client/client.ts'
import { ObjectCache } from './cache.ts'
import { type Change, type Informer, keyOf } from './informer.ts'

/** Empty: nothing known. Listing: a list is under way. Watching: the cache follows from `resourceVersion`. */
type WatchState = { name: 'Empty' } | { name: 'Listing' } | { name: 'Watching'; resourceVersion: string } | { name: 'Stopped' }

const RETRY_INITIAL_MS = 50
const RETRY_MAX_MS = 10_000

export interface InformerOptions<T> {
  client: Client
  resource: ResourceRef<T>
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  clock: Clock
  log: Log
  signal: AbortSignal
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: the states of one machine, which share what they close over; none is longer than a screen.
export function createInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const { client, resource, clock, log, signal } = options
  const cache = new ObjectCache<T>()
  const listeners = new Set<(change: Change<T>) => void>()
  const backoff: Backoff = createBackoff({ initialMs: RETRY_INITIAL_MS, maxMs: RETRY_MAX_MS, jitter: 0.2 })
  const selection = {
    namespace: options.namespace,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    signal,
  }
  let state: WatchState = { name: 'Empty' }
  let synced = false
  const waiters: { resolve: () => void; reject: (reason: unknown) => void }[] = []

  function emit(change: Change<T>): void {
    for (const listener of listeners) listener(change)
  }

  function put(object: T): void {
    const old = cache.set(object)
    if (old?.metadata.resourceVersion !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return
    emit({ key: keyOf(object), object, old })
  }

  function remove(key: string): void {
    const old = cache.delete(key)
    if (old) emit({ key, object: undefined, old })
  }

  async function list(): Promise<string> {
    const answer = await client.list(resource, selection)
    const present = new Set<string>()
    for (const object of answer.items) {
      present.add(keyOf(object))
      put(object)
    }
    for (const key of [...cache.keys()]) if (!present.has(key)) remove(key)
    return answer.metadata.resourceVersion ?? '0'
  }

  /** Follows until the server ends the watch; returns where to go on. */
  async function follow(from: string): Promise<string> {
    let position = from
    for await (const batch of client.watch(resource, { ...selection, resourceVersion: from, allowBookmarks: true })) {
      for (const event of batch) {
        apply(event)
        position = event.object.metadata.resourceVersion ?? position
      }
      backoff.reset()
    }
    return position
  }

  function apply(event: WatchEvent<T>): void {
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        put(event.object)
        break
      case 'DELETED':
        remove(keyOf(event.object))
        break
      case 'BOOKMARK':
      case 'ERROR':
        break
    }
  }

  async function step(): Promise<WatchState> {
    switch (state.name) {
      case 'Empty':
        return { name: 'Listing' }
      case 'Listing': {
        const resourceVersion = await list()
        markSynced()
        return { name: 'Watching', resourceVersion }
      }
      case 'Watching':
        return { name: 'Watching', resourceVersion: await follow(state.resourceVersion) }
      case 'Stopped':
        return state
    }
  }

  function markSynced(): void {
    if (synced) return
    synced = true
    for (const waiter of waiters.splice(0)) waiter.resolve()
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const before = state
      try {
        state = await step()
        // A server that ends watches at once must not be asked in a tight loop.
        if (before.name === 'Watching' && state.name === 'Watching' && before.resourceVersion === state.resourceVersion) {
          await delay(clock, backoff.next(), signal)
        }
      } catch (error) {
        if (signal.aborted) break
        if (!isExpired(error)) {
          log.warn('list and watch failed, will retry', { resource: resource.plural, error: (error as Error).message })
          await delay(clock, backoff.next(), signal).catch(() => {})
        }
        state = before.name === 'Watching' && !isExpired(error) ? before : { name: 'Listing' }
      }
    }
    state = { name: 'Stopped' }
    for (const waiter of waiters.splice(0)) waiter.reject(signal.reason)
  }

  void run()
  return {
    store: cache,
    get synced() {
      return synced
    },
    whenSynced(waitSignal) {
      if (synced) return Promise.resolve()
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const aborted = () => reject(waitSignal?.reason)
        const settled = () => waitSignal?.removeEventListener('abort', aborted)
        waitSignal?.addEventListener('abort', aborted, { once: true })
        waiters.push({
          resolve: () => {
            settled()
            resolve()
          },
          reject,
        })
      })
    },
    subscribe(listener) {
      for (const object of cache.list()) listener({ key: keyOf(object), object, old: undefined })
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
