/**
 * Which resources a server has, and which of them a user's word means. Reads the aggregated form (`apidiscovery.k8s.io/v2`)
 * and, where a server has none, the plain lists. Asked once and kept until `refresh`; with a cache, what an earlier process read counts
 * for as long as the server says that it is still so.
 */
import type { KubeObject } from '../api/object.ts'
import { StatusError } from '../api/status.ts'
import type { ResourceRef } from './client.ts'
import type { Transport, TransportResponse } from './transport.ts'

export interface DiscoveredResource extends ResourceRef {
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: readonly string[]
  readonly subresources: readonly string[]
}

export interface Discovery {
  /** Core first, then the groups in the server's order, each group's preferred version first. */
  resources(): Promise<readonly DiscoveredResource[]>
  /** By plural, singular, short name or kind, in any case; also `deployments.apps` and `deployments.v1.apps`. */
  find(word: string): Promise<DiscoveredResource | undefined>
  /** Every resource of a category such as `all`. */
  category(word: string): Promise<readonly DiscoveredResource[]>
  forKind(apiVersion: string, kind: string): Promise<DiscoveredResource | undefined>
  /** Forgets what is known: the next question asks the server. */
  refresh(): void
}

/** What was read of a root (`/api`, `/apis`), and the server's tag for it. */
export interface CachedRoot {
  readonly tag: string
  readonly resources: readonly DiscoveredResource[]
}

/** Keeps what was read beyond this process. */
export interface DiscoveryCache {
  read(root: string): CachedRoot | undefined
  write(root: string, known: CachedRoot): void
}

const NOT_MODIFIED = 304
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

export function createDiscovery(transport: Transport, cache?: DiscoveryCache): Discovery {
  let known: Promise<readonly DiscoveredResource[]> | undefined
  const resources = () => {
    known ??= readAll(transport, cache)
    return known
  }
  const forKind: Discovery['forKind'] = async (apiVersion, kind) => {
    const [version = '', group = ''] = apiVersion.split('/').reverse()
    return (await resources()).find((one) => one.kind === kind && one.group === group && one.version === version)
  }
  return {
    resources,
    forKind,
    async find(word) {
      return findByWord(await resources(), word.toLowerCase())
    },
    async category(word) {
      const seen = new Set<string>()
      return (await resources()).filter((one) => {
        const key = `${one.plural}.${one.group}`
        if (!one.categories.includes(word) || seen.has(key)) return false
        seen.add(key)
        return true
      })
    },
    refresh() {
      known = undefined
    },
  }
}

function findByWord(all: readonly DiscoveredResource[], word: string): DiscoveredResource | undefined {
  const [name = '', ...rest] = word.split('.')
  const groups = rest.join('.')
  const called = (one: DiscoveredResource) => one.plural === name || one.singular === name || one.kind.toLowerCase() === name
  const where = (one: DiscoveredResource) =>
    groups === '' ||
    one.group === groups ||
    `${one.version}.${one.group}` === groups ||
    (one.group === '' && groups === one.version)
  return (
    all.find((one) => called(one) && where(one)) ??
    all.find((one) => one.shortNames.includes(name) && where(one)) ??
    all.find((one) => called(one) && groups !== '' && one.group.startsWith(`${groups}.`))
  )
}

async function readAll(transport: Transport, cache: DiscoveryCache | undefined): Promise<readonly DiscoveredResource[]> {
  const parts = await Promise.all(['/api', '/apis'].map((root) => readRoot(transport, root, cache)))
  return parts.flat()
}

async function readRoot(
  transport: Transport,
  path: string,
  cache: DiscoveryCache | undefined,
): Promise<readonly DiscoveredResource[]> {
  const known = cache?.read(path)
  const headers = { accept: AGGREGATED, ...(known && { 'if-none-match': known.tag }) }
  let response: TransportResponse
  try {
    response = await transport.request({ method: 'GET', path, headers })
  } catch (error) {
    if (known && error instanceof StatusError && error.code === NOT_MODIFIED) return known.resources
    throw error
  }
  const { object } = response
  if (object.kind === 'APIGroupDiscoveryList') {
    const resources = (object.items as AggregatedGroup[]).flatMap(ofAggregatedGroup)
    const { etag } = response.headers
    if (etag) cache?.write(path, { tag: etag, resources })
    return resources
  }
  const versions = path === '/api' ? (object.versions as string[]).map((version) => `/api/${version}`) : groupVersionPaths(object)
  const lists = await Promise.all(versions.map((versionPath) => readVersion(transport, versionPath)))
  return lists.flat()
}

interface AggregatedGroup {
  metadata: { name?: string }
  versions: { version: string; resources?: AggregatedResource[] }[]
}
interface AggregatedResource {
  resource: string
  responseKind?: { kind: string }
  scope: string
  singularResource: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  subresources?: { subresource: string }[]
}

function ofAggregatedGroup({ metadata, versions }: AggregatedGroup): DiscoveredResource[] {
  return versions.flatMap(({ version, resources = [] }) =>
    resources.map((one) => ({
      ...{ group: metadata.name ?? '', version, plural: one.resource, kind: one.responseKind?.kind ?? '' },
      ...{ namespaced: one.scope === 'Namespaced', singular: one.singularResource, verbs: one.verbs },
      ...{ shortNames: one.shortNames ?? [], categories: one.categories ?? [] },
      subresources: (one.subresources ?? []).map(({ subresource }) => subresource),
    })),
  )
}

function groupVersionPaths(list: KubeObject): string[] {
  const groups = (list.groups ?? []) as { versions: { groupVersion: string }[]; preferredVersion?: { groupVersion: string } }[]
  return groups.flatMap(({ versions, preferredVersion }) => {
    const names = versions.map(({ groupVersion }) => groupVersion)
    const preferred = preferredVersion?.groupVersion
    const ordered = preferred ? [preferred, ...names.filter((name) => name !== preferred)] : names
    return ordered.map((name) => `/apis/${name}`)
  })
}

interface PlainResource {
  name: string
  singularName: string
  namespaced: boolean
  kind: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
}

async function readVersion(transport: Transport, path: string): Promise<DiscoveredResource[]> {
  const { object } = await transport.request({ method: 'GET', path })
  const [version = '', group = ''] = String(object.groupVersion).split('/').reverse()
  const plain = object.resources as PlainResource[]
  return plain
    .filter(({ name }) => !name.includes('/'))
    .map((one) => ({
      ...{ group, version, plural: one.name, kind: one.kind, namespaced: one.namespaced, verbs: one.verbs },
      singular: one.singularName || one.kind.toLowerCase(),
      ...{ shortNames: one.shortNames ?? [], categories: one.categories ?? [] },
      subresources: plain
        .filter(({ name }) => name.startsWith(`${one.name}/`))
        .map(({ name }) => name.slice(one.name.length + 1)),
    }))
}
