/** Discovery: which groups, versions and resources are served. Written from the registry, once for each state of it. */
import { createHash } from 'node:crypto'
import type { ResourceDefinition, SubresourceDefinition, Verb } from '../../api/definition.ts'
import { groupVersion } from '../../api/definition.ts'
import type { OutsideResource, OutsideVersions } from '../aggregation/outside.ts'
import type { Registry } from '../registry.ts'

interface Version {
  version: string
  preference: number
  definitions: ResourceDefinition[]
  /** Of a version that a server outside serves. */
  outside?: { available: boolean; resources: readonly OutsideResource[] }
}

/** Groups in order of registration, each with its versions, preferred first. */
function groupsOf(registry: Registry, outside: OutsideVersions): Map<string, Version[]> {
  const groups = new Map<string, Version[]>()
  for (const { definition } of registry.resources()) {
    const { group, version, preference = 0 } = definition
    const versions = groups.get(group) ?? []
    groups.set(group, versions)
    const known = versions.find((one) => one.version === version)
    if (known) {
      known.definitions.push(definition)
      known.preference = Math.max(known.preference, preference)
    } else versions.push({ version, preference, definitions: [definition] })
  }
  for (const { group, version, priority, available, resources } of outside.all()) {
    const others = (groups.get(group) ?? []).filter((one) => one.version !== version)
    groups.set(group, [...others, { version, preference: priority, definitions: [], outside: { available, resources } }])
  }
  for (const versions of groups.values()) versions.sort((a, b) => b.preference - a.preference)
  return groups
}

export class Discovery {
  readonly #registry: Registry
  readonly #outside: OutsideVersions
  #generation = -1
  #groups = new Map<string, Version[]>()
  #kept = new Map<string, object | undefined>()

  constructor(registry: Registry, outside: OutsideVersions) {
    this.#registry = registry
    this.#outside = outside
  }

  /** `/api` */
  coreVersions(): object {
    return this.#keep('/api', () => {
      const versions = (this.#groups.get('') ?? []).map(({ version }) => version)
      return { kind: 'APIVersions', versions, serverAddressByClientCIDRs: [] }
    })!
  }

  /** `/apis` */
  groupList(): object {
    return this.#keep('/apis', () => {
      const groups = [...this.#groups].filter(([name]) => name !== '').map(([name, versions]) => groupOf(name, versions))
      return { kind: 'APIGroupList', apiVersion: 'v1', groups }
    })!
  }

  /** `/apis/GROUP`; undefined for a group that is not served. */
  group(name: string): object | undefined {
    return this.#keep(`/apis/${name}`, () => {
      const versions = name === '' ? undefined : this.#groups.get(name)
      return versions && { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name, versions) }
    })
  }

  /** `/apis/GROUP/VERSION`, `/api/v1`; undefined when it is not served. */
  resources(group: string, version: string): object | undefined {
    return this.#keep(`/apis/${group}/${version}`, () => {
      const found = this.#groups.get(group)?.find((one) => one.version === version)
      if (!found) return undefined
      const resources = byName(found.definitions).flatMap((definition) => [resourceOf(definition), ...subresourcesOf(definition)])
      const list = { kind: 'APIResourceList', groupVersion: groupVersion({ group, version }), resources }
      return group === '' ? list : { ...list, apiVersion: 'v1' }
    })
  }

  /** All of `/api` or of `/apis` in one document (`apidiscovery.k8s.io/v2`). */
  aggregated(core: boolean): object {
    return this.#keep(`aggregated ${core}`, () => {
      const items = [...this.#groups]
        .filter(([name]) => (name === '') === core)
        .map(([name, versions]) => ({
          metadata: name === '' ? {} : { name },
          versions: versions.map(({ version, definitions, outside }) => ({
            version,
            resources: outside ? outsideResources(outside.resources) : byName(definitions).map(aggregatedResource),
            freshness: outside?.available === false ? 'Stale' : 'Current',
          })),
        }))
      return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
    })!
  }

  /** Every group's path and every version's, for `/`. */
  paths(): string[] {
    this.#refresh()
    const paths: string[] = []
    for (const [group, versions] of this.#groups) {
      const root = group === '' ? '/api' : `/apis/${group}`
      paths.push(root, ...versions.map(({ version }) => `${root}/${version}`))
    }
    return paths
  }

  #refresh(): void {
    const generation = this.#registry.generation + this.#outside.generation
    if (this.#generation === generation) return
    this.#generation = generation
    this.#groups = groupsOf(this.#registry, this.#outside)
    this.#kept.clear()
  }

  #keep(key: string, make: () => object | undefined): object | undefined {
    this.#refresh()
    if (!this.#kept.has(key)) this.#kept.set(key, make())
    return this.#kept.get(key)
  }
}

