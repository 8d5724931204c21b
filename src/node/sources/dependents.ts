/**
 * Which pods require which: kept change by change, so that a pod that ends finds those that depend on it without looking at all.
 * Sees the pods that the informer has: all of the cluster's where it is shared, else those of this node.
 */
import { RESOLVED } from '../../api/requires/names.ts'
import type { Requirement } from '../../api/requires/requirement.ts'
import { resolvedRequirements } from '../../api/requires/resolved.ts'
import { podKindOf, serviceOfHost } from '../../api/requires/targets.ts'
import { type LabelSelector, parseLabelSelector, SelectorError, setSelector } from '../../api/selectors.ts'
import type { Pod, Service } from '../../api/types.ts'
import { type Informer, keyOf } from '../../watch/index.ts'

const TEMPLATE_HASH = 'pod-template-hash'
/** A longer chain of pods that depend on one another is not followed when a circle is looked for. */
const MAX_FOLLOWED = 1_000

export class Dependents {
  readonly #pods: Informer<Pod>
  readonly #services: Informer<Service>
  /** By what they require, as `Pod NAMESPACE/NAME`, `Service …`, `Deployment …`, or `pods NAMESPACE[SELECTOR]`: keys of pods. */
  readonly #byTarget = new Map<string, Set<string>>()
  readonly #targetsOf = new Map<string, readonly string[]>()
  /** Names of Services, and selectors of pods, that somebody requires, by their namespace. */
  readonly #requiredServices = new Map<string, Set<string>>()
  readonly #selectors = new Map<string, Map<string, LabelSelector>>()
  readonly #listeners = new Map<string, Set<() => void>>()

  constructor(pods: Informer<Pod>, services: Informer<Service>) {
    this.#pods = pods
    this.#services = services
    pods.subscribe(({ key, object, old }) => {
      const text = annotationOf(object)
      if (text !== annotationOf(old)) this.#set(key, object ? targetsOf(object) : [])
      for (const listener of this.#listeners.get(key) ?? []) listener()
    })
  }

  /** Those that run and require the pod, but not those that it requires itself, over however many others. */
  of(pod: Pod): Pod[] {
    if (this.#byTarget.size === 0) return []
    return this.#direct(pod).filter((one) => !this.#isDependent(pod, one))
  }

  /** Calls back at every change of one of these pods; the returned function ends it. */
  follow(pods: readonly Pod[], changed: () => void): () => void {
    const keys = pods.map(keyOf)
    for (const key of keys) this.#listeners.set(key, (this.#listeners.get(key) ?? new Set()).add(changed))
    return () => {
      for (const key of keys) {
        const listeners = this.#listeners.get(key)
        listeners?.delete(changed)
        if (listeners?.size === 0) this.#listeners.delete(key)
      }
    }
  }

  /** Whether the pod is among the dependents of another, or those of its dependents, and so on. */
  #isDependent(pod: Pod, of: Pod): boolean {
    const key = keyOf(pod)
    const seen = new Set([keyOf(of)])
    const waiting = [of]
    for (let next = waiting.pop(); next && seen.size < MAX_FOLLOWED; next = waiting.pop())
      for (const one of this.#direct(next)) {
        const found = keyOf(one)
        if (found === key) return true
        if (seen.has(found)) continue
        seen.add(found)
        waiting.push(one)
      }
    return false
  }

  #direct(pod: Pod): Pod[] {
    const keys = new Set(this.#targetsFor(pod).flatMap((target) => [...(this.#byTarget.get(target) ?? [])]))
    keys.delete(keyOf(pod))
    return [...keys].flatMap((key) => this.#pods.store.get(key) ?? []).filter(hasRunningContainer)
  }

  /** Everything by which somebody may require the pod. */
  #targetsFor(pod: Pod): string[] {
    const { namespace = '', labels } = pod.metadata
    const targets = [`Pod ${keyOf(pod)}`, ...ownersOf(pod).map((owner) => `${owner.kind} ${namespace}/${owner.name}`)]
    for (const name of this.#requiredServices.get(namespace) ?? []) {
      const selector = this.#services.store.get(`${namespace}/${name}`)?.spec?.selector
      if (selector && Object.keys(selector).length > 0 && setSelector(selector).matches(labels))
        targets.push(`Service ${namespace}/${name}`)
    }
    for (const [target, selector] of this.#selectors.get(namespace) ?? []) if (selector.matches(labels)) targets.push(target)
    return targets
  }

  #set(pod: string, targets: readonly Target[]): void {
    for (const id of this.#targetsOf.get(pod) ?? []) this.#forget(id, pod)
    this.#targetsOf.delete(pod)
    if (targets.length === 0) return
    this.#targetsOf.set(
      pod,
      targets.map(({ id }) => id),
    )
    for (const { id, namespace, service, selector } of targets) {
      this.#byTarget.set(id, (this.#byTarget.get(id) ?? new Set()).add(pod))
      if (service) this.#requiredServices.set(namespace, (this.#requiredServices.get(namespace) ?? new Set()).add(service))
      if (selector) this.#selectors.set(namespace, (this.#selectors.get(namespace) ?? new Map()).set(id, selector))
    }
  }

  #forget(id: string, pod: string): void {
    const pods = this.#byTarget.get(id)
    pods?.delete(pod)
    if (pods?.size !== 0) return
    this.#byTarget.delete(id)
    const [, kind = '', namespace = '', rest = ''] = /^(\S+) ([^/[]*)(.*)$/s.exec(id) ?? []
    if (kind === 'Service') this.#requiredServices.get(namespace)?.delete(rest.slice(1))
    if (kind === 'pods') this.#selectors.get(namespace)?.delete(id)
  }
}

interface Target {
  id: string
  namespace: string
  service?: string
  selector?: LabelSelector
}

function annotationOf(pod: Pod | undefined): string | undefined {
  return pod?.metadata.annotations?.[RESOLVED]
}

function targetsOf(pod: Pod): Target[] {
  return (resolvedRequirements(pod) ?? []).flatMap((requirement) => targetOf(requirement, pod.metadata.namespace ?? '') ?? [])
}

/** Undefined for what has nothing to do with pods. */
function targetOf({ target }: Requirement, own: string): Target | undefined {
  if (target.type === 'probe') {
    const named = serviceOfHost(target.host, own)
    return named && { id: `Service ${named.namespace}/${named.name}`, namespace: named.namespace, service: named.name }
  }
  const kind = podKindOf(target.kind)
  const namespace = target.namespace ?? own
  if (target.type === 'object')
    return kind === undefined
      ? undefined
      : { id: `${kind} ${namespace}/${target.name}`, namespace, ...(kind === 'Service' && { service: target.name }) }
  if (kind !== 'Pod') return undefined
  try {
    const selector = parseLabelSelector(target.selector)
    return { id: `pods ${namespace}[${target.selector}]`, namespace, selector }
  } catch (error) {
    // Admission refuses such a one.
    if (error instanceof SelectorError) return undefined
    throw error
  }
}

/** Its controller, and the Deployment of that, which a ReplicaSet tells by its name. */
function ownersOf({ metadata }: Pod): { kind: string; name: string }[] {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (!owner) return []
  const hash = metadata.labels?.[TEMPLATE_HASH]
  const isOfDeployment = owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)
  return isOfDeployment ? [owner, { kind: 'Deployment', name: owner.name.slice(0, -hash.length - 1) }] : [owner]
}

/** As far as its status says so; what has not come to run holds nobody up. */
function hasRunningContainer({ status }: Pod): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return false
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(({ state }) => state?.running)
}
