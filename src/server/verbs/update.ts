/** PUT of an object, or of its status. */
import type { KubeObject } from '../../api/object.ts'
import { badRequest, conflict, isAlreadyExists } from '../../api/status.ts'
import type { Entry } from '../../store/store.ts'
import type { Core } from '../core.ts'
import { setDefaults } from '../objects/defaults.ts'
import { copyJson } from '../objects/json.ts'
import { keyOf } from '../objects/keys.ts'
import { schemaOf } from '../objects/schema.ts'
import type { Resource } from '../registry.ts'
import { readObject } from '../request/body.ts'
import type { ApiRequest, ObjectAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { View } from '../views/view.ts'
import { type WriteCall, writeCall } from '../write/call.ts'
import { createObject, placeInNamespace } from '../write/create.ts'
import { rulesOf } from '../write/subresource-rules.ts'
import { updateObject } from '../write/update.ts'
import { entryAnswer } from './get.ts'

export async function update(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): Promise<ObjectAnswer> {
  const call = writeCall(core, request, resource, target, 'UpdateOptions')
  const { kind, strategy } = resource.definition
  const object = await readObject(request, { apiVersion: resource.apiVersion, kind, schema: schemaOf(resource) }, core.registry)
  checkName(call, object)
  placeInNamespace(call, object)
  setDefaults(resource, object)
  const key = keyOf(resource, target.namespace, target.name)
  if (strategy.allowCreateOnUpdate && target.subresource === '' && !core.store.get(key)) {
    if (object.metadata.uid) throw uidConflict(call, object.metadata.uid, '')
    const created = await tryCreate(call, object)
    if (created) return entryAnswer(201, resource, created, view)
  }
  const rules = rulesOf(call)
  const next = (old: KubeObject) => {
    if (object.metadata.uid && object.metadata.uid !== old.metadata.uid)
      throw uidConflict(call, object.metadata.uid, old.metadata.uid ?? '')
    return copyJson(object)
  }
  const { entry } = await updateObject(call, { next, ...(rules && { rules }) })
  return entryAnswer(200, resource, entry, view)
}

/** Undefined when somebody else was faster. */
async function tryCreate(call: WriteCall, object: KubeObject): Promise<Entry | undefined> {
  const { resourceVersion: _, ...metadata } = object.metadata
  try {
    return await createObject({ ...call, name: '' }, copyJson({ ...object, metadata }))
  } catch (error) {
    if (isAlreadyExists(error)) return undefined
    throw error
  }
}

/** The name in the object must be the one in the path. Throws a 400. */
export function checkName(call: WriteCall, object: KubeObject): void {
  const { name } = object.metadata
  if (!name) throw badRequest(`the name of the object (${call.name} based on URL) was undeterminable: name must be provided`)
  if (name !== call.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`)
}

function uidConflict(call: WriteCall, wanted: string, actual: string): Error {
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${actual}`
  return storageConflict(call, why)
}

/** Worded as the storage layer of Kubernetes does it, key and all. */
function storageConflict(call: WriteCall, why: string): Error {
  const { group, plural } = call.resource.name
  const scope = call.resource.definition.namespaced ? `${call.namespace}/` : ''
  const folder = call.resource.itemsCarryKind ? `${group}/${plural}` : plural
  const place = `Code: 4, Key: /registry/${folder}/${scope}${call.name}, ResourceVersion: 0`
  return conflict(call.resource.name, call.name, `StorageError: invalid object, ${place}, AdditionalErrorMsg: ${why}`)
}
