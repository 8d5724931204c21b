/** What expressions about a request may name: the object, the one before, the request itself, who sends it. */

import type { Environment as CelEnvironment } from '../../api/cel/checker.ts'
import { kubernetesFunctions } from '../../api/cel/kubernetes.ts'
import { DYN, listOf, mapOf, STRING, simple, type Type } from '../../api/cel/types.ts'
import { fromJson, type Value } from '../../api/cel/values.ts'
import type { ResourceDefinition } from '../../api/definition.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import type { Environment } from './environment.ts'
import { inVersion } from './matching.ts'

const record = (name: string, fields: Record<string, Type>): Type => ({
  kind: 'object',
  name,
  fields: new Map(Object.entries(fields)),
})
const KIND = record('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const RESOURCE = record('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER = record('kubernetes.UserInfo', {
  ...{ username: STRING, uid: STRING, groups: listOf(STRING) },
  extra: mapOf(STRING, listOf(STRING)),
})
const REQUEST = record('kubernetes.AdmissionRequest', {
  ...{ kind: KIND, resource: RESOURCE, subResource: STRING, requestKind: KIND, requestResource: RESOURCE },
  ...{ requestSubResource: STRING, name: STRING, namespace: STRING, operation: STRING, userInfo: USER },
  ...{ dryRun: simple('bool'), options: DYN, object: DYN, oldObject: DYN },
})

/** Match conditions of webhooks see these. */
export const CONDITION_TYPES: ReadonlyMap<string, Type> = new Map([
  ...([
    ['object', DYN],
    ['oldObject', DYN],
    ['request', REQUEST],
  ] as const),
  ...([['authorizer', { kind: 'opaque', name: 'kubernetes.authorization.Authorizer' }]] as const),
])

export function environmentOf(types: ReadonlyMap<string, Type>): CelEnvironment {
  return { functions: kubernetesFunctions, variables: types }
}

/** The values, each made when it is first asked for; `definition` is the version that the rules name. */
export function valuesOf(
  _environment: Environment,
  request: AdmissionRequest,
  definition: ResourceDefinition,
): Map<string, () => Value> {
  const shown = (object: AdmissionRequest['object']) => fromJson(object && inVersion(object, request.definition, definition))
  return new Map<string, () => Value>([
    ['object', lazily(() => shown(request.object))],
    ['oldObject', lazily(() => shown(request.old))],
    ['request', lazily(() => requestValue(request, definition))],
  ])
}

export function lazily(make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function requestValue(request: AdmissionRequest, definition: ResourceDefinition): Value {
  const { user, namespace, subresource, operation, dryRun, options, object } = request
  const kindOf = ({ group, version, kind }: ResourceDefinition) => ({ group, version, kind })
  const resourceOf = ({ group, version, plural }: ResourceDefinition) => ({ group, version, resource: plural })
  const name = request.name || object?.metadata?.name
  return fromJson({
    ...{ kind: kindOf(definition), resource: resourceOf(definition), subResource: subresource },
    ...{
      requestKind: kindOf(request.definition),
      requestResource: resourceOf(request.definition),
      requestSubResource: subresource,
    },
    ...{ name: name ?? '', operation, dryRun, options },
    ...(namespace && { namespace }),
    userInfo: { username: user.name, uid: user.uid ?? '', groups: user.groups, extra: user.extra ?? {} },
  })
}
