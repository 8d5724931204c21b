/** ConfigMap and ServiceAccount: small objects with data and no status. Secrets have a module of their own. */
import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { forbidden, invalid, tooLong } from '../field-errors.ts'
import { configMapKey } from '../names.ts'
import type { KubeObject } from '../object.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { collect, obey } from './rules.ts'

/** How many bytes a ConfigMap or Secret may hold. */
export const MAX_DATA_BYTES = 1024 * 1024

export const size = (map: object | undefined) => Object.keys(map ?? {}).length

/** The bytes that base64 text stands for. */
export function base64Bytes(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return Math.floor((text.length / 4) * 3) - padding
}

function checkConfigMap(object: KubeObject, errors: Errors): void {
  let bytes = 0
  for (const key in object.data) {
    obey(key, configMapKey, `data[${key}]`, errors)
    if (object.binaryData && Object.hasOwn(object.binaryData, key)) {
      errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    }
    bytes += Buffer.byteLength(object.data[key] ?? '')
  }
  for (const key in object.binaryData) {
    obey(key, configMapKey, `binaryData[${key}]`, errors)
    bytes += base64Bytes(object.binaryData[key] ?? '')
  }
  // The path is empty, and this is how Kubernetes prints that.
  if (bytes > MAX_DATA_BYTES) errors.push(tooLong('[]', MAX_DATA_BYTES))
}

const FROZEN = 'field is immutable when `immutable` is set'

/** An immutable object keeps its data, and stays immutable. */
export function checkFrozen(object: KubeObject, old: KubeObject, fields: readonly string[], errors: Errors): void {
  if (!old.immutable) return
  if (!object.immutable) errors.push(forbidden('immutable', FROZEN))
  for (const field of fields) if (!equal(object[field], old[field])) errors.push(forbidden(field, FROZEN))
}

export const configMap: DefinitionInput = {
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  columns: [column('Data', (object) => size(object.data) + size(object.binaryData)), ageColumn],
  strategy: {
    validate: (object) => collect((errors) => checkConfigMap(object, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        checkFrozen(object, old, ['data', 'binaryData'], errors)
        checkConfigMap(object, errors)
      }),
  },
}

const MOUNTABLE = 'kubernetes.io/enforce-mountable-secrets'

export const serviceAccount: DefinitionInput = {
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  subresources: [
    {
      name: 'token',
      kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      verbs: ['create'],
    },
  ],
  columns: [ageColumn],
  strategy: {
    returnsDeleted: true,
    warnings: ({ metadata }, old) => {
      const isNew = metadata.annotations?.[MOUNTABLE] !== undefined && old?.metadata.annotations?.[MOUNTABLE] === undefined
      const advice = 'prefer separate namespaces to isolate access to mounted secrets'
      return isNew ? [`metadata.annotations[${MOUNTABLE}]: deprecated in v1.32+; ${advice}`] : []
    },
  },
}
