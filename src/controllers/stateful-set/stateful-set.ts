/** The StatefulSet controller: pods with names and storage of their own, made, replaced and removed in order. */

import { isAlreadyExists, isConflict, isNotFound } from '../../api/status.ts'
import type { ControllerRevision, Pod, StatefulSet, StatefulSetStatus } from '../../api/types.ts'
import { controllerRevisions, persistentVolumeClaims, pods as podResource, statefulSets } from '../../client/resources.ts'
import type { Enqueue, ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import { type Cache, type Change, keyOf } from '../../watch/informer.ts'
import { performClaims, planClaims } from '../parts/adoption.ts'
import { inParallel } from '../parts/batches.ts'
import { isNamespaceTerminating, messageOf } from '../parts/failures.ts'
import { createFreshness } from '../parts/freshness.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import { controllerKey, controllerOf, controllerReference, indexByController, ownedBy, uncontrolledIn } from '../parts/owners.ts'
import { dropRevision, planRevisions, REVISION_LABEL, revisionsToDrop, storeRevision, templateOf } from '../parts/revisions.ts'
import { compiledSelector } from '../parts/selectors.ts'
import { type PodRemoval, planSet, type SetObserved } from './plan.ts'
import { claimsOfSet, ordinalOf, podName, podOfSet } from './pod-of-set.ts'
import { setStatus } from './status.ts'

/** How a revision says which hash it has. */
const HASH_LABEL = 'controller.kubernetes.io/hash'

export function statefulSetController(): Reconciler {
  let controller: StatefulSetController | undefined
  return {
    name: 'statefulset-controller',
    setup(context, enqueue) {
      controller = new StatefulSetController(context)
      controller.subscribe(enqueue)
    },
    reconcile: (key) => controller!.reconcile(key),
  }
}

class StatefulSetController {
  readonly #context: ReconcileContext
  readonly #sets: Cache<StatefulSet>
  readonly #pods: Cache<Pod>
  readonly #revisions: Cache<ControllerRevision>
  readonly #written = createFreshness()

  constructor(context: ReconcileContext) {
    this.#context = context
    this.#sets = context.informer(statefulSets).store
    this.#pods = context.informer(podResource).store
    this.#revisions = context.informer(controllerRevisions).store
    for (const cache of [this.#pods, this.#revisions]) indexByController(cache)
    // Claims are looked up by name before they are created.
    context.informer(persistentVolumeClaims)
  }

  subscribe(enqueue: Enqueue): void {
    this.#context.informer(statefulSets).subscribe(({ key }) => enqueue(key))
    this.#context.informer(controllerRevisions).subscribe(({ object, old }) => this.#ownedChanged(object ?? old, enqueue))
    this.#context.informer(podResource).subscribe(({ object, old }: Change<Pod>) => {
      if (old) this.#ownedChanged(old, enqueue)
      if (object) this.#ownedChanged(object, enqueue)
      if (!object || controllerOf(object)) return
      for (const set of this.#sets.list(object.metadata.namespace)) if (this.#mayAdopt(set, object)) enqueue(keyOf(set))
    })
  }

  #ownedChanged(object: Pod | ControllerRevision | undefined, enqueue: Enqueue): void {
    const key = object && controllerKey(object, statefulSets, this.#sets)
    if (key) enqueue(key)
  }

  #mayAdopt(set: StatefulSet, pod: Pod): boolean {
    return ordinalOf(set, pod.metadata.name) !== undefined && compiledSelector(set.spec?.selector).matches(pod.metadata.labels)
  }

  async reconcile(key: string): Promise<ReconcileResult | undefined> {
    const set = this.#sets.get(key)
    if (!set || this.#written.isStale(set)) return undefined
    const mine = await this.#claim(set)
    const known = ownedBy(this.#revisions, set.metadata.uid)
    const collisionCount = set.status?.collisionCount ?? 0
    const history = planRevisions(set, statefulSets, set.spec?.template, known, { collisionCount, hashLabel: HASH_LABEL })
    const update = await storeRevision(this.#context.client, set, history)
    if (update === 'collision') {
      await this.#writeStatus(set, { ...set.status, replicas: set.status?.replicas ?? 0, collisionCount: collisionCount + 1 })
      return undefined
    }
    const revisions = [...history.others, update]
    const currentName = set.status?.currentRevision
    const current = revisions.find(({ metadata }) => metadata.name === currentName) ?? update
    const observed: SetObserved = {
      set,
      pods: mine,
      currentRevision: current.metadata.name ?? '',
      updateRevision: update.metadata.name ?? '',
      nowMs: this.#context.clock.now(),
    }
    const plan = planSet(observed)
    try {
      await this.#perform(set, plan.create, plan.remove, revisions)
    } finally {
      // Also what could not be done was seen, and is tried again.
      await this.#writeStatus(set, setStatus(observed, collisionCount))
    }
    await this.#dropHistory(set, mine, history.others, observed)
    return plan.nextAvailableMs === undefined ? undefined : { requeueAfterMs: plan.nextAvailableMs }
  }

  async #claim(set: StatefulSet): Promise<Pod[]> {
    const owned = ownedBy(this.#pods, set.metadata.uid)
    const free = uncontrolledIn(this.#pods, set.metadata.namespace).filter((pod) => this.#mayAdopt(set, pod))
    const claims = planClaims(set, compiledSelector(set.spec?.selector), owned, free)
    return performClaims(this.#context.client, set, statefulSets, podResource, claims)
  }

  async #perform(
    set: StatefulSet,
    create: readonly { ordinal: number; revision: string }[],
    remove: readonly PodRemoval[],
    revisions: readonly ControllerRevision[],
  ): Promise<void> {
    await inParallel(create, async ({ ordinal, revision }) => {
      const template = templateOf(revisions.find(({ metadata }) => metadata.name === revision)) ?? set.spec?.template
      await this.#create(set, ordinal, podOfSet(set, ordinal, template, revision))
    })
    await inParallel(remove, (removal) => this.#remove(set, removal))
  }

  async #create(set: StatefulSet, ordinal: number, pod: Pod): Promise<void> {
    const { client } = this.#context
    const name = podName(set, ordinal)
    try {
      await this.#createClaims(set, ordinal)
      await client.create(podResource, pod)
      this.#record(set, 'Normal', 'SuccessfulCreate', `create Pod ${name} in StatefulSet ${set.metadata.name} successful`)
    } catch (error) {
      // There already: the cache will show it.
      if (isAlreadyExists(error) || isNamespaceTerminating(error)) return
      const message = `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${messageOf(error)}`
      this.#record(set, 'Warning', 'FailedCreate', message)
      throw error
    }
  }

  async #createClaims(set: StatefulSet, ordinal: number): Promise<void> {
    const store = this.#context.informer(persistentVolumeClaims).store
    for (const claim of claimsOfSet(set, ordinal)) {
      if (store.get(keyOf(claim))) continue
      try {
        const { name } = await this.#context.client.create(persistentVolumeClaims, claim).then(({ metadata }) => metadata)
        const message = `create Claim ${name} Pod ${podName(set, ordinal)} in StatefulSet ${set.metadata.name} success`
        this.#record(set, 'Normal', 'SuccessfulCreate', message)
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
    }
  }

  async #remove(set: StatefulSet, { pod, why }: PodRemoval): Promise<void> {
    const { name = '', namespace, uid = '' } = pod.metadata
    if (why === 'failed' || why === 'succeeded') {
      const reason = why === 'failed' ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod'
      const state = why === 'failed' ? 'failed' : 'terminated'
      this.#record(set, 'Warning', reason, `StatefulSet ${namespace}/${set.metadata.name} is recreating ${state} Pod ${name}`)
    }
    if (why === 'scale') await this.#handOverClaims(set, pod)
    try {
      await this.#context.client.delete(podResource, name, { namespace, preconditions: { uid } })
      this.#record(set, 'Normal', 'SuccessfulDelete', `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`)
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return
      this.#record(
        set,
        'Warning',
        'FailedDelete',
        `delete Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${messageOf(error)}`,
      )
      throw error
    }
  }

  /** With `whenScaled: Delete`, the claims of a pod that is scaled away become its own, and go with it. */
  async #handOverClaims(set: StatefulSet, pod: Pod): Promise<void> {
    if (set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return
    const ordinal = ordinalOf(set, pod.metadata.name)
    if (ordinal === undefined) return
    const ownerReferences = [{ ...controllerReference(pod, podResource), controller: false, blockOwnerDeletion: true }]
    for (const { metadata } of claimsOfSet(set, ordinal)) {
      const { name = '', namespace } = metadata
      await this.#context.client
        .patch(persistentVolumeClaims, name, 'merge', { metadata: { ownerReferences } }, { namespace })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        })
    }
  }

  async #dropHistory(
    set: StatefulSet,
    pods: readonly Pod[],
    others: readonly ControllerRevision[],
    observed: SetObserved,
  ): Promise<void> {
    const inUse = new Set([
      observed.currentRevision,
      observed.updateRevision,
      ...pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL] ?? ''),
    ])
    await inParallel(revisionsToDrop(others, inUse, set.spec?.revisionHistoryLimit), (revision) =>
      dropRevision(this.#context.client, revision),
    )
  }

  async #writeStatus(set: StatefulSet, status: StatefulSetStatus): Promise<void> {
    if (sameJson(status, set.status)) return
    try {
      this.#written.wrote(await this.#context.client.updateStatus(statefulSets, { ...copyOf(set), status: copyOf(status) }))
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  #record(set: StatefulSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.event(set, { type, reason, message })
  }
}
