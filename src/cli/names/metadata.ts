/** What kinds there are to look at, and the metadata of their objects, read several at a time and without the rest of them. */
import type { KubeObject } from '../../api/object.ts'
import { isNotFound, StatusError } from '../../api/status.ts'
import type { DiscoveredResource } from '../../client/discovery.ts'
import { collectionPath, objectPath } from '../../client/paths.ts'
import type { Session } from '../session.ts'
import { type Candidate, candidateOf } from './candidate.ts'
import { isShadow } from './needs.ts'

/** Requests under way at once. */
const MAX_PARALLEL = 16
const METADATA_ACCEPT = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json'
const METADATA_LIST_ACCEPT = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'

export interface Read {
  readonly found: Candidate[]
  /** The user may not read the kind. */
  readonly isForbidden: boolean
}

/** Each resource once, in its preferred version, as far as its objects can be read by name. */
export async function namedResources({ discovery }: Session): Promise<DiscoveredResource[]> {
  const seen = new Set<string>()
  return (await discovery.resources()).filter((one) => {
    const key = `${one.group}/${one.plural}`
    if (seen.has(key) || isShadow(one) || !one.verbs.includes('get') || !one.verbs.includes('list')) return false
    seen.add(key)
    return true
  })
}

/** Empty when there is no such object, or none to be had. */
export function readMetadata(
  resource: DiscoveredResource,
  name: string,
  namespace: string | undefined,
  { quiet }: Session,
): Promise<Read> {
  return attempt(async () => {
    const path = objectPath(resource, name, namespace)
    const { object } = await quiet.request({ method: 'GET', path, headers: { accept: METADATA_ACCEPT } })
    return [candidateOf(resource, object.metadata)]
  })
}

/** Of a namespace, or of all. */
export function listMetadata(
  resource: DiscoveredResource,
  namespace: string | undefined,
  { quiet }: Session,
  query: Record<string, string> = {},
): Promise<Read> {
  return attempt(async () => {
    const path = collectionPath(resource, namespace)
    const { object } = await quiet.request({ method: 'GET', path, query, headers: { accept: METADATA_LIST_ACCEPT } })
    return (object.items as KubeObject[]).map(({ metadata }) => candidateOf(resource, metadata))
  })
}

async function attempt(read: () => Promise<Candidate[]>): Promise<Read> {
  try {
    return { found: await read(), isForbidden: false }
  } catch (error) {
    if (!isUnavailable(error)) throw error
    return { found: [], isForbidden: (error as StatusError).code === 403 }
  }
}

/** Absent, forbidden, or of a kind whose server is away: no object to be had, and no reason to give up on the others. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof StatusError && (isNotFound(error) || [403, 404, 405, 503].includes(error.code))
}

export async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!)
  }
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, items.length) }, worker))
  return results
}
