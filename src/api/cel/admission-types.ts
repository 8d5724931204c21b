/** The variables of expressions about requests, and of policies. */
import type { Environment } from './checker.ts'
import { kubernetesFunctions } from './kubernetes.ts'
import { DYN, listOf, mapOf, STRING, simple, type Type } from './types.ts'

export const AUTHORIZER: Type = { kind: 'opaque', name: 'kubernetes.authorization.Authorizer' }
export const RESOURCE_CHECK: Type = { kind: 'opaque', name: 'kubernetes.authorization.ResourceCheck' }

const record = (name: string, fields: Record<string, Type>): Type => ({
  ...{ kind: 'object', name, fields: new Map(Object.entries(fields)) },
})
const KIND = record('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const RESOURCE = record('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER = record('kubernetes.UserInfo', {
  ...{ username: STRING, uid: STRING, groups: listOf(STRING), extra: mapOf(STRING, listOf(STRING)) },
})
const REQUEST = record('kubernetes.AdmissionRequest', {
  ...{ kind: KIND, resource: RESOURCE, subResource: STRING, requestKind: KIND, requestResource: RESOURCE },
  ...{ requestSubResource: STRING, name: STRING, namespace: STRING, operation: STRING, userInfo: USER },
  ...{ dryRun: simple('bool'), options: DYN },
})

/** Match conditions see these. */
export const CONDITION_TYPES: ReadonlyMap<string, Type> = new Map([
  ['object', DYN],
  ['oldObject', DYN],
  ['request', REQUEST],
  ['authorizer', AUTHORIZER],
  ['authorizer.requestResource', RESOURCE_CHECK],
])

/** What a policy's own expressions see. `variables` are those that it defines, as far as they are known. */
export function policyTypes(hasParams: boolean, variables: ReadonlyMap<string, Type>): ReadonlyMap<string, Type> {
  return new Map<string, Type>([
    ...CONDITION_TYPES,
    ['namespaceObject', DYN],
    ['variables', { kind: 'object', name: 'kubernetes.variables', fields: variables }],
    ...(hasParams ? ([['params', DYN]] as const) : []),
  ])
}

/** Types that mutations write: `Object`, its parts by their paths, and operations of a JSON patch. */
function structs(name: string): Type | undefined {
  if (name === 'JSONPatch') return record(name, { op: STRING, path: STRING, from: STRING, value: DYN })
  if (name !== 'Object' && !name.startsWith('Object.')) return undefined
  return { kind: 'object', name, fields: new Map(), open: true }
}

export function environmentOf(variables: ReadonlyMap<string, Type>): Environment {
  return { functions: kubernetesFunctions, variables, structs }
}
