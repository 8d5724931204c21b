/** POST of a review: decoded, answered, never stored. */
import type { Core } from '../core.ts'
import { setDefaults } from '../objects/defaults.ts'
import { schemaOf } from '../objects/schema.ts'
import type { Resource } from '../registry.ts'
import { readObject } from '../request/body.ts'
import { type Answer, type ApiRequest, jsonAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { Admission } from '../write/admit.ts'
import { writeCall } from '../write/call.ts'
import { placeInNamespace } from '../write/create.ts'

export async function answerQuestion(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
): Promise<Answer> {
  const call = writeCall(core, request, resource, target, 'CreateOptions')
  const { kind } = resource.definition
  const object = await readObject(request, { apiVersion: resource.apiVersion, kind, schema: schemaOf(resource) }, core.registry)
  object.metadata ??= {}
  setDefaults(resource, object)
  placeInNamespace(call, object)
  const admission = new Admission(call, { operation: 'CREATE', name: object.metadata.name ?? '', object })
  await admission.mutate()
  await admission.validate()
  const question = core.questions.get(target.plural)!
  return jsonAnswer(201, await question(object, { user: request.user, namespace: target.namespace }))
}
