/** The Job controller: runs pods to completion and counts each of them once. */

import { isNotFound } from '../../api/status.ts'
import type { Job, JobStatus, Pod } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { jobs, pods as podResource } from '../../client/resources.ts'
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
import { compiledSelector } from '../parts/selectors.ts'
import { type JobPlan, planJob } from './plan.ts'
import { podOfJob } from './pod-of-job.ts'
import { isTracked, TRACKING_FINALIZER } from './pods.ts'

/** Keys of pods whose Job is gone: they only lose their finalizer. */
const LEFT_OVER = 'pod '

export function jobController(): Reconciler {
  let controller: JobController | undefined
  return {
    name: 'job-controller',
    setup(context, enqueue) {
      controller = new JobController(context, enqueue)
      controller.subscribe()
    },
    reconcile: (key) => (key.startsWith(LEFT_OVER) ? controller!.letGo(key.slice(LEFT_OVER.length)) : controller!.reconcile(key)),
  }
}

class JobController {
  readonly #context: ReconcileContext
  readonly #enqueue: Enqueue
  readonly #jobs: Cache<Job>
  readonly #pods: Cache<Pod>
  readonly #expectations: Expectations
  readonly #pace: Pace
  readonly #written = createFreshness()
  /** Pods whose finalizer was removed, until the cache shows it. */
  readonly #released = new Set<string>()

