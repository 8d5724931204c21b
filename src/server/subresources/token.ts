/** POST to a service account's `token`. */
import { builtinSchema } from '../../api/schema/builtin.ts'
import type { Core } from '../core.ts'
import type { Resource } from '../registry.ts'
import { readObject } from '../request/body.ts'
import { type Answer, type ApiRequest, jsonAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { Admission } from '../write/admit.ts'
import { writeCall } from '../write/call.ts'

const TOKEN_REQUEST = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' }

export async function createToken(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Answer> {
  const call = writeCall(core, request, resource, target, 'CreateOptions')
  const schema = builtinSchema('authentication/v1.TokenRequest')
  const object = await readObject(request, { ...TOKEN_REQUEST, schema }, core.registry)
  const admission = new Admission(call, 'CREATE', target.name, object, undefined)
  await admission.mutate()
  await admission.validate()
  return jsonAnswer(201, core.createToken(target.namespace, target.name, object))
}
