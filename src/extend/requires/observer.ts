/**
 * Judges requirements by what is there now, and wakes those who wait when that changes. Informers of the kinds that are
 * required start with the first requirement; nothing here asks the server again and again.
 */
import type { KubeObject } from '../../api/object.ts'
import { MET, type Verdict, verdictOf } from '../../api/requires/condition.ts'
import type { ObjectTarget, Requirement, SelectorTarget } from '../../api/requires/requirement.ts'
import { parseLabelSelector } from '../../api/selectors.ts'
import type { ResourceRef } from '../../client/client.ts'
import { endpointSlices, services } from '../../client/resources.ts'
import type { ReconcileContext } from '../../reconcile/reconciler.ts'
import { type Informer, splitKey } from '../../watch/informer.ts'
import type { Connect } from './attempt.ts'
import { resourcesOf } from './kinds.ts'
import { Needs } from './needs.ts'
import { Probes } from './probes.ts'
import { keyOfSlice, ServiceEndpoints } from './service-endpoints.ts'

/** What waits for a kind that is not served; a new kind wakes all of them. */
export const UNSERVED = 'unserved'
/** A definition is served a moment after it is seen. */
export const UNSERVED_AGAIN_MS = 2_000
const DEFINITIONS: ResourceRef<KubeObject> = {
  ...{ group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
  ...{ kind: 'CustomResourceDefinition', namespaced: false },
}

export class Observer {
  readonly needs = new Needs()
  readonly #context: ReconcileContext
  readonly #wake: (pod: string) => void
  readonly #endpoints: ServiceEndpoints
  readonly #probes: Probes
  readonly #followed = new Map<string, Informer<KubeObject>>()

  constructor(context: ReconcileContext, connect: Connect, wake: (pod: string) => void) {
    this.#context = context
    this.#wake = wake
    const slices = context.informer(endpointSlices)
    this.#endpoints = new ServiceEndpoints(this.#follow(services) as unknown as Informer<never>, slices)
    this.#probes = new Probes({
      ...{ clock: context.clock, connect, endpoints: this.#endpoints, signal: context.signal },
      isNeeded: (need) => this.needs.isNeeded(need),
      changed: (need) => this.#changed(need),
    })
    slices.subscribe(({ object, old }) => {
      const key = keyOfSlice((object ?? old)!)
      const { namespace, name } = splitKey(key)
      this.#probes.lookAgain(namespace, name)
      this.#changed(needOf(services, namespace, name))
    })
  }

  /** What a requirement is subscribed under. */
  async needFor({ target }: Requirement, namespace: string): Promise<string> {
    if (target.type === 'probe') return `probe ${target.scheme}://${target.host}:${target.port}/${target.path} from ${namespace}`
    const resource = await this.#resource(target.kind)
    if (!resource) return UNSERVED
    const where = resource.namespaced ? (target.namespace ?? namespace) : ''
    return needOf(resource, where, target.type === 'object' ? target.name : '*')
  }

  async judge(requirement: Requirement, need: string, namespace: string): Promise<Verdict> {
    const { target } = requirement
    if (target.type === 'probe') return this.#probes.verdict(need, target, namespace)
    const resource = await this.#resource(target.kind)
    if (!resource) return { met: false, why: `the cluster serves no kind ${JSON.stringify(target.kind)}` }
    const informer = this.#follow(resource)
    await informer.whenSynced(this.#context.signal)
    const where = resource.namespaced ? (target.namespace ?? namespace) : ''
    if (target.type === 'selector') return this.#judgeSelected(informer, target, where, requirement)
    return this.#judgeObject(informer, target, where, requirement)
  }

  #judgeObject(
    informer: Informer<KubeObject>,
    target: ObjectTarget,
    where: string,
    { condition, optional }: Requirement,
  ): Verdict {
    const object = informer.store.get(where === '' ? target.name : `${where}/${target.name}`)
    if (!object) return optional ? MET : { met: false, why: 'there is none' }
    // A Service is up when something behind it is.
    const isService = object.kind === 'Service' && (condition === undefined || condition === 'Ready')
    if (!isService || object.spec?.type === 'ExternalName') return verdictOf(object, condition)
    return this.#endpoints.ready(where, target.name) > 0 ? MET : { met: false, why: 'it has no ready endpoint' }
  }

  #judgeSelected(
    informer: Informer<KubeObject>,
    { selector }: SelectorTarget,
    where: string,
    { condition, optional }: Requirement,
  ): Verdict {
    const picked = parseLabelSelector(selector)
    const objects = informer.store.list(where || undefined).filter(({ metadata }) => picked.matches(metadata.labels))
    if (objects.length === 0) return optional ? MET : { met: false, why: 'there is none' }
    for (const object of objects) {
      const verdict = verdictOf(object, condition)
      if (!verdict.met) return { met: false, why: `${object.metadata.name}: ${verdict.why}` }
    }
    return MET
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
    const informer = this.#follow(DEFINITIONS)
    await informer.whenSynced(this.#context.signal)
  }

  #follow(resource: ResourceRef<never> | ResourceRef<KubeObject>): Informer<KubeObject> {
    const name = `${resource.plural}.${resource.group}`
    const known = this.#followed.get(name)
    if (known) return known
    const informer = this.#context.informer(resource as ResourceRef<KubeObject>)
    this.#followed.set(name, informer)
    const isDefinitions = resource.plural === DEFINITIONS.plural && resource.group === DEFINITIONS.group
    informer.subscribe(({ key }) => {
      const { namespace, name: object } = splitKey(key)
      this.#changed(needOf(resource, namespace, object))
      this.#changed(needOf(resource, namespace, '*'))
      if (!isDefinitions) return
      resourcesOf(this.#context.client, this.#context.clock).refresh()
      this.#changed(UNSERVED)
    })
    return informer
  }

  #changed(need: string): void {
    for (const pod of this.needs.waiting(need)) this.#wake(pod)
  }
}

function needOf({ plural, group }: Pick<ResourceRef, 'plural' | 'group'>, namespace: string, name: string): string {
  return `${plural}.${group} ${namespace}/${name}`
}
