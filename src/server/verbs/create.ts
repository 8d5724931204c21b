/** POST to a collection. */
import type { Core } from '../core.ts'
import { setDefaults } from '../objects/defaults.ts'
import { schemaOf } from '../objects/schema.ts'
import type { Resource } from '../registry.ts'
import { readObject } from '../request/body.ts'
import type { ApiRequest, ObjectAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { View } from '../views/view.ts'
import { writeCall } from '../write/call.ts'
import { createObject } from '../write/create.ts'
import { entryAnswer } from './get.ts'

export async function create(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): Promise<ObjectAnswer> {
  const call = writeCall(core, request, resource, target, 'CreateOptions')
  const { kind } = resource.definition
  const object = await readObject(request, { apiVersion: resource.apiVersion, kind, schema: schemaOf(resource) }, core.registry)
  setDefaults(resource, object)
  return entryAnswer(201, resource, await createObject(call, object), view)
}
