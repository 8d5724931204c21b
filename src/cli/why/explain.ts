/** Follows what waits to what it waits for: from a workload or Service to its pods, from a pod to what it requires, and on from there. */
import type { KubeObject } from '../../api/object.ts'
import { verdictOf } from '../../api/requires/condition.ts'
import { describe } from '../../api/requires/requirement.ts'
import { resolvedRequirements } from '../../api/requires/resolved.ts'
import type { Pod } from '../../api/types.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { events, pods as podResource } from '../../client/resources.ts'
import { selectorOf } from '../find-pods.ts'
import { handleOf } from '../names/candidate.ts'
import type { Session } from '../session.ts'
import type { Cause } from './cause.ts'
import { isHeld, notWell, podReason, requirementsOf } from './pod-reason.ts'
import { readIfThere, type Unmet, unmetOf, verdictFor } from './requirements.ts'

/** Longer chains are cut off; who has one knows enough by then. */
const MAX_DEPTH = 20
/** Of one owner; the rest is counted. */
const MAX_PODS = 5

export class Explainer {
  readonly #session: Session
  /** By uid: nothing is explained twice, and a circle ends. */
  readonly #seen = new Map<string, 'being explained' | 'explained'>()

  constructor(session: Session) {
    this.#session = session
  }

  /** Undefined when nothing of it waits. `object` is any; what is told of a kind that has no pods is its own condition. */
  async explain(resource: DiscoveredResource, object: KubeObject, depth = 0): Promise<Cause | undefined> {
    if (resource.kind === 'Pod' && resource.group === '') return this.#explainPod(object as Pod, depth)
    const subject = this.#subject(resource, object)
    const typed = { ...object, kind: resource.kind }
    if (resource.kind === 'PersistentVolumeClaim') return this.#explainClaim(subject, typed)
    if (resource.kind === 'CronJob') return this.#explainCronJob(subject, typed, depth)
    const verdict = await verdictFor(typed, undefined, this.#session)
    const isDone = verdict.met && resource.kind === 'Job'
    const pods = isDone ? [] : await this.#podsOf(typed)
    const waiting = notWell(pods)
    if (verdict.met && waiting.length === 0) return undefined
    const why = verdict.met
      ? `${waiting.length} of its ${pods.length} pods ${waiting.length === 1 ? 'waits' : 'wait'}`
      : verdict.why
    const told = waiting.length > 0 ? (unmade(typed) ?? why) : await this.#withoutWaiting(typed, why, pods.length)
    const cause: Cause = { subject, why: told, since: sinceOf(object), behind: [] }
    return this.#once(cause, object, depth, () => this.#explainPods(waiting, depth + 1))
  }

  async #explainCronJob(subject: string, { spec, status, metadata }: KubeObject, depth: number): Promise<Cause | undefined> {
    const active = (status?.active ?? []) as { name: string; namespace?: string }[]
    if (spec?.suspend) return { subject, why: 'it is suspended', since: metadata.creationTimestamp, behind: [] }
    const resource = await this.#session.discovery.find('jobs.batch')
    if (!resource || active.length === 0) return undefined
    const jobs = await Promise.all(
      active.map(({ name }) =>
        this.#session.client.get(resource as ResourceRef<KubeObject>, name, { namespace: metadata.namespace }),
      ),
    )
    const behind = (
      await this.#all(
        jobs.map((job) => ({ resource, object: job })),
        depth + 1,
      )
    ).filter((one) => one !== undefined)
    return behind.length > 0 ? { subject, why: 'a job of it is not done', behind } : undefined
  }

  async #explainPods(waiting: readonly Pod[], depth: number): Promise<Cause[]> {
    const causes: Cause[] = []
    // One after the other: what several of them wait for is explained with the first.
    for (const pod of waiting.slice(0, MAX_PODS)) {
      const cause = await this.#explainPod(pod, depth)
      if (cause) causes.push(cause)
    }
    const more = waiting.length - MAX_PODS
    if (more > 0)
      causes.push({ subject: `${more} more ${more === 1 ? 'pod' : 'pods'}`, why: 'not looked at', behind: [], repeated: true })
    return causes
  }

  async #explainPod(pod: Pod, depth: number): Promise<Cause | undefined> {
    const reason = podReason(pod)
    if (!reason) return undefined
    const subject = this.#subject({ singular: 'pod', group: '' }, pod as KubeObject)
    const requirements = isHeld(pod) ? resolvedRequirements(pod) : undefined
    if (!requirements) {
      const why = reason.vague ? reason.why + (await this.#lastEvent(pod)) : reason.why
      return { subject, why, since: reason.since, behind: await this.#explainClaims(pod, depth + 1) }
    }
    const since = requirementsOf(pod)?.lastTransitionTime ?? pod.metadata.creationTimestamp
    const cause: Cause = { subject, why: 'it waits for what it requires', since, behind: [] }
    return this.#once(cause, pod as KubeObject, depth, async () => {
      const unmet = await unmetOf(pod, requirements, this.#session)
      if (unmet.length === 0) {
        cause.why =
          'what it requires is there, and nobody has lifted its scheduling gate; does the controller of skiff extensions run?'
        return []
      }
      const behind: Cause[] = []
      for (const one of unmet) behind.push(await this.#explainUnmet(one, since, depth + 1))
      return behind
    })
  }

  async #explainUnmet({ requirement, why, objects }: Unmet, waitsSince: string | undefined, depth: number): Promise<Cause> {
    const causes = (await this.#all(objects, depth)).filter((one) => one !== undefined)
    const subject = describe(requirement)
    const [only] = causes
    // The requirement and the object behind it are one thing to who reads it.
    if (causes.length === 1 && requirement.target.type === 'object')
      return { ...only!, subject, why: requirement.condition === undefined ? only!.why : why }
    const known = objects.length === 1 ? sinceOf(objects[0]!.object) : undefined
    return { subject, why, since: known ?? waitsSince, behind: causes }
  }

  async #all(objects: Unmet['objects'], depth: number): Promise<(Cause | undefined)[]> {
    const causes: (Cause | undefined)[] = []
    for (const { resource, object } of objects.slice(0, MAX_PODS)) causes.push(await this.explain(resource, object, depth))
    return causes
  }

  async #once(cause: Cause, { metadata }: KubeObject, depth: number, look: () => Promise<Cause[]>): Promise<Cause> {
    const id = metadata.uid ?? cause.subject
    const before = this.#seen.get(id)
    if (before === 'being explained') return { ...cause, why: 'it waits for itself' }
    if (before) return { ...cause, repeated: true }
    if (depth >= MAX_DEPTH) return { ...cause, why: `${cause.why} (the chain goes on)` }
    this.#seen.set(id, 'being explained')
    cause.behind = await look()
    this.#seen.set(id, 'explained')
    return cause
  }

  async #podsOf(owner: KubeObject): Promise<Pod[]> {
    const labelSelector = selectorOf(owner)
    if (labelSelector === undefined) return []
    return (await this.#session.client.list(podResource, { namespace: owner.metadata.namespace, labelSelector })).items
  }

  /** None of the pods is to blame. Controllers that have no condition for it report in events why they make no more. */
  async #withoutWaiting(owner: KubeObject, why: string, pods: number): Promise<string> {
    const told = pods > 0 ? (unmade(owner) ?? why) : withoutPods(owner, why)
    const wantsPods = saysInEvents(owner) && owner.spec?.replicas !== 0 && !owner.spec?.suspend
    return wantsPods && unmade(owner) === undefined ? told + (await this.#lastEvent(owner)) : told
  }

  /** Of a pod whose containers have not started: the claims that it mounts and that are not bound. */
  async #explainClaims({ metadata, spec, status }: Pod, depth: number): Promise<Cause[]> {
    const names = (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])
    const isStarted = status?.containerStatuses?.some(({ state, lastState }) => state?.running || lastState?.terminated)
    const resource = names.length > 0 && !isStarted ? await this.#session.discovery.find('persistentvolumeclaims') : undefined
    if (!resource) return []
    const { namespace = '' } = metadata
    const claims = await Promise.all(names.map((name) => readIfThere(resource, name, namespace, this.#session)))
    const found = claims.flatMap((object) => (object ? [{ resource, object }] : []))
    return (await this.#all(found, depth)).filter((cause) => cause !== undefined)
  }

  /** Why a claim is not bound, only events say, and not all of these are warnings. */
  async #explainClaim(subject: string, claim: KubeObject): Promise<Cause | undefined> {
    const { met, why } = verdictOf(claim, undefined)
    if (met) return undefined
    const said = await this.#lastEvent(claim, '')
    const isManual = claim.spec?.storageClassName === undefined || claim.spec.storageClassName === ''
    const guess = isManual ? '; it names no storage class, and no volume fits it' : ''
    return { subject, why: why + (said || guess), since: claim.metadata.creationTimestamp, behind: [] }
  }

  async #lastEvent({ metadata }: Pick<KubeObject, 'metadata'>, type = ',type=Warning'): Promise<string> {
    const { uid, namespace = 'default' } = metadata
    const fieldSelector = `involvedObject.uid=${uid}${type}`
    const { items } = await this.#session.client.list(events, { namespace, fieldSelector })
    // That the node waits before the next try is known by then.
    const telling = items.filter(({ reason }) => reason !== 'BackOff')
    const timeOf = (event: (typeof items)[number]) =>
      event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? ''
    const last = telling.reduce<(typeof items)[number] | undefined>((a, b) => (a && timeOf(a) > timeOf(b) ? a : b), undefined)
    return last ? ` (${last.reason}: ${(last.message ?? '').trim()})` : ''
  }

  #subject(resource: Pick<DiscoveredResource, 'singular' | 'group'>, { metadata }: KubeObject): string {
    const handle = handleOf({ resource: resource as DiscoveredResource, name: metadata.name ?? '' })
    const isElsewhere = metadata.namespace !== undefined && metadata.namespace !== this.#session.namespace
    return isElsewhere ? `${handle} (in ${metadata.namespace})` : handle
  }
}