  constructor(context: ReconcileContext, enqueue: Enqueue) {
    this.#context = context
    this.#enqueue = enqueue
    this.#expectations = createExpectations(context.clock)
    this.#pace = createPace(context.clock, enqueue)
    this.#jobs = context.informer(jobs).store
    this.#pods = context.informer(podResource).store
    indexByController(this.#pods)
  }

  subscribe(): void {
    this.#context.informer(jobs).subscribe(({ key, object, old }) => {
      if (old && object?.metadata.uid !== old.metadata.uid) {
        this.#expectations.forget(key)
        this.#written.forget(old)
        for (const pod of ownedBy(this.#pods, old.metadata.uid)) this.#offerLeftOver(pod)
      }
      this.#enqueue(key)
    })
    this.#context.informer(podResource).subscribe((change) => this.#podChanged(change))
  }

  #podChanged({ object, old }: Change<Pod>): void {
    if (old && (!object || object.metadata.uid !== old.metadata.uid || !isTracked(object)))
      this.#released.delete(old.metadata.uid ?? '')
    const pod = object ?? old
    if (!pod) return
    const key = controllerKey(pod, jobs, this.#jobs)
    if (key) {
      if (!old && this.#expectations.creationObserved(key)) this.#enqueue(key)
      else this.#pace.touch(key)
    }
    if (object) this.#offerLeftOver(object)
    const former = old && controllerKey(old, jobs, this.#jobs)
    if (former && former !== key) this.#enqueue(former)
    if (object && !controllerOf(object)) this.#offer(object)
  }

  #offer(pod: Pod): void {
    for (const job of this.#jobs.list(pod.metadata.namespace)) {
      if (compiledSelector(job.spec?.selector).matches(pod.metadata.labels))
        this.#enqueue(`${job.metadata.namespace}/${job.metadata.name}`)
    }
  }

  #offerLeftOver(pod: Pod): void {
    const owner = controllerOf(pod)
    if (!isTracked(pod) || (owner && owner.kind !== jobs.kind)) return
    const job = owner && this.#jobs.get(`${pod.metadata.namespace}/${owner.name}`)
    if (!job || job.metadata.uid !== owner?.uid) this.#enqueue(`${LEFT_OVER}${pod.metadata.namespace}/${pod.metadata.name}`)
  }

  /** Removes the finalizer of a pod whose Job does not exist any more. */
  async letGo(key: string): Promise<undefined> {
    const pod = this.#pods.get(key)
    if (!pod || !isTracked(pod)) return
    const owner = controllerOf(pod)
    if (owner) {
      const { namespace } = pod.metadata
      const job = await this.#context.client.get(jobs, owner.name, { namespace }).catch(ignoreNotFound)
      if (job?.metadata.uid === owner.uid) return
    }
    await this.#release(pod)
  }

  async reconcile(key: string): Promise<ReconcileResult | undefined> {
    const job = this.#jobs.get(key)
    if (!job) {
      this.#expectations.forget(key)
      this.#pace.forget(key)
      return undefined
    }
    // Some other program looks after it.
    if (job.spec?.managedBy && job.spec.managedBy !== 'kubernetes.io/job-controller') return undefined
    if (this.#written.isStale(job)) return undefined
    const owned = ownedBy(this.#pods, job.metadata.uid)
    this.#pace.begin(key, owned.length)
    const claims = planClaims(
      job,
      compiledSelector(job.spec?.selector),
      owned,
      uncontrolledIn(this.#pods, job.metadata.namespace),
    )
    const mine = await performClaims(this.#context.client, job, jobs, podResource, claims)
    const { clock } = this.#context
    const plan = planJob({ job, pods: mine, released: this.#released, nowMs: clock.now(), now: timestamp(clock) })
    const upToDate = this.#expectations.satisfied(key)
    if (!upToDate) {
      plan.create = []
      plan.drop = []
    }
    await this.#perform(key, job, plan)
    return plan.nextLookMs === undefined ? undefined : { requeueAfterMs: plan.nextLookMs }
  }

  async #perform(key: string, job: Job, plan: JobPlan): Promise<void> {
    await inParallel(plan.drop, async (pod) => {
      if (isTracked(pod)) await this.#release(pod)
      await this.#delete(job, pod)
    })
    await inParallel(plan.stop, (pod) => this.#delete(job, pod))
    let failure: unknown
    if (plan.create.length > 0) failure = await this.#createAll(key, job, plan)
    let stored = plan.release.length > 0 ? await this.#writeStatus(job, plan.status) : job
    await inParallel(plan.release, (pod) => this.#release(pod))
    if (stored) stored = await this.#writeStatus(stored, plan.statusAfter)
    if (stored) for (const event of plan.events) this.#context.event(job, event)
    if (failure !== undefined) throw failure
  }

  async #createAll(key: string, job: Job, plan: JobPlan): Promise<unknown> {
    this.#expectations.expectCreations(key, plan.create.length)
    const { succeeded, error } = await inGrowingBatches(plan.create.length, async (i) => {
      try {
        const pod = await this.#context.client.create(podResource, podOfJob(job, plan.create[i] ?? {}))
        this.#context.event(job, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}` })
      } catch (failed) {
        if (!isNamespaceTerminating(failed))
          this.#context.event(job, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${messageOf(failed)}` })
        throw failed
      }
    })
    const missing = plan.create.length - succeeded
    for (let i = 0; i < missing; i++) this.#expectations.creationObserved(key)
    for (const status of [plan.status, plan.statusAfter]) {
      const active = (status.active ?? 0) - missing
      if (active > 0) status.active = active
      else delete status.active
    }
    return isNamespaceTerminating(error) ? undefined : error
  }

  async #delete(job: Job, pod: Pod): Promise<void> {
    const { name = '', namespace, uid = '' } = pod.metadata
    try {
      await this.#context.client.delete(podResource, name, { namespace, preconditions: { uid } })
      this.#context.event(job, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${name}` })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  async #release(pod: Pod): Promise<void> {
    const { name = '', namespace, uid = '' } = pod.metadata
    const patch = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } }
    this.#released.add(uid)
    await this.#context.client.patch(podResource, name, 'strategic', patch, { namespace }).catch((error: unknown) => {
      this.#released.delete(uid)
      ignoreNotFound(error)
    })
  }

  /** The Job as stored, or undefined when it is gone. */
  async #writeStatus(job: Job, status: JobStatus): Promise<Job | undefined> {
    if (sameJson(status, job.status)) return job
    const changed = { ...copyOf(job), status: copyOf(status) }
    const stored = await this.#context.client.updateStatus(jobs, changed).catch(ignoreNotFound)
    if (stored) this.#written.wrote(stored)
    return stored ?? undefined
  }
}

function ignoreNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error
  return undefined
}
