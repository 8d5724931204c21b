/**
 * Keeps as many pods as an owner asks for: the controller behind ReplicaSets and ReplicationControllers.
 * It counts by the cache only, and only once the cache shows what it did last (expectations).
 */

import { isConflict, isNotFound } from '../../api/status.ts'
import type { Pod } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { pods as podResource } from '../../client/resources.ts'
import type { Enqueue, ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import type { Cache, Change } from '../../watch/informer.ts'
import { performClaims, planClaims } from '../parts/adoption.ts'
import { inGrowingBatches, inParallel } from '../parts/batches.ts'
import { createExpectations, type Expectations } from '../parts/expectations.ts'
import { isNamespaceTerminating, messageOf } from '../parts/failures.ts'
import { createFreshness } from '../parts/freshness.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import { controllerKey, controllerOf, indexByController, ownedBy, uncontrolledIn } from '../parts/owners.ts'
import { createPace, type Pace } from '../parts/pace.ts'
import { podFromTemplate } from '../parts/pod-template.ts'
import { isActive, isTerminating } from '../parts/pods.ts'
import type { ReplicaKind, ReplicaOwner } from './kind.ts'
import { planReplicas, planStatus, type ReplicasFailure, type ReplicasPlan } from './plan.ts'
import { changesReplicas } from './pod-changes.ts'

export function replicasReconciler<T extends ReplicaOwner>(kind: ReplicaKind<T>): Reconciler {
  let engine: Engine<T> | undefined
  return {
    name: kind.name,
    setup(context, enqueue) {
      engine = new Engine(kind, context, enqueue)
      engine.subscribe()
    },
    reconcile: (key) => engine!.reconcile(key),
  }
}

class Engine<T extends ReplicaOwner> {
  readonly #kind: ReplicaKind<T>
  readonly #context: ReconcileContext
  readonly #enqueue: Enqueue
  readonly #expectations: Expectations
  readonly #pace: Pace
  readonly #written = createFreshness()
  readonly #owners: Cache<T>
  readonly #pods: Cache<Pod>

  constructor(kind: ReplicaKind<T>, context: ReconcileContext, enqueue: Enqueue) {
    this.#kind = kind
    this.#context = context
    this.#enqueue = enqueue
    this.#expectations = createExpectations(context.clock)
    this.#pace = createPace(context.clock, enqueue)
    this.#owners = context.informer(kind.resource).store
    this.#pods = context.informer(podResource).store
    indexByController(this.#owners)
    indexByController(this.#pods)
  }

  subscribe(): void {
    const { context, kind } = { context: this.#context, kind: this.#kind }
    context.informer(kind.resource).subscribe(({ key, object, old }) => {
      if (old && object?.metadata.uid !== old.metadata.uid) {
        this.#expectations.forget(key)
        this.#written.forget(old)
      }
      // Its own status comes back too and is looked at, in time: it may have been decided on an older cache.
      if (
        object &&
        old &&
        object.metadata.generation === old.metadata.generation &&
        sameJson(metadataOf(object), metadataOf(old))
      )
        this.#pace.touch(key)
      else this.#enqueue(key)
    })
    context.informer(podResource).subscribe((change) => this.#podChanged(change))
  }

  #podChanged({ object, old }: Change<Pod>): void {
    if (object && old && object.metadata.uid !== old.metadata.uid) {
      this.#podChanged({ key: '', object: undefined, old })
      this.#podChanged({ key: '', object, old: undefined })
      return
    }
    if (object && !old) this.#appeared(object)
    else if (object && old) this.#updated(object, old)
    else if (old) this.#vanished(old)
  }

  #appeared(pod: Pod): void {
    const key = controllerKey(pod, this.#kind.resource, this.#owners)
    if (key) {
      const met = pod.metadata.deletionTimestamp === undefined && this.#expectations.creationObserved(key)
      if (met) this.#enqueue(key)
      else this.#pace.touch(key)
    } else this.#offer(pod)
  }

  #updated(pod: Pod, old: Pod): void {
    const key = controllerKey(pod, this.#kind.resource, this.#owners)
    const former = controllerOf(old)?.uid === controllerOf(pod)?.uid ? key : controllerKey(old, this.#kind.resource, this.#owners)
    if (former && former !== key) this.#enqueue(former)
    if (!key) {
      if (controllerOf(old) || !sameJson(pod.metadata.labels, old.metadata.labels)) this.#offer(pod)
      return
    }
    if (pod.metadata.deletionTimestamp !== undefined && this.#expectations.deletionObserved(key, pod.metadata.uid ?? ''))
      this.#enqueue(key)
    else if (changesReplicas(pod, old)) this.#pace.touch(key)
  }

  #vanished(pod: Pod): void {
    const key = controllerKey(pod, this.#kind.resource, this.#owners)
    if (!key) return
    if (this.#expectations.deletionObserved(key, pod.metadata.uid ?? '')) this.#enqueue(key)
    else this.#pace.touch(key)
  }

  /** A pod without controller: whoever selects it may adopt it. */
  #offer(pod: Pod): void {
    if (controllerOf(pod) || pod.metadata.deletionTimestamp !== undefined) return
    for (const owner of this.#owners.list(pod.metadata.namespace)) {
      if (this.#kind.selectorOf(owner).matches(pod.metadata.labels))
        this.#enqueue(`${owner.metadata.namespace}/${owner.metadata.name}`)
    }
  }

  async reconcile(key: string): Promise<ReconcileResult | undefined> {
    const owner = this.#owners.get(key)
    if (!owner) {
      this.#expectations.forget(key)
      this.#pace.forget(key)
      return undefined
    }
    if (this.#written.isStale(owner)) return undefined
    const all = ownedBy(this.#pods, owner.metadata.uid)
    this.#pace.begin(key, all.length)
    const upToDate = this.#expectations.satisfied(key)
    const mine = await this.#claim(owner, all.filter(isActive))
    const step =
      upToDate && owner.metadata.deletionTimestamp === undefined ? await this.#step(key, owner, mine) : { failure: undefined }
    const nextMs = await this.#report(owner, mine, all, step.failure)
    if (step.error !== undefined) throw step.error
    return nextMs === undefined ? undefined : { requeueAfterMs: nextMs }
  }

  async #claim(owner: T, owned: readonly Pod[]): Promise<readonly Pod[]> {
    const free = uncontrolledIn(this.#pods, owner.metadata.namespace).filter(isActive)
    const claims = planClaims(owner, this.#kind.selectorOf(owner), owned, free)
    return performClaims(this.#context.client, owner, this.#kind.resource, podResource, claims)
  }

  async #step(key: string, owner: T, mine: readonly Pod[]): Promise<{ failure: ReplicasFailure | undefined; error?: unknown }> {
    const related = () =>
      this.#kind
        .relatives(owner, this.#owners)
        .flatMap((relative) => ownedBy(this.#pods, relative.metadata.uid))
        .filter(isActive)
    const plan = planReplicas(owner.spec?.replicas ?? 1, mine, related, this.#context.clock.now())
    try {
      await this.#perform(key, owner, plan)
      return { failure: undefined }
    } catch (error) {
      if (isNamespaceTerminating(error)) return { failure: undefined }
      const reason = plan.action === 'delete' ? 'FailedDelete' : 'FailedCreate'
      return { failure: { reason, message: messageOf(error) }, error }
    }
  }

  async #perform(key: string, owner: T, plan: ReplicasPlan): Promise<void> {
    switch (plan.action) {
      case 'none':
        return
      case 'create': {
        this.#expectations.expectCreations(key, plan.count)
        const { succeeded, error } = await inGrowingBatches(plan.count, () => this.#create(owner))
        for (let missing = plan.count - succeeded; missing > 0; missing--) this.#expectations.creationObserved(key)
        if (error !== undefined) throw error
        return
      }
      case 'delete':
        this.#expectations.expectDeletions(
          key,
          plan.pods.map((pod) => pod.metadata.uid ?? ''),
        )
        await inParallel(plan.pods, (pod) => this.#delete(key, owner, pod))
    }
  }

  async #create(owner: T): Promise<void> {
    const { client } = this.#context
    try {
      const pod = await client.create(podResource, podFromTemplate(owner, this.#kind.resource, owner.spec?.template))
      this.#record(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    } catch (error) {
      if (!isNamespaceTerminating(error)) this.#record(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
      throw error
    }
  }

  async #delete(key: string, owner: T, pod: Pod): Promise<void> {
    const { name = '', namespace, uid = '' } = pod.metadata
    try {
      await this.#context.client.delete(podResource, name, { namespace, preconditions: { uid } })
      this.#record(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
    } catch (error) {
      this.#expectations.deletionObserved(key, uid)
      // Gone, or another pod by that name: what was asked for holds.
      if (isNotFound(error) || isConflict(error)) return
      this.#record(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
      throw error
    }
  }

  /** Writes the status if it changed; gives when it will change by time alone. */
  async #report(
    owner: T,
    mine: readonly Pod[],
    all: readonly Pod[],
    failure: ReplicasFailure | undefined,
  ): Promise<number | undefined> {
    const { client, clock } = this.#context
    const { status, nextAvailableMs } = planStatus({
      pods: mine,
      terminating: this.#kind.reportsTerminating ? all.filter(isTerminating).length : undefined,
      templateLabels: owner.spec?.template?.metadata?.labels ?? {},
      minReadySeconds: owner.spec?.minReadySeconds ?? 0,
      generation: owner.metadata.generation,
      failure,
      conditions: owner.status?.conditions ?? [],
      nowMs: clock.now(),
      now: timestamp(clock),
    })
    if (!sameStatus(status, owner.status)) {
      try {
        this.#written.wrote(await client.updateStatus(this.#kind.resource, { ...copyOf(owner), status } as T))
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
    return nextAvailableMs
  }

  #record(owner: T, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.event(owner, { type, reason, message })
  }
}

/** What of the metadata matters to this controller besides the generation. */
function metadataOf({ metadata }: ReplicaOwner): unknown {
  return [metadata.uid, metadata.deletionTimestamp, metadata.labels, metadata.ownerReferences]
}

/** Zero and absent are the same count. */
function sameStatus(status: NonNullable<ReplicaOwner['status']>, old: ReplicaOwner['status']): boolean {
  if (!old) return false
  const counts = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'] as const
  return (
    counts.every((count) => (status[count] ?? 0) === (old[count] ?? 0)) &&
    status.terminatingReplicas === old.terminatingReplicas &&
    sameJson(status.conditions ?? [], old.conditions ?? [])
  )
}
