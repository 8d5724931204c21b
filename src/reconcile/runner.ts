/** Runs reconcilers: one queue and a few workers each, retries with back-off, an awaited stop. */

import { setMaxListeners } from 'node:events'
import type { KubeObject } from '../api/object.ts'
import { isConflict } from '../api/status.ts'
import { type Backoff, createBackoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client, ResourceRef } from '../client/client.ts'
import { createInformers, type Informers } from '../watch/informers.ts'
import { createWorkQueue, type WorkQueue } from './queue.ts'
import type { ReconcileContext, Reconciler, Runner } from './reconciler.ts'
import { createEventRecorder, type EventRecorder } from './recorder.ts'

const DEFAULT_CONCURRENCY = 5
const RETRY_INITIAL_MS = 5
const RETRY_MAX_MS = 60_000
/** Failures in a row before they are worth a warning; before that a stale cache is the usual reason. */
const QUIET_FAILURES = 3

export interface RunnerOptions {
  client: Client
  clock: Clock
  log: Log
  reconcilers: readonly Reconciler[]
  /** Shared with others; the runner makes its own without it. */
  informers?: Informers
  signal?: AbortSignal
  /** Which program writes Events, for their `source.host` and `reportingInstance`. */
  instance?: string
  recorder?: EventRecorder
}

export function createRunner(options: RunnerOptions): Runner {
  const { client, clock, log } = options
  const stopping = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal
  // Every informer and every wait listens for the end.
  setMaxListeners(0, signal)
  const informers = options.informers ?? createInformers({ client, clock, log, signal })
  const recorder = options.recorder ?? createEventRecorder({ client, clock, log, instance: options.instance ?? 'skiff' })
  const queues: WorkQueue[] = []
  const workers: Promise<void>[] = []

  function contextFor(reconciler: Reconciler): ReconcileContext {
    const ownLog = log.named(reconciler.name)
    return {
      client,
      clock,
      log: ownLog,
      signal,
      informer: <T extends KubeObject>(resource: ResourceRef<T>) => informers.get(resource),
      event: (object, event) => recorder.record(object, { source: reconciler.name, ...event }),
    }
  }

  return {
    async start() {
      const prepared = options.reconcilers.map((reconciler) => {
        const queue = createWorkQueue(clock)
        queues.push(queue)
        const context = contextFor(reconciler)
        reconciler.setup(context, (key, { afterMs = 0 } = {}) => queue.addAfter(key, afterMs))
        return { reconciler, queue, context }
      })
      await informers.whenSynced()
      for (const { reconciler, queue, context } of prepared) {
        for (let i = 0; i < (reconciler.concurrency ?? DEFAULT_CONCURRENCY); i++) workers.push(work(reconciler, queue, context))
      }
    },
    async stop() {
      stopping.abort(new Error('the runner was stopped'))
      for (const queue of queues) queue.close()
      await Promise.all(workers)
      await recorder.flush()
    },
  }
}

async function work(reconciler: Reconciler, queue: WorkQueue, context: ReconcileContext): Promise<void> {
  const failures = retriesOf(queue)
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      const result = await reconciler.reconcile(key, context)
      failures.delete(key)
      if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs)
    } catch (error) {
      if (!context.signal.aborted) retry(key, error, queue, failures, context)
    } finally {
      queue.done(key)
    }
  }
}

type Retries = Map<string, { count: number; backoff: Backoff }>
const retries = new WeakMap<WorkQueue, Retries>()

/** Workers of one queue share the count: the next try may fall to another worker. */
function retriesOf(queue: WorkQueue): Retries {
  let known = retries.get(queue)
  if (!known) {
    known = new Map()
    retries.set(queue, known)
  }
  return known
}

function retry(key: string, error: unknown, queue: WorkQueue, failures: Retries, context: ReconcileContext): void {
  const failed = failures.get(key) ?? {
    count: 0,
    backoff: createBackoff({ initialMs: RETRY_INITIAL_MS, maxMs: RETRY_MAX_MS }),
  }
  failed.count += 1
  failures.set(key, failed)
  const delayMs = failed.backoff.next()
  if (failed.count > QUIET_FAILURES || !isConflict(error)) {
    const level = failed.count > QUIET_FAILURES ? 'warn' : 'info'
    context.log[level]('reconcile failed, will retry', { key, attempt: failed.count, error: (error as Error).message })
  }
  queue.addAfter(key, delayMs)
}
