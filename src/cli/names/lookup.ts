/**
 * All objects of a name, whatever their kind. A server with the name index answers in one request; any other is asked for the
 * metadata of each kind's object of that name, several at a time.
 */
import type { KubeObject, Metadata } from '../../api/object.ts'
import { isNotFound, qualified, StatusError } from '../../api/status.ts'
import { nearest } from '../../base/nearest.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { collectionPath, objectPath } from '../../client/paths.ts'
import type { Session } from '../session.ts'
import type { Candidate } from './candidate.ts'
import { isShadow, type Needs } from './needs.ts'

export interface Lookup {
  readonly found: readonly Candidate[]
  /** Names close to the one asked for; only looked for when nothing was found. */
  readonly near: readonly Pick<Candidate, 'resource' | 'name'>[]
  /** Kinds that the user may not read, as `secrets`: the name may be among them. */
  readonly unreadable: readonly string[]
}

/** Where to look. */
export interface Scope {
  /** Undefined: in all namespaces. */
  readonly namespace: string | undefined
}

/** Where skiff's server answers; others lack it. */
const REVIEW_VERSION = 'skiff.dev/v1alpha1'
const NAME_REVIEWS: ResourceRef = {
  ...{ group: 'skiff.dev', version: 'v1alpha1', plural: 'namereviews', kind: 'NameReview', namespaced: true },
}
/** Requests under way at once. */
const MAX_PARALLEL = 16
/** Names of one kind that are looked through for near ones. */
const MAX_LISTED = 250
const METADATA_ACCEPT = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json'
const METADATA_LIST_ACCEPT = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'

export async function lookUp(name: string, needs: Needs, scope: Scope, session: Session): Promise<Lookup> {
  const resources = await namedResources(session)
  const able = resources.filter((one) => needs.rank(one) !== undefined)
  const others = resources.filter((one) => needs.rank(one) === undefined)
  const ask = (await session.discovery.forKind(REVIEW_VERSION, 'NameReview')) ? reviewOrRead : readEach
  const lookup = await ask(name, able, scope, session)
  if (lookup.found.length > 0 || others.length === 0) return lookup
  // What bears the name and cannot serve is worth a better answer than that there is nothing.
  const { found } = await ask(name, others, scope, session)
  return { ...lookup, found }
}

interface ReviewStatus {
  matches: Described[]
  near?: Described[]
  unreadable?: string[]
}
interface Described {
  apiVersion: string
  resource: string
  metadata: Metadata
}

/** Who may not ask for a review may still read. */
async function reviewOrRead(...question: Parameters<typeof review>): Promise<Lookup> {
  try {
    return await review(...question)
  } catch (error) {
    if (!isUnavailable(error)) throw error
    return readEach(...question)
  }
}

async function review(name: string, resources: readonly DiscoveredResource[], scope: Scope, session: Session): Promise<Lookup> {
  const byName = new Map(resources.map((one) => [qualified(one), one]))
  const order = new Map(resources.map((one, position) => [one, position]))
  const { object } = await session.quiet.request({
    method: 'POST',
    path: collectionPath(NAME_REVIEWS, scope.namespace ?? session.namespace),
    body: {
      apiVersion: REVIEW_VERSION,
      kind: 'NameReview',
      spec: { name, resources: [...byName.keys()], ...(scope.namespace === undefined && { allNamespaces: true }) },
    },
  })
  const { matches, near = [], unreadable = [] } = object.status as ReviewStatus
  const candidates = (all: readonly Described[]) =>
    all.flatMap(({ apiVersion, resource, metadata }) => {
      const [, group = ''] = apiVersion.split('/').reverse()
      const known = byName.get(qualified({ group, plural: resource }))
      return known ? [candidateOf(known, metadata)] : []
    })
  const found = candidates(matches).sort((a, b) => order.get(a.resource)! - order.get(b.resource)!)
  return { found, near: candidates(near), unreadable }
}

/** As a server without the index is asked: each kind for its object of that name. */
async function readEach(name: string, resources: readonly DiscoveredResource[], scope: Scope, session: Session): Promise<Lookup> {
  const unreadable: string[] = []
  const read = await inParallel(resources, (resource) => readOne(name, resource, scope, session, unreadable))
  const found = read.flat()
  const near = found.length > 0 ? [] : await nearNames(name, resources, scope, session)
  return { found, near, unreadable: unreadable.sort() }
}

/** Each resource once, in its preferred version, as far as its objects can be read by name. */
async function namedResources({ discovery }: Session): Promise<DiscoveredResource[]> {
  const seen = new Set<string>()
  return (await discovery.resources()).filter((one) => {
    const key = `${one.group}/${one.plural}`
    if (seen.has(key) || isShadow(one) || !one.verbs.includes('get') || !one.verbs.includes('list')) return false
    seen.add(key)
    return true
  })
}

async function readOne(
  name: string,
  resource: DiscoveredResource,
  { namespace }: Scope,
  session: Session,
  unreadable: string[],
): Promise<Candidate[]> {
  const everywhere = resource.namespaced && namespace === undefined
  const path = everywhere ? collectionPath(resource) : objectPath(resource, name, namespace)
  try {
    const { object } = await session.quiet.request({
      method: 'GET',
      path,
      ...(everywhere && { query: { fieldSelector: `metadata.name=${name}` } }),
      headers: { accept: everywhere ? METADATA_LIST_ACCEPT : METADATA_ACCEPT },
    })
    const objects = everywhere ? (object.items as KubeObject[]) : [object]
    return objects.map(({ metadata }) => candidateOf(resource, metadata))
  } catch (error) {
    if (!isUnavailable(error)) throw error
    if ((error as StatusError).code === 403) unreadable.push(qualified(resource))
    return []
  }
}

/** Absent, forbidden, or of a kind whose server is away: no object to be had, and no reason to give up on the others. */
function isUnavailable(error: unknown): boolean {
  return error instanceof StatusError && (isNotFound(error) || [403, 404, 405, 503].includes(error.code))
}

export function candidateOf(resource: DiscoveredResource, metadata: Metadata): Candidate {
  return { resource, name: metadata.name ?? '', namespace: resource.namespaced ? metadata.namespace : undefined, metadata }
}

async function nearNames(
  name: string,
  resources: readonly DiscoveredResource[],
  { namespace }: Scope,
  session: Session,
): Promise<Pick<Candidate, 'resource' | 'name'>[]> {
  const names = await inParallel(resources, async (resource) => {
    try {
      const { object } = await session.quiet.request({
        method: 'GET',
        path: collectionPath(resource, namespace),
        query: { limit: String(MAX_LISTED) },
        headers: { accept: METADATA_LIST_ACCEPT },
      })
      return (object.items as KubeObject[]).map(({ metadata }) => ({ resource, name: metadata.name ?? '', metadata }))
    } catch (error) {
      if (!isUnavailable(error)) throw error
      return []
    }
  })
  const roots = names.flat().filter(({ metadata }) => !metadata.ownerReferences?.some(({ controller }) => controller))
  return nearest(name, roots)
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!)
  }
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, items.length) }, worker))
  return results
}
