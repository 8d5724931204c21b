/**
 * Events about objects, as `kubectl describe` shows them: written in the background, the same event counted instead of
 * repeated. Losing one is acceptable, blocking or failing a controller for one is not: both limits are named here.
 */
import { randomBytes } from 'node:crypto'
import type { KubeObject } from '../api/object.ts'
import { isNotFound } from '../api/status.ts'
import type { Event } from '../api/types.ts'
import { type Clock, timestamp } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { events } from '../client/resources.ts'
import { createEventBudget } from './event-budget.ts'
import type { EventToRecord } from './reconciler.ts'

/** Events waiting to be written; more are dropped, with one line in the log for each run of drops. */
const MAX_WAITING = 2_000
/** Distinct events remembered for counting. */
const MAX_REMEMBERED = 4_096
/** An event seen again after this time is a new one. */
const COUNT_WINDOW_MS = 10 * 60_000
const PARALLEL_WRITES = 4

export interface EventRecorder {
  record(object: KubeObject, event: EventToRecord): void
  /** Resolves when everything recorded so far was written or given up. */
  flush(): Promise<void>
}

interface Remembered {
  name: string
  namespace: string
  count: number
  lastMs: number
  /** The create, so that a count never overtakes it. */
  written: Promise<unknown>
}

export function createEventRecorder(options: { client: Client; clock: Clock; log: Log; instance: string }): EventRecorder {
  const { client, clock, log, instance } = options
  const remembered = new Map<string, Remembered>()
  const waiting: (() => Promise<void>)[] = []
  const writers = new Set<Promise<void>>()
  const budget = createEventBudget(clock)
  let dropping = false

  function enqueue(write: () => Promise<void>): boolean {
    if (waiting.length >= MAX_WAITING) {
      if (!dropping) log.warn('events are dropped: too many wait to be written', { limit: MAX_WAITING })
      dropping = true
      return false
    }
    dropping = false
    waiting.push(write)
    if (writers.size < PARALLEL_WRITES) {
      const writer = drain().finally(() => writers.delete(writer))
      writers.add(writer)
    }
    return true
  }

  async function drain(): Promise<void> {
    for (let write = waiting.shift(); write; write = waiting.shift()) {
      await write().catch((error: unknown) => {
        // An event for a namespace that is going away is refused; that is as it should be.
        log.debug('event not written', { error: (error as Error).message })
      })
    }
  }

  function remember(key: string, entry: Remembered): void {
    remembered.delete(key)
    remembered.set(key, entry)
    if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string)
  }

  return {
    record(object, { type, reason, message, source = instance, host, fieldPath }) {
      if (!budget.take(source, object.metadata.uid ?? '')) return
      const key = [object.metadata.uid, type, reason, message, source, fieldPath].join('\u0000')
      const known = remembered.get(key)
      if (known && clock.now() - known.lastMs < COUNT_WINDOW_MS) {
        known.count += 1
        known.lastMs = clock.now()
        remember(key, known)
        const { count, name, namespace } = known
        enqueue(async () => {
          await known.written
          await client
            .patch(events, name, 'merge', { count, lastTimestamp: timestamp(clock) }, { namespace })
            .catch((error: unknown) => {
              if (!isNotFound(error)) throw error
              remembered.delete(key)
            })
        })
        return
      }
      const event = toEvent(
        object,
        { type, reason, message, source, ...(host && { host }), ...(fieldPath && { fieldPath }) },
        clock,
        instance,
      )
      let settle: (value?: unknown) => void = () => {}
      const written = new Promise((resolve) => {
        settle = resolve
      })
      const accepted = enqueue(() =>
        client.create(events, event).then(settle, (error: unknown) => {
          remembered.delete(key)
          settle()
          throw error
        }),
      )
      if (!accepted) return
      const { name = '', namespace = '' } = event.metadata
      remember(key, { name, namespace, count: 1, lastMs: clock.now(), written })
    },
    async flush() {
      while (writers.size > 0) await Promise.all(writers)
    },
  }
}

function toEvent(object: KubeObject, event: EventToRecord & { source: string }, clock: Clock, instance: string): Event {
  const { name = '', namespace = 'default', uid, resourceVersion } = object.metadata
  const now = timestamp(clock)
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
    involvedObject: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      namespace: object.metadata.namespace,
      uid,
      resourceVersion,
      ...(event.fieldPath && { fieldPath: event.fieldPath }),
    },
    type: event.type,
    reason: event.reason,
    message: event.message,
    source: { component: event.source, ...(event.host && { host: event.host }) },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    reportingComponent: event.source,
    reportingInstance: event.host ?? instance,
  }
}
