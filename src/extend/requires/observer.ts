/**
 * Judges requirements by what is there now, and wakes those who wait when that changes. Each thing that is needed is judged once
 * for all who need it. Informers of the kinds that are required start with the first requirement; nothing here asks the server
 * again and again.
 */
import type { KubeObject } from '../../api/object.ts'
import { MET, type Verdict, verdictOf } from '../../api/requires/condition.ts'
import type { ObjectTarget, ProbeTarget, Requirement, SelectorTarget } from '../../api/requires/requirement.ts'
import { serviceOfHost } from '../../api/requires/targets.ts'
import type { ResourceRef } from '../../client/client.ts'
import { endpointSlices, pods, services } from '../../client/resources.ts'
import type { Enqueue, ReconcileContext } from '../../reconcile/reconciler.ts'
import type { Informer } from '../../watch/informer.ts'
import type { Connect } from './attempt.ts'
import { awaitedOf, CircleWatch } from './circle-watch.ts'
import type { Awaited } from './circles.ts'
import { Followed } from './followed.ts'
import { resourcesOf } from './kinds.ts'
import { Needs } from './needs.ts'
import { Picked } from './picked.ts'
import { isGated, type Judged } from './plan.ts'
import { Probes } from './probes.ts'
import { keyOfSlice, ServiceEndpoints } from './service-endpoints.ts'