function byName(definitions: readonly ResourceDefinition[]): ResourceDefinition[] {
  return [...definitions].sort((a, b) => (a.plural < b.plural ? -1 : 1))
}

function groupOf(name: string, versions: readonly Version[]): object {
  const listed = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: listed, preferredVersion: listed[0], serverAddressByClientCIDRs: [] }
}

/** What is being removed is not to be written any more, though what its finalizers need still is. */
const ENDING_VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'watch']

function verbsOf({ verbs, terminating }: ResourceDefinition): readonly Verb[] {
  return terminating ? ENDING_VERBS : verbs
}

function resourceOf(definition: ResourceDefinition): object {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = definition
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: verbsOf(definition),
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(verbs.includes('watch') && { storageVersionHash: storageHash(definition) }),
  }
}

/** Changes when objects come to be stored in another version. */
function storageHash({ group, version, kind }: ResourceDefinition): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64')
}

function subresourcesOf(definition: ResourceDefinition): object[] {
  return sortedSubresources(definition).map((subresource) => ({
    name: `${definition.plural}/${subresource.name}`,
    singularName: '',
    namespaced: definition.namespaced,
    ...foreignKind(definition, subresource),
    kind: subresource.kind.kind,
    verbs: subresource.verbs,
  }))
}

function sortedSubresources({ subresources }: ResourceDefinition): SubresourceDefinition[] {
  return [...subresources].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Group and version of a subresource's kind, where they are not the resource's own. */
function foreignKind(definition: ResourceDefinition, { kind }: SubresourceDefinition): object {
  const { group, version } = kind
  return group === definition.group && version === definition.version ? {} : { group, version }
}

function aggregatedResource(definition: ResourceDefinition): object {
  const { plural, singular, namespaced, kind, shortNames, categories } = definition
  const subresources = sortedSubresources(definition).map((subresource) => ({
    subresource: subresource.name,
    responseKind: { group: '', version: '', ...foreignKind(definition, subresource), kind: subresource.kind.kind },
    verbs: subresource.verbs,
  }))
  return {
    resource: plural,
    responseKind: { group: '', version: '', kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: verbsOf(definition),
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(subresources.length > 0 && { subresources }),
  }
}

/** A plain list of resources and subresources as the aggregated form has them. */
function outsideResources(list: readonly OutsideResource[]): object[] {
  const kindOf = ({ group = '', version = '', kind }: OutsideResource) => ({ group, version, kind })
  return list
    .filter(({ name }) => !name.includes('/'))
    .map((one) => {
      const { name, namespaced, singularName = '', verbs, shortNames, categories } = one
      const subresources = list
        .filter((other) => other.name.startsWith(`${name}/`))
        .map((other) => ({ subresource: other.name.slice(name.length + 1), responseKind: kindOf(other), verbs: other.verbs }))
      return {
        ...{
          resource: name,
          responseKind: kindOf(one),
          scope: namespaced ? 'Namespaced' : 'Cluster',
          singularResource: singularName,
          verbs,
        },
        ...(shortNames?.length && { shortNames }),
        ...(categories?.length && { categories }),
        ...(subresources.length > 0 && { subresources }),
      }
    })
}
