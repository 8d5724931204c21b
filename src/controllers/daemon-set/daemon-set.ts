/** The DaemonSet controller: one pod on every node that is eligible. */

import { isConflict, isNotFound } from '../../api/status.ts'
import type { ControllerRevision, DaemonSet, DaemonSetStatus, Node, Pod } from '../../api/types.ts'
import { controllerRevisions, daemonSets, nodes, pods as podResource } from '../../client/resources.ts'
import type { Enqueue, ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import { type Cache, type Change, keyOf } from '../../watch/informer.ts'
import { performClaims, planClaims } from '../parts/adoption.ts'
import { inGrowingBatches, inParallel } from '../parts/batches.ts'
import { createExpectations, type Expectations } from '../parts/expectations.ts'
import { isNamespaceTerminating, messageOf } from '../parts/failures.ts'
import { createFreshness } from '../parts/freshness.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import { controllerKey, controllerOf, indexByController, ownedBy, uncontrolledIn } from '../parts/owners.ts'
import { createPace, type Pace } from '../parts/pace.ts'
import { podFromTemplate } from '../parts/pod-template.ts'
import { dropRevision, planRevisions, REVISION_LABEL, revisionsToDrop, storeRevision } from '../parts/revisions.ts'
import { compiledSelector } from '../parts/selectors.ts'
import { affinityTo, daemonTolerations } from './eligible.ts'
import { type DaemonPlan, planDaemons } from './plan.ts'

export function daemonSetController(): Reconciler {
  let controller: DaemonSetController | undefined
  return {
    name: 'daemonset-controller',
    setup(context, enqueue) {
      controller = new DaemonSetController(context, enqueue)
      controller.subscribe(enqueue)
    },
    reconcile: (key) => controller!.reconcile(key),
  }
}

class DaemonSetController {
  readonly #context: ReconcileContext
  readonly #sets: Cache<DaemonSet>
  readonly #pods: Cache<Pod>
  readonly #revisions: Cache<ControllerRevision>
  readonly #expectations: Expectations
  readonly #pace: Pace
  readonly #written = createFreshness()

  constructor(context: ReconcileContext, enqueue: Enqueue) {
    this.#context = context
    this.#expectations = createExpectations(context.clock)
    this.#pace = createPace(context.clock, enqueue)
    this.#sets = context.informer(daemonSets).store
    this.#pods = context.informer(podResource).store
    this.#revisions = context.informer(controllerRevisions).store
    for (const cache of [this.#pods, this.#revisions]) indexByController(cache)
  }

  subscribe(enqueue: Enqueue): void {
    this.#context.informer(daemonSets).subscribe(({ key, object, old }) => {
      if (old && object?.metadata.uid !== old.metadata.uid) this.#expectations.forget(key)
      enqueue(key)
    })
    this.#context.informer(nodes).subscribe(({ object, old }) => {
      if (object && old && !changesPlacement(object, old)) return
      for (const set of this.#sets.list()) this.#pace.touch(keyOf(set))
    })
    this.#context.informer(controllerRevisions).subscribe(({ object, old }) => {
      const revision = object ?? old
      const key = revision && controllerKey(revision, daemonSets, this.#sets)
      if (key) this.#pace.touch(key)
    })
    this.#context.informer(podResource).subscribe((change) => this.#podChanged(change, enqueue))
  }

  #podChanged({ object, old }: Change<Pod>, enqueue: Enqueue): void {
    const key = object && controllerKey(object, daemonSets, this.#sets)
    const former = old && controllerKey(old, daemonSets, this.#sets)
    if (object && key && (!old || old.metadata.uid !== object.metadata.uid)) this.#expectations.creationObserved(key)
    if (former && old && (object?.metadata.uid !== old.metadata.uid || object?.metadata.deletionTimestamp !== undefined))
      this.#expectations.deletionObserved(former, old.metadata.uid ?? '')
    if (key) this.#pace.touch(key)
    if (former && former !== key) this.#pace.touch(former)
    if (!object || controllerOf(object)) return
    for (const set of this.#sets.list(object.metadata.namespace))
      if (compiledSelector(set.spec?.selector).matches(object.metadata.labels)) enqueue(keyOf(set))
  }

  async reconcile(key: string): Promise<ReconcileResult | undefined> {
    const set = this.#sets.get(key)
    if (!set) {
      this.#expectations.forget(key)
      this.#pace.forget(key)
      return undefined
    }
    if (this.#written.isStale(set)) return undefined
    const owned = ownedBy(this.#pods, set.metadata.uid)
    const allNodes = this.#context.informer(nodes).store.list()
    this.#pace.begin(key, owned.length + allNodes.length)
    const claims = planClaims(
      set,
      compiledSelector(set.spec?.selector),
      owned,
      uncontrolledIn(this.#pods, set.metadata.namespace),
    )
    const mine = await performClaims(this.#context.client, set, daemonSets, podResource, claims)
    const known = ownedBy(this.#revisions, set.metadata.uid)
    const options = { collisionCount: set.status?.collisionCount ?? 0, hashLabel: REVISION_LABEL }
    const history = planRevisions(set, daemonSets, set.spec?.template, known, options)
    const revision = await storeRevision(this.#context.client, set, history)
    if (revision === 'collision') {
      await this.#writeStatus(set, { ...set.status!, collisionCount: options.collisionCount + 1 })
      return undefined
    }
    const hash = revision.metadata.labels?.[REVISION_LABEL] ?? ''
    const plan = planDaemons({ set, nodes: allNodes, pods: mine, hash, nowMs: this.#context.clock.now() })
    const failure = this.#expectations.satisfied(key) ? await this.#perform(key, set, plan, hash) : undefined
    await this.#writeStatus(set, plan.status)
    const inUse = new Set(mine.map(({ metadata }) => `${set.metadata.name}-${metadata.labels?.[REVISION_LABEL]}`))
    await inParallel(revisionsToDrop(history.others, inUse, set.spec?.revisionHistoryLimit), (one) =>
      dropRevision(this.#context.client, one),
    )
    if (failure !== undefined) throw failure
    return plan.nextAvailableMs === undefined ? undefined : { requeueAfterMs: plan.nextAvailableMs }
  }

  async #perform(key: string, set: DaemonSet, plan: DaemonPlan, hash: string): Promise<unknown> {
    for (const { metadata, spec } of plan.failed) {
      const message = `Found failed daemon pod ${metadata.namespace}/${metadata.name} on node ${spec?.nodeName}, will try to kill it`
      this.#record(set, 'Warning', 'FailedDaemonPod', message)
    }
    this.#expectations.expectCreations(key, plan.create.length)
    this.#expectations.expectDeletions(
      key,
      plan.remove.map(({ metadata }) => metadata.uid ?? ''),
    )
    const { succeeded, error } = await inGrowingBatches(plan.create.length, (i) => this.#create(set, plan.create[i] ?? '', hash))
    for (let missing = plan.create.length - succeeded; missing > 0; missing--) this.#expectations.creationObserved(key)
    await inParallel(plan.remove, (pod) => this.#delete(key, set, pod))
    return isNamespaceTerminating(error) ? undefined : error
  }

  async #create(set: DaemonSet, nodeName: string, hash: string): Promise<void> {
    const pod = podFromTemplate(set, daemonSets, set.spec?.template)
    const generation = set.metadata.annotations?.['deprecated.daemonset.template.generation']
    pod.metadata.labels = {
      ...pod.metadata.labels,
      [REVISION_LABEL]: hash,
      ...(generation && { 'pod-template-generation': generation }),
    }
    if (pod.spec) {
      pod.spec.affinity = affinityTo(nodeName, pod.spec.affinity)
      pod.spec.tolerations = daemonTolerations(pod.spec)
    }
    try {
      const created = await this.#context.client.create(podResource, pod)
      this.#record(set, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
    } catch (error) {
      if (!isNamespaceTerminating(error)) this.#record(set, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
      throw error
    }
  }

  async #delete(key: string, set: DaemonSet, pod: Pod): Promise<void> {
    const { name = '', namespace, uid = '' } = pod.metadata
    try {
      await this.#context.client.delete(podResource, name, { namespace, preconditions: { uid } })
      this.#record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
    } catch (error) {
      this.#expectations.deletionObserved(key, uid)
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }

  async #writeStatus(set: DaemonSet, status: DaemonSetStatus): Promise<void> {
    if (sameJson(status, set.status)) return
    try {
      this.#written.wrote(await this.#context.client.updateStatus(daemonSets, { ...copyOf(set), status: copyOf(status) }))
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  #record(set: DaemonSet, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.event(set, { type, reason, message })
  }
}

function changesPlacement(node: Node, old: Node): boolean {
  return !sameJson(node.metadata.labels, old.metadata.labels) || !sameJson(node.spec?.taints, old.spec?.taints)
}
