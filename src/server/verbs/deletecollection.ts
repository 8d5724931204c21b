/** DELETE of a collection: every selected object, each as if it had been deleted alone. */
import { isConflict, isNotFound } from '../../api/status.ts'
import type { Entry } from '../../store/store.ts'
import type { Core } from '../core.ts'
import { objectOf } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import { readDeleteOptions } from '../request/delete-options.ts'
import { parseListOptions } from '../request/list-options.ts'
import type { ApiRequest, ObjectAnswer } from '../request/request.ts'
import { parseSelection } from '../request/selection.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { View } from '../views/view.ts'
import { writeCall } from '../write/call.ts'
import { deleteObject } from './delete.ts'
import { prepareAll, readPage } from './list.ts'

/** How many objects are being deleted at the same time; their commits are grouped by the store. */
const PARALLEL_DELETES = 32

export async function removeCollection(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): Promise<ObjectAnswer> {
  const call = writeCall(core, request, resource, target, 'DeleteOptions')
  const options = await readDeleteOptions(request)
  const selection = parseSelection(request.query, resource)
  const prepared = prepareAll(core, resource, target.namespace)
  if (prepared) await prepared
  const page = readPage(core, resource, target.namespace, parseListOptions(request.query, false), selection)
  const shared = { ...call, dryRun: call.dryRun || (options.dryRun ?? []).length > 0 }
  const pending = page.entries.values()
  const removeNext = async () => {
    for (const entry of pending) {
      if (request.signal.aborted) return
      await removeOne(entry)
    }
  }
  const removeOne = async (entry: Entry) => {
    const { name = '', namespace = '' } = objectOf(entry, resource).metadata
    try {
      await deleteObject({ ...shared, name, namespace }, options)
    } catch (error) {
      // Somebody else was faster, or the object is no longer the one that was selected.
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL_DELETES, page.entries.length) }, removeNext))
  return { type: 'object', status: 200, contentType: view.contentType, ...view.list(resource, page.entries, page.metadata) }
}