/** What a controller says that cannot make all pods. */
function unmade({ status }: KubeObject): string | undefined {
  const conditions = (status?.conditions ?? []) as { type: string; status: string; message?: string }[]
  const failure = conditions.find(({ type, status: holds }) => type === 'ReplicaFailure' && holds === 'True')
  return failure && `its pods cannot be made: ${failure.message}`
}

/** They say in events only why they make no pods. */
function saysInEvents({ kind = '' }: KubeObject): boolean {
  return ['StatefulSet', 'DaemonSet', 'Job'].includes(kind)
}

function withoutPods(owner: KubeObject, why: string): string {
  const { kind, spec } = owner
  const failure = unmade(owner)
  if (failure) return failure
  if (kind === 'Job' && spec?.suspend) return `${why}; it is suspended`
  if (kind === 'Service') {
    const labels = Object.entries((spec?.selector ?? {}) as Record<string, string>).map(([name, value]) => `${name}=${value}`)
    return `${why}; ${labels.length > 0 ? `there is no pod with ${labels.join(',')}` : 'it selects no pods, and has no endpoints of its own'}`
  }
  if (spec?.replicas === 0) return 'it is scaled to zero'
  return spec?.selector ? `${why}; it has no pods` : why
}

const TELLING = ['Ready', 'Available', 'Complete', 'Established']

function sinceOf({ metadata, status }: KubeObject): string | undefined {
  const conditions = (status?.conditions ?? []) as { type: string; lastTransitionTime?: string }[]
  return conditions.find(({ type }) => TELLING.includes(type))?.lastTransitionTime ?? metadata.creationTimestamp
}
