/** The Deployment controller: reads a Deployment and its ReplicaSets, has the next step planned, writes it. */

import { isAlreadyExists, isNotFound } from '../../api/status.ts'
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { deployments, pods as podResource, replicaSets } from '../../client/resources.ts'
import type { ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import { type Cache, type Change, keyOf } from '../../watch/informer.ts'
import { performClaims, planClaims } from '../parts/adoption.ts'
import { inParallel } from '../parts/batches.ts'
import { isNamespaceTerminating, messageOf } from '../parts/failures.ts'
import { createFreshness } from '../parts/freshness.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import { controllerKey, controllerOf, indexByController, isControlledBy, ownedBy, uncontrolledIn } from '../parts/owners.ts'
import { isTerminal } from '../parts/pods.ts'
import { compiledSelector } from '../parts/selectors.ts'
import { sameTemplate } from '../parts/template-hash.ts'
import { type PlannedSet, REVISION } from './model.ts'
import { planDeployment } from './plan.ts'
import { progressDeadlineSeconds, withCondition } from './status.ts'

export function deploymentController(): Reconciler {
  let controller: DeploymentController | undefined
  return {
    name: 'deployment-controller',
    setup(context, enqueue) {
      controller = new DeploymentController(context)
      controller.subscribe(enqueue)
    },
    reconcile: (key) => controller!.reconcile(key),
  }
}

class DeploymentController {
  readonly #context: ReconcileContext
  readonly #written = createFreshness()
  readonly #deployments: Cache<Deployment>
  readonly #sets: Cache<ReplicaSet>
  readonly #pods: Cache<Pod>

  constructor(context: ReconcileContext) {
    this.#context = context
    this.#deployments = context.informer(deployments).store
    this.#sets = context.informer(replicaSets).store
    this.#pods = context.informer(podResource).store
    indexByController(this.#sets)
    indexByController(this.#pods)
  }

  subscribe(enqueue: (key: string) => void): void {
    const { informer } = { informer: this.#context.informer.bind(this.#context) }
    informer(deployments).subscribe(({ key, object, old }) => {
      if (old && !object) this.#written.forget(old)
      enqueue(key)
    })
    informer(replicaSets).subscribe((change) => this.#setChanged(change, enqueue))
    informer(podResource).subscribe((change) => {
      const key = this.#waitingForTheEndOf(change)
      if (key) enqueue(key)
    })
  }

  #setChanged({ object, old }: Change<ReplicaSet>, enqueue: (key: string) => void): void {
    if (old && !object) this.#written.forget(old)
    for (const set of [object, old]) {
      const key = set && controllerKey(set, deployments, this.#deployments)
      if (key) enqueue(key)
    }
    if (!object || controllerOf(object)) return
    for (const deployment of this.#deployments.list(object.metadata.namespace)) {
      if (compiledSelector(deployment.spec?.selector).matches(object.metadata.labels)) enqueue(keyOf(deployment))
    }
  }

  /** Recreate goes on when the last old pod is gone or has finished: no ReplicaSet tells it. */
  #waitingForTheEndOf({ object, old }: Change<Pod>): string | undefined {
    if (!old || (object && (!isTerminal(object) || isTerminal(old)))) return undefined
    const setKey = controllerKey(old, replicaSets, this.#sets)
    const set = setKey && this.#sets.get(setKey)
    const key = set && controllerKey(set, deployments, this.#deployments)
    return key && this.#deployments.get(key)?.spec?.strategy?.type === 'Recreate' ? key : undefined
  }

  async reconcile(key: string): Promise<ReconcileResult | undefined> {
    const deployment = this.#deployments.get(key)
    if (!deployment) return undefined
    if (this.#written.isStale(deployment) || this.#ownedSets(deployment).some((set) => this.#written.isStale(set)))
      return undefined
    const { client, clock } = this.#context
    const plan = planDeployment({
      deployment,
      replicaSets: await this.#claim(deployment),
      podsOf: (set) => ownedBy(this.#pods, set.metadata.uid),
      nowMs: clock.now(),
      now: timestamp(clock),
    })
    for (const planned of plan.changed) {
      const done = planned.create ? await this.#create(deployment, planned) : await this.#update(planned)
      if (!done) return undefined
    }
    for (const event of plan.events) this.#context.event(deployment, event)
    await inParallel(plan.drop, ({ metadata: { name = '', namespace, uid = '' } }) =>
      client.delete(replicaSets, name, { namespace, preconditions: { uid } }).catch(ignoreNotFound),
    )
    await this.#writeStatus(deployment, plan.status)
    if (plan.revision !== undefined) await this.#writeRevision(deployment, plan.revision)
    return plan.nextLookMs === undefined ? undefined : { requeueAfterMs: plan.nextLookMs }
  }

  #ownedSets(deployment: Deployment): readonly ReplicaSet[] {
    return ownedBy(this.#sets, deployment.metadata.uid)
  }

  #claim(deployment: Deployment): Promise<ReplicaSet[]> {
    const owned = this.#ownedSets(deployment)
    const free = uncontrolledIn(this.#sets, deployment.metadata.namespace)
    const claims = planClaims(deployment, compiledSelector(deployment.spec?.selector), owned, free)
    return performClaims(this.#context.client, deployment, deployments, replicaSets, claims)
  }

  /** False when there is nothing more to do now: the namespace is going away, or the cache has yet to show the set. */
  async #create(deployment: Deployment, planned: PlannedSet): Promise<boolean> {
    const body = { ...planned.set, metadata: { ...planned.set.metadata, annotations: planned.annotations } }
    const spec = { ...planned.set.spec!, replicas: planned.replicas }
    try {
      await this.#context.client.create(replicaSets, copyOf({ ...body, spec }))
      return true
    } catch (error) {
      if (isNamespaceTerminating(error)) return false
      if (isAlreadyExists(error)) return this.#collide(deployment, planned)
      await this.#reportFailedCreate(deployment, planned, messageOf(error))
      throw error
    }
  }

  /** The name is taken: by the very set that is wanted, or by another, and then the next name is tried. */
  async #collide(deployment: Deployment, planned: PlannedSet): Promise<boolean> {
    const { name = '', namespace } = planned.set.metadata
    const taken = await this.#context.client.get(replicaSets, name, { namespace })
    if (isControlledBy(taken, deployment) && sameTemplate(taken.spec?.template, deployment.spec?.template)) return false
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
    await this.#writeStatus(deployment, { ...deployment.status, collisionCount })
    return false
  }

  async #reportFailedCreate(deployment: Deployment, planned: PlannedSet, why: string): Promise<void> {
    const message = `Failed to create new replica set ${JSON.stringify(planned.set.metadata.name)}: ${why}`
    this.#context.event(deployment, { type: 'Warning', reason: 'ReplicaSetCreateError', message })
    if (progressDeadlineSeconds(deployment) === undefined) return
    const failed = { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message }
    const conditions = withCondition(deployment.status?.conditions ?? [], failed, timestamp(this.#context.clock))
    await this.#writeStatus(deployment, { ...deployment.status, conditions })
  }

  /** With the resource version it was planned on: a set that changed meanwhile is a conflict, and planned again. */
  async #update({ set, replicas, minReadySeconds, annotations }: PlannedSet): Promise<boolean> {
    const changed = copyOf(set)
    changed.metadata.annotations = annotations
    changed.spec = { ...changed.spec!, replicas }
    if (minReadySeconds === undefined) delete changed.spec.minReadySeconds
    else changed.spec.minReadySeconds = minReadySeconds
    this.#written.wrote(await this.#context.client.update(replicaSets, changed))
    return true
  }

  async #writeStatus(deployment: Deployment, status: DeploymentStatus): Promise<void> {
    if (sameJson(status, deployment.status)) return
    const changed = { ...copyOf(deployment), status: copyOf(status) }
    await this.#context.client.updateStatus(deployments, changed).then((answer) => this.#written.wrote(answer), ignoreNotFound)
  }

  async #writeRevision(deployment: Deployment, revision: string): Promise<void> {
    const { name = '', namespace, uid } = deployment.metadata
    const patch = { metadata: { uid, annotations: { [REVISION]: revision } } }
    await this.#context.client
      .patch(deployments, name, 'merge', patch, { namespace })
      .then((answer) => this.#written.wrote(answer), ignoreNotFound)
  }
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error
}
