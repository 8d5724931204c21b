/** The contract of every controller: a key comes in, the state is read, the world is moved one step. Knows no kind. */

import type { KubeObject } from '../api/object.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client, ResourceRef } from '../client/client.ts'
import type { Informer } from '../watch/informer.ts'

export interface Reconciler {
  readonly name: string
  /** Parallel keys; one key is never reconciled twice at once. */
  readonly concurrency?: number
  /** Subscribes to informers and maps their changes to keys with `enqueue`. Called once, before the first reconcile. */
  setup(context: ReconcileContext, enqueue: Enqueue): void
  /**
   * Makes the world match what `key` asks for. Returns when to look again, or nothing.
   * A thrown error is logged and retried with back-off (a Conflict is retried quietly).
   */
  reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult | undefined | void>
}

export type Enqueue = (key: string, options?: { afterMs?: number }) => void

export interface ReconcileResult {
  requeueAfterMs?: number
}

export interface ReconcileContext {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  /** The shared informer of a resource; the first asker starts it. */
  informer<T extends KubeObject>(resource: ResourceRef<T>): Informer<T>
  /** Records an Event about an object; same events within a while are counted, not repeated. Never throws. */
  event(object: KubeObject, event: EventToRecord): void
}

export interface EventToRecord {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
  /** The acting component, e.g. `deployment-controller`; the reconciler's name by default. */
  source?: string
  /** The host the component acts on, where there is one (a node agent's). */
  host?: string
  /** The part of the object that is meant, e.g. `spec.containers{web}`. */
  fieldPath?: string
}

/** Runs reconcilers until stopped. */
export interface Runner {
  /** Resolves when every informer has synced and all workers run. */
  start(): Promise<void>
  /** Stops taking keys, waits for those at work. */
  stop(): Promise<void>
}
