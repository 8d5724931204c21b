/** POST to a service account's `token`. */
import type { Core } from '../core.ts'
import type { Resource } from '../registry.ts'
import { readObject } from '../request/body.ts'
import { type Answer, type ApiRequest, jsonAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { Admission } from '../write/admit.ts'
import { writeCall } from '../write/call.ts'
import { expectedPart, partKind } from './part-kinds.ts'

const TOKEN_REQUEST = partKind('authentication.k8s.io', 'v1', 'TokenRequest')

export async function createToken(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Answer> {
  const call = writeCall(core, request, resource, target, 'CreateOptions')
  const object = await readObject(request, expectedPart(TOKEN_REQUEST), core.registry)
  const admission = new Admission(call, { operation: 'CREATE', name: target.name, object, kind: TOKEN_REQUEST })
  await admission.mutate()
  await admission.validate()
  return jsonAnswer(201, core.createToken(target.namespace, target.name, object))
}
