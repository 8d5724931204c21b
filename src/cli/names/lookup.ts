/**
 * All objects of a name, whatever their kind. A server with the name index answers in one request; any other is asked for the
 * metadata of each kind's object of that name, several at a time.
 */
import type { Metadata } from '../../api/object.ts'
import { qualified } from '../../api/status.ts'
import { nearest } from '../../base/nearest.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { collectionPath } from '../../client/paths.ts'
import type { Session } from '../session.ts'
import { type Candidate, candidateOf, isControlled } from './candidate.ts'
import { inParallel, isUnavailable, listMetadata, namedResources, readMetadata } from './metadata.ts'
import type { Needs } from './needs.ts'

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
/** Names of one kind that are looked through for near ones. */
const MAX_LISTED = 250

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
  const spec = { name, ...(scope.namespace === undefined && { allNamespaces: true }) }
  return postReview(spec, resources, scope.namespace ?? session.namespace, session)
}

async function postReview(
  spec: object,
  resources: readonly DiscoveredResource[],
  namespace: string,
  session: Session,
): Promise<Lookup> {
  const byName = new Map(resources.map((one) => [qualified(one), one]))
  const order = new Map(resources.map((one, position) => [one, position]))
  const { object } = await session.quiet.request({
    method: 'POST',
    path: collectionPath(NAME_REVIEWS, namespace),
    body: { apiVersion: REVIEW_VERSION, kind: 'NameReview', metadata: {}, spec: { ...spec, resources: [...byName.keys()] } },
  })
  const { matches, near = [], unreadable = [] } = object.status as ReviewStatus
  const candidates = (all: readonly Described[]) =>
    all.flatMap(({ apiVersion, resource, metadata }) => {
      const [, group = ''] = apiVersion.split('/').reverse()
      const known = byName.get(qualified({ group, plural: resource }))
      return known ? [candidateOf(known, metadata)] : []
    })
  const found = candidates(matches).sort((a, b) => order.get(a.resource)! - order.get(b.resource)!)
  return { found, near: candidates(near), unreadable: [...unreadable].sort() }
}

/** Names in the namespace that begin like this, of what can serve the verb; not all of them when there are many. */
export async function namesWithPrefix(prefix: string, needs: Needs, limit: number, session: Session): Promise<string[]> {
  const able = (await namedResources(session)).filter(
    (one) => needs.rank(one) !== undefined && (needs.clusterWide || one.namespaced),
  )
  const found = (await session.discovery.forKind(REVIEW_VERSION, 'NameReview'))
    ? (await postReview({ prefix, limit }, able, session.namespace, session)).found
    : (
        await inParallel(able, (resource) => listMetadata(resource, session.namespace, session, { limit: String(limit) }))
      ).flatMap((read) => read.found)
  // What a controller made is nobody's to name, but for pods.
  const meant = found.filter((one) => one.resource.plural === 'pods' || !isControlled(one))
  return [...new Set(meant.map(({ name }) => name))].filter((name) => name.startsWith(prefix))
}

/** As a server without the index is asked: each kind for its object of that name. */
async function readEach(name: string, resources: readonly DiscoveredResource[], scope: Scope, session: Session): Promise<Lookup> {
  const unreadable: string[] = []
  const read = await inParallel(resources, (resource) => readOne(name, resource, scope, session, unreadable))
  const found = read.flat()
  const near = found.length > 0 ? [] : await nearNames(name, resources, scope, session)
  return { found, near, unreadable: unreadable.sort() }
}

async function readOne(
  name: string,
  resource: DiscoveredResource,
  { namespace }: Scope,
  session: Session,
  unreadable: string[],
): Promise<Candidate[]> {
  const { found, isForbidden } =
    resource.namespaced && namespace === undefined
      ? await listMetadata(resource, undefined, session, { fieldSelector: `metadata.name=${name}` })
      : await readMetadata(resource, name, namespace, session)
  if (isForbidden) unreadable.push(qualified(resource))
  return found
}

async function nearNames(
  name: string,
  resources: readonly DiscoveredResource[],
  { namespace }: Scope,
  session: Session,
): Promise<Candidate[]> {
  const lists = await inParallel(resources, (resource) =>
    listMetadata(resource, namespace, session, { limit: String(MAX_LISTED) }),
  )
  return nearest(
    name,
    lists.flatMap(({ found }) => found),
    (one) => !isControlled(one),
  )
}
