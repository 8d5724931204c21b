/** GET of one object. */
import { badRequest, notFound } from '../../api/status.ts'
import type { Entry } from '../../store/store.ts'
import type { Core } from '../core.ts'
import { prepareEntries } from '../objects/convert.ts'
import { keyOf } from '../objects/keys.ts'
import type { Resource } from '../registry.ts'
import { parseVersion, versionTooLarge } from '../request/list-options.ts'
import type { ApiRequest, ObjectAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { View } from '../views/view.ts'

export function get(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): ObjectAnswer | Promise<ObjectAnswer> {
  if (request.query.flag('export')) throw badRequest('the export parameter, deprecated since v1.14, is no longer supported')
  const version = parseVersion(request.query.get('resourceVersion') ?? '')
  if (version !== undefined && version > core.store.revision) throw versionTooLarge(version, core.store.revision)
  const entry = readEntry(core, resource, target.namespace, target.name)
  const pending = prepareEntries(resource, [entry])
  if (pending) return pending.then(() => entryAnswer(200, resource, entry, view))
  return entryAnswer(200, resource, entry, view)
}

/** The newest committed entry. Throws a 404. */
export function readEntry(core: Core, resource: Resource, namespace: string, name: string): Entry {
  const entry = core.store.get(keyOf(resource, namespace, name))
  if (!entry) throw notFound(resource.name, name)
  return entry
}

export function entryAnswer(status: number, resource: Resource, entry: Entry, view: View): ObjectAnswer {
  return { type: 'object', status, contentType: view.contentType, ...view.one(resource, entry) }
}
