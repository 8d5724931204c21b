/**
 * Which resources are served right now. Definitions come and go at run time (custom resources); everything that depends on
 * the set (discovery, OpenAPI) keys its caches on `generation`.
 */
import { groupVersion, type ResourceDefinition } from '../api/definition.ts'
import type { ResourceName } from '../api/status.ts'

/** A definition with what every verb would otherwise compute again for each request. */
export interface Resource {
  readonly definition: ResourceDefinition
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string
  readonly name: ResourceName
  /** Where its objects lie in the store: `core/pods/`. */
  readonly prefix: string
  /** What every encoded object of this version begins with. */
  readonly head: Buffer
  /** Whether list items carry their own kind and apiVersion, as those of custom resources do. */
  readonly itemsCarryKind: boolean
  /** The version objects are stored in; itself for most. */
  storage: Resource
}

export class Registry {
  #byPath = new Map<string, Resource>()
  #byKind = new Map<string, Resource>()
  #byStorage = new Map<string, Resource>()
  /** Versions that objects are stored in and nobody may ask for, by path. */
  #unserved = new Map<string, Resource>()
  #listeners = new Set<() => void>()
  /** Grows with every change of the set. */
  generation = 0

  constructor(definitions: readonly ResourceDefinition[]) {
    this.add(definitions)
  }

  /** Serves these too; a definition of the same group, version and plural is replaced. */
  add(definitions: readonly ResourceDefinition[]): void {
    for (const definition of definitions) {
      const path = pathOf(definition)
      const [map, other] = definition.unserved ? [this.#unserved, this.#byPath] : [this.#byPath, this.#unserved]
      map.set(path, resourceOf(definition))
      other.delete(path)
    }
    this.#changed()
  }

  remove(definitions: readonly ResourceDefinition[]): void {
    for (const definition of definitions) {
      this.#byPath.delete(pathOf(definition))
      this.#unserved.delete(pathOf(definition))
    }
    this.#changed()
  }

  lookup(group: string, version: string, plural: string): Resource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`)
  }

  lookupKind(apiVersion: string, kind: string): Resource | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`)
  }

  servesGroup(group: string): boolean {
    for (const { definition } of this.#byPath.values()) if (definition.group === group) return true
    return false
  }

  /** Groups of custom resources are nothing but their resources: there, what is missing is a missing page. */
  servesBuiltInGroup(group: string): boolean {
    for (const { definition, itemsCarryKind } of this.#byPath.values())
      if (definition.group === group && !itemsCarryKind) return true
    return false
  }

  /** Whether any version of the group serves the kind. */
  servesKind(group: string, kind: string): boolean {
    for (const { definition } of this.#byPath.values()) if (definition.group === group && definition.kind === kind) return true
    return false
  }

  /** The version of a resource that its objects are stored in. */
  stored(group: string, plural: string): Resource | undefined {
    return this.#byStorage.get(`${group || 'core'}/${plural}/`)
  }

  /** In order of registration. */
  resources(): Iterable<Resource> {
    return this.#byPath.values()
  }

  /** Calls `listener` after each change of the set; returns the unsubscriber. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #changed(): void {
    this.generation += 1
    this.#byKind.clear()
    this.#byStorage.clear()
    for (const resource of this.#byPath.values()) {
      this.#byKind.set(`${resource.apiVersion}/${resource.definition.kind}`, resource)
      if (!resource.definition.storage && !resource.definition.toStorage) this.#byStorage.set(resource.prefix, resource)
    }
    for (const resource of this.#unserved.values()) this.#byStorage.set(resource.prefix, resource)
    for (const resource of this.#byPath.values()) resource.storage = this.#byStorage.get(resource.prefix) ?? resource
    for (const listener of this.#listeners) listener()
  }
}

function pathOf(definition: ResourceDefinition): string {
  return `${definition.group}/${definition.version}/${definition.plural}`
}

/** What verbs and views need of a definition, whether it is registered or not. */
export function resourceOf(definition: ResourceDefinition): Resource {
  const stored = definition.storage ?? definition
  const apiVersion = groupVersion(definition)
  const resource = {
    definition,
    apiVersion,
    name: { group: definition.group, plural: definition.plural },
    prefix: `${stored.group || 'core'}/${stored.plural}/`,
    head: Buffer.from(`{"kind":${JSON.stringify(definition.kind)},"apiVersion":${JSON.stringify(apiVersion)},`),
    itemsCarryKind: typeof definition.schema !== 'string',
  } as Resource
  resource.storage = resource
  return resource
}
