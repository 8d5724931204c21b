/** GET of a collection: newest state, an exact revision, or page by page at one revision. */
import { badRequest, gone } from '../../api/status.ts'
import { RevisionCompacted, RevisionInFuture } from '../../store/errors.ts'
import type { Entry } from '../../store/store.ts'
import type { Core } from '../core.ts'
import { prepareEntries } from '../objects/convert.ts'
import { prefixOf } from '../objects/keys.ts'
import type { Resource } from '../registry.ts'
import { type ContinueToken, continueExpired, decodeContinue, encodeContinue } from '../request/continue.ts'
import { type ListOptions, parseListOptions, parseVersion, versionTooLarge } from '../request/list-options.ts'
import type { ApiRequest, ObjectAnswer } from '../request/request.ts'
import { parseSelection, type Selection } from '../request/selection.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { ListMetadata, View } from '../views/view.ts'

/** With a selector and a limit, this many entries are read from the store at a time. */
const SELECTED_PAGE = 500

export interface Page {
  entries: readonly Entry[]
  metadata: ListMetadata
}

export function list(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): ObjectAnswer | Promise<ObjectAnswer> {
  const options = parseListOptions(request.query, false)
  const selection = parseSelection(request.query, resource)
  const answer = (): ObjectAnswer => {
    const { entries, metadata } = readPage(core, resource, target.namespace, options, selection)
    return { type: 'object', status: 200, contentType: view.contentType, ...view.list(resource, entries, metadata) }
  }
  const pending = prepareAll(core, resource, target.namespace)
  return pending ? pending.then(answer) : answer()
}

/** Has everything in a namespace converted, for selectors may look at any of it. */
export function prepareAll(core: Core, resource: Resource, namespace: string): Promise<void> | undefined {
  return resource.definition.converter && prepareEntries(resource, core.store.list(prefixOf(resource, namespace)).entries)
}

/** One page of a collection. Throws 400 for bad versions and tokens, 410 for forgotten revisions, 504 for ones not reached. */
export function readPage(core: Core, resource: Resource, namespace: string, options: ListOptions, selection: Selection): Page {
  const prefix = prefixOf(resource, namespace)
  const { revision, after } = whereFrom(options, prefix, core.store.revision)
  try {
    if (selection.everything) return plainPage(core, prefix, options.limit, revision, after)
    return selectedPage(core, resource, prefix, options.limit, revision, after, selection)
  } catch (error) {
    if (error instanceof RevisionInFuture) throw versionTooLarge(error.requested, error.current)
    if (!(error instanceof RevisionCompacted)) throw error
    if (options.continue !== '') throw continueExpired(decodeContinue(options.continue))
    throw gone(`The resourceVersion for the provided list is too old.`)
  }
}

/** The revision to list at (undefined: the newest) and the key to go on after. */
function whereFrom(
  options: ListOptions,
  prefix: string,
  current: number,
): { revision: number | undefined; after: string | undefined } {
  if (options.continue !== '') {
    if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue')
    }
    const token = decodeContinue(options.continue)
    return { revision: token.revision < 0 ? undefined : token.revision, after: prefix + token.start }
  }
  const wrap = (message: string) => badRequest(`invalid resource version: ${message}`)
  const version = parseVersion(options.resourceVersion, wrap)
  const exact =
    options.resourceVersionMatch === 'Exact' || (options.limit > 0 && version !== 0 && options.resourceVersionMatch === '')
  if (!exact && version !== undefined && version > current) throw versionTooLarge(version, current)
  return { revision: exact ? version : undefined, after: undefined }
}

function listOptions(revision: number | undefined, after: string | undefined, limit: number) {
  return { ...(revision !== undefined && { revision }), ...(after !== undefined && { after }), ...(limit > 0 && { limit }) }
}

function plainPage(core: Core, prefix: string, limit: number, revision: number | undefined, after: string | undefined): Page {
  const result = core.store.list(prefix, listOptions(revision, after, limit))
  const metadata: ListMetadata = { resourceVersion: String(result.revision) }
  const last = result.entries.at(-1)
  if (result.remaining > 0 && last) {
    metadata.continue = encodeContinue({ revision: result.revision, start: last.key.slice(prefix.length) })
    metadata.remainingItemCount = result.remaining
  }
  return { entries: result.entries, metadata }
}

/** Reads on until `limit` entries match; how many more would is not counted, as in Kubernetes. */
function selectedPage(
  core: Core,
  resource: Resource,
  prefix: string,
  limit: number,
  revision: number | undefined,
  after: string | undefined,
  selection: Selection,
): Page {
  const matching: Entry[] = []
  let position = after
  let at = revision
  for (;;) {
    const result = core.store.list(prefix, listOptions(at, position, limit > 0 ? Math.max(limit, SELECTED_PAGE) : 0))
    at = result.revision
    for (const entry of result.entries) {
      if (!selection.matches(entry, resource)) continue
      if (limit > 0 && matching.length === limit) return { entries: matching, metadata: nextPage(at, matching.at(-1)!, prefix) }
      matching.push(entry)
    }
    position = result.entries.at(-1)?.key
    if (result.remaining === 0) return { entries: matching, metadata: { resourceVersion: String(at) } }
  }
}

function nextPage(revision: number, last: Entry, prefix: string): ListMetadata {
  const token: ContinueToken = { revision, start: last.key.slice(prefix.length) }
  return { resourceVersion: String(revision), continue: encodeContinue(token) }
}
