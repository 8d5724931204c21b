/**
 * What is known of the objects around a name: the metadata of all that lies in some namespaces, and the objects themselves as far
 * as they were read. Remembers what it was asked for and does not know, so that it can be read. Reads nothing itself.
 */
import type { KubeObject, OwnerReference } from '../../api/object.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { type Candidate, candidateOf } from '../names/candidate.ts'

/** `apps/deployments`, `/pods`. */
export type ResourceKey = `${string}/${string}`

export function resourceKey({ group, plural }: Pick<DiscoveredResource, 'group' | 'plural'>): ResourceKey {
  return `${group}/${plural}`
}

const SLICES = 'discovery.k8s.io/endpointslices'
const SERVICE_NAME = 'kubernetes.io/service-name'

/** Names an object among all others. */
export function keyOf({ resource, namespace, name }: Pick<Candidate, 'resource' | 'namespace' | 'name'>): string {
  return `${resourceKey(resource)}/${namespace ?? ''}/${name}`
}

export class World {
  readonly #resources: ReadonlyMap<ResourceKey, DiscoveredResource>
  readonly #known = new Map<string, Candidate>()
  readonly #byUid = new Map<string, Candidate>()
  readonly #owned = new Map<string, Candidate[]>()
  readonly #lists = new Map<string, Candidate[]>()
  readonly #onNode = new Map<string, Candidate[]>()
  readonly #slices = new Map<string, Candidate[]>()
  readonly #hidden = new Set<string>()
  readonly #objects = new Map<string, KubeObject>()
  readonly #absent = new Set<string>()
  #lacking = new Map<string, Candidate>()

  /** `resources`: those whose objects can be read. */
  constructor(resources: readonly DiscoveredResource[]) {
    this.#resources = new Map(resources.map((one) => [resourceKey(one), one]))
  }

  resource(key: ResourceKey): DiscoveredResource | undefined {
    return this.#resources.get(key)
  }

  /** In whichever version it is read. */
  resourceOf(apiVersion: string, kind: string): DiscoveredResource | undefined {
    const [, group = ''] = apiVersion.split('/').reverse()
    return [...this.#resources.values()].find((one) => one.kind === kind && one.group === group)
  }

  add(candidate: Candidate, object?: KubeObject): void {
    const key = keyOf(candidate)
    if (object) {
      const isPod = resourceKey(candidate.resource) === '/pods'
      if (isPod && object.spec?.nodeName && !this.#objects.has(key)) push(this.#onNode, object.spec.nodeName, candidate)
      this.#objects.set(key, { ...object, kind: candidate.resource.kind })
    }
    if (this.#known.has(key)) return
    this.#known.set(key, candidate)
    push(this.#lists, listKey(resourceKey(candidate.resource), candidate.namespace), candidate)
    if (candidate.metadata.uid) this.#byUid.set(candidate.metadata.uid, candidate)
    for (const { uid } of candidate.metadata.ownerReferences ?? []) push(this.#owned, uid, candidate)
    const service = candidate.metadata.labels?.[SERVICE_NAME]
    if (service && resourceKey(candidate.resource) === SLICES) push(this.#slices, `${candidate.namespace}/${service}`, candidate)
  }

  /** All of the resource in the namespace were added; `hidden`: they may not be seen. */
  markListed(resource: DiscoveredResource, namespace: string, hidden = false): void {
    const key = listKey(resourceKey(resource), namespace)
    if (hidden) this.#hidden.add(key)
    if (!this.#lists.has(key)) this.#lists.set(key, [])
  }

  /** What was lacking could not be read. */
  markAbsent(candidate: Candidate): void {
    this.#absent.add(keyOf(candidate))
  }

  isHidden(key: ResourceKey, namespace: string | undefined): boolean {
    return this.#hidden.has(listKey(key, namespace))
  }

  all(key: ResourceKey, namespace: string | undefined): readonly Candidate[] {
    return this.#lists.get(listKey(key, namespace)) ?? []
  }

  /** Of all resources. */
  inside(namespace: string): readonly Candidate[] {
    return [...this.#lists].flatMap(([key, list]) => (key.endsWith(`@${namespace}`) ? list : []))
  }

  /** As far as they were read. */
  podsOn(node: string): readonly Candidate[] {
    return this.#onNode.get(node) ?? []
  }

  /** Owned by the Service or not: those that people make carry only its name. */
  slicesOf({ namespace, name }: Candidate): readonly Candidate[] {
    return this.#slices.get(`${namespace}/${name}`) ?? []
  }

  owned({ metadata }: Candidate): readonly Candidate[] {
    return this.#owned.get(metadata.uid ?? '') ?? []
  }

  /** Undefined when there is none, and as long as nobody knows. */
  named(key: ResourceKey, namespace: string | undefined, name: string): Candidate | undefined {
    const resource = this.resource(key)
    if (!resource) return undefined
    const wanted = candidateOf(resource, { name, namespace })
    const id = keyOf(wanted)
    const known = this.#known.get(id)
    if (known) return known
    const isListed = wanted.namespace !== undefined && this.#lists.has(listKey(key, namespace))
    if (!isListed && !this.#absent.has(id)) this.#lacking.set(id, wanted)
    return undefined
  }

  owner({ uid, apiVersion, kind, name }: OwnerReference, namespace: string | undefined): Candidate | undefined {
    const known = this.#byUid.get(uid)
    if (known) return known
    const resource = this.resourceOf(apiVersion, kind)
    const found = resource && this.named(resourceKey(resource), namespace, name)
    return found?.metadata.uid === uid ? found : undefined
  }

  /** The whole of it; undefined as long as only its metadata is known. */
  object(candidate: Candidate): KubeObject | undefined {
    const key = keyOf(candidate)
    const object = this.#objects.get(key)
    if (!object && !this.#absent.has(key)) this.#lacking.set(key, candidate)
    return object
  }

  /** What was asked for since the last call and is not known. */
  takeLacking(): Candidate[] {
    const lacking = [...this.#lacking.values()]
    this.#lacking = new Map()
    return lacking
  }
}

function listKey(key: ResourceKey, namespace: string | undefined): string {
  return `${key}@${namespace ?? ''}`
}

function push(map: Map<string, Candidate[]>, key: string, candidate: Candidate): void {
  const list = map.get(key)
  if (list) list.push(candidate)
  else map.set(key, [candidate])
}