/** What waits for a kind that is not served; a new kind wakes all of them. */
const UNSERVED = 'unserved'
/** A definition is served a moment after it is seen. */
const UNSERVED_AGAIN_MS = 2_000
/** When many pods wait for one thing, a change of why it does not hold is told them with this delay; that it holds is told at once. */
const MANY = 100
const TELL_MANY_MS = 1_000
const DEFINITIONS: ResourceRef<KubeObject> = {
  ...{ group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
  ...{ kind: 'CustomResourceDefinition', namespaced: false },
}

/** Something that pods need, as it was when they were told of it last. */
interface Need {
  /** As the first who needed it wrote it. */
  text: string
  told: Verdict
  judge(): Verdict
  forget(): void
  /** The objects that it is about, of a kind that has to do with pods. */
  behind(): readonly KubeObject[]
}

export class Observer {
  readonly #context: ReconcileContext
  readonly #wake: Enqueue
  readonly #endpoints: ServiceEndpoints
  readonly #probes: Probes
  readonly #followed = new Map<string, Followed>()
  readonly #known = new Map<string, Need>()
  readonly #needs = new Needs((need) => this.#forget(need))
  /** Those that wait for one another. */
  readonly circles: CircleWatch
  #followsDefinitions = false

  constructor(context: ReconcileContext, connect: Connect, wake: Enqueue) {
    this.#context = context
    this.#wake = wake
    this.circles = new CircleWatch({ clock: context.clock, signal: context.signal, waiting: () => this.#waiting(), wake })
    const slices = context.informer(endpointSlices)
    this.#endpoints = new ServiceEndpoints(this.#follow(services).informer as unknown as Informer<never>, slices)
    this.#probes = new Probes({
      ...{ clock: context.clock, connect, endpoints: this.#endpoints, signal: context.signal },
      changed: (need) => this.#changed(need),
    })
    slices.subscribe(({ object, old }) => {
      const key = keyOfSlice((object ?? old)!)
      this.#probes.lookAgain(key)
      this.#follow(services).touch(key)
    })
  }

  /** How the pod's requirements are now. From here on the pod is woken when one of them changes. */
  async judge(pod: string, namespace: string, requirements: readonly Requirement[]): Promise<Observation> {
    const resources = await Promise.all(requirements.map(({ target }) => this.#resourceOf(target)))
    // From here to the subscription nothing waits: what changes later wakes the pod.
    const judged: Judged[] = []
    const needs = new Set<string>()
    for (const [index, requirement] of requirements.entries()) {
      const { key, verdict } = this.#need(requirement, resources[index], namespace)
      needs.add(key)
      judged.push({ requirement, verdict })
    }
    this.#needs.set(pod, needs)
    this.circles.touch()
    return { judged, ...(needs.has(UNSERVED) && { againMs: UNSERVED_AGAIN_MS }) }
  }

  /** The pod waits for nothing any more. */
  release(pod: string): void {
    this.#needs.remove(pod)
    this.circles.touch()
  }

  /** What each pod that is held still needs. */
  #waiting(): Map<string, Awaited[]> {
    const { store } = this.#context.informer(pods)
    const awaited = new Map<string, Awaited>()
    const of = (key: string): Awaited[] => {
      const need = this.#known.get(key)
      if (!need || need.told.met) return []
      let known = awaited.get(key)
      if (!known) {
        known = awaitedOf(need.text, need.behind(), store)
        awaited.set(key, known)
      }
      return [known]
    }
    const found = new Map<string, Awaited[]>()
    for (const [key, needs] of this.#needs.all()) {
      const pod = store.get(key)
      if (pod && isGated(pod)) found.set(key, [...needs].flatMap(of))
    }
    return found
  }

  async #resourceOf(target: Requirement['target']): Promise<ResourceRef<KubeObject> | undefined> {
    if (target.type === 'probe') return undefined
    const resource = await this.#resource(target.kind)
    if (resource) await this.#follow(resource).informer.whenSynced(this.#context.signal)
    return resource
  }

  #need(requirement: Requirement, resource: ResourceRef<KubeObject> | undefined, namespace: string) {
    const { target } = requirement
    if (target.type !== 'probe' && !resource)
      return { key: UNSERVED, verdict: { met: false, why: `the cluster serves no kind ${JSON.stringify(target.kind)}` } }
    const where = resource && !resource.namespaced ? '' : namespaceOf(target, namespace)
    const key = keyOfNeed(requirement, resource, where)
    let need = this.#known.get(key)
    if (!need) {
      need = this.#makeNeed(key, requirement, resource, where)
      this.#known.set(key, need)
    }
    return { key, verdict: need.told }
  }

  #makeNeed(key: string, requirement: Requirement, resource: ResourceRef<KubeObject> | undefined, where: string): Need {
    const { target } = requirement
    if (target.type === 'probe') return this.#probeNeed(key, target, where, requirement.text)
    const followed = this.#follow(resource!)
    if (target.type === 'object') return this.#objectNeed(key, target, requirement, followed, where)
    return this.#pickedNeed(key, target, requirement, followed, where)
  }

  #probeNeed(key: string, target: ProbeTarget, namespace: string, text: string): Need {
    this.#probes.follow(key, target, namespace)
    const judge = () => this.#probes.verdict(key)
    const named = serviceOfHost(target.host, namespace)
    const service = () => (named ? this.#follow(services).informer.store.get(`${named.namespace}/${named.name}`) : undefined)
    const behind = () => [service() ?? []].flat()
    return { text, told: judge(), judge, forget: () => this.#probes.forget(key), behind }
  }

  #objectNeed(need: string, { name }: ObjectTarget, requirement: Requirement, followed: Followed, where: string): Need {
    const key = where === '' ? name : `${where}/${name}`
    const judge = () => this.#judgeObject(followed.informer.store.get(key), key, requirement)
    followed.followObject(need, key)
    const behind = () => (isOfPods(requirement) ? [followed.informer.store.get(key) ?? []].flat() : [])
    return { text: requirement.text, told: judge(), judge, forget: () => followed.forgetObject(need, key), behind }
  }

  #judgeObject(object: KubeObject | undefined, key: string, { condition, optional }: Requirement): Verdict {
    if (!object) return optional ? MET : { met: false, why: 'there is none' }
    // A Service is up when something behind it is.
    const isService = object.kind === 'Service' && (condition === undefined || condition === 'Ready')
    if (!isService || object.spec?.type === 'ExternalName') return verdictOf(object, condition)
    return this.#endpoints.ready(key) > 0 ? MET : { met: false, why: 'it has no ready endpoint' }
  }

  #pickedNeed(key: string, target: SelectorTarget, requirement: Requirement, followed: Followed, where: string): Need {
    const picked = new Picked(target, requirement)
    followed.followPicked(key, where, picked)
    const judge = () => picked.verdict()
    const behind = () => (isOfPods(requirement) ? picked.keys() : []).flatMap((one) => followed.informer.store.get(one) ?? [])
    return { text: requirement.text, told: judge(), judge, forget: () => followed.forgetPicked(key, where, picked), behind }
  }

  #resource(word: string): Promise<ResourceRef<KubeObject> | undefined> {
    const kinds = resourcesOf(this.#context.client, this.#context.clock)
    return kinds.find(word).then(async (found) => {
      if (found) return found
      await this.#followDefinitions()
      return kinds.find(word)
    })
  }

  /** New kinds come by definitions; each change is a reason to look which are served. */
  async #followDefinitions(): Promise<void> {
    const { informer } = this.#follow(DEFINITIONS)
    if (!this.#followsDefinitions) {
      this.#followsDefinitions = true
      informer.subscribe(() => {
        resourcesOf(this.#context.client, this.#context.clock).refresh()
        for (const pod of this.#needs.waiting(UNSERVED)) this.#wake(pod)
      })
    }
    await informer.whenSynced(this.#context.signal)
  }

  #follow(resource: ResourceRef<never> | ResourceRef<KubeObject>): Followed {
    const name = nameOf(resource)
    let followed = this.#followed.get(name)
    if (!followed) {
      followed = new Followed(this.#context.informer(resource as ResourceRef<KubeObject>), (need) => this.#changed(need))
      this.#followed.set(name, followed)
    }
    return followed
  }

  /** Something that the need is about changed: those who wait hear of it if that makes a difference. */
  #changed(key: string): void {
    const need = this.#known.get(key)
    if (!need) return
    this.circles.touch()
    const before = need.told
    const now = need.judge()
    if (now.met === before.met && now.why === before.why) return
    need.told = now
    const pods = this.#needs.waiting(key)
    const afterMs = now.met === before.met && pods.size > MANY ? TELL_MANY_MS : 0
    for (const pod of pods) this.#wake(pod, { afterMs })
  }

  #forget(key: string): void {
    this.#known.get(key)?.forget()
    this.#known.delete(key)
  }
}

export interface Observation {
  judged: readonly Judged[]
  /** When to look again although nothing changes. */
  againMs?: number
}

/** A field that is no status is not brought about by pods. */
function isOfPods({ condition }: Requirement): boolean {
  return condition === undefined || !condition.startsWith('jsonpath=') || condition.startsWith('jsonpath={.status')
}

function namespaceOf(target: Requirement['target'], own: string): string {
  return target.type === 'probe' ? own : (target.namespace ?? own)
}

function nameOf({ plural, group }: Pick<ResourceRef, 'plural' | 'group'>): string {
  return `${plural}.${group}`
}

/** Who needs the same of the same has the same need. */
function keyOfNeed({ target, condition, optional }: Requirement, resource: ResourceRef | undefined, where: string): string {
  if (target.type === 'probe') return `${target.scheme}://${target.host}:${target.port}/${target.path} from ${where}`
  const what = target.type === 'object' ? `/${target.name}` : `[${target.selector}]`
  return `${nameOf(resource!)} ${where}${what} ${optional ? 'optional ' : ''}${condition ?? ''}`
}
