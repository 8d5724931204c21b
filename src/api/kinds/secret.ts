/** Secret: its data is base64 on the wire; `stringData` is merged into it and never stored. */
import type { Errors } from '../field-errors.ts'
import { invalid, required, tooLong } from '../field-errors.ts'
import { configMapKey } from '../names.ts'
import type { KubeObject } from '../object.ts'
import { ageColumn, column } from './columns.ts'
import { base64Bytes, checkFrozen, MAX_DATA_BYTES, size } from './config.ts'
import type { DefinitionInput } from './define.ts'
import { checkImmutable, collect, obey, requireText } from './rules.ts'

/** What a type needs: the keys that must be there. */
const NEEDED: Record<string, readonly string[]> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}
const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT_ANNOTATION = 'kubernetes.io/service-account.name'

function setDefaults(secret: KubeObject): void {
  secret.type ||= 'Opaque'
  if (size(secret.stringData) > 0) {
    secret.data = { ...secret.data }
    for (const [key, text] of Object.entries(secret.stringData)) secret.data[key] = Buffer.from(String(text)).toString('base64')
  }
  delete secret.stringData
}

function check(secret: KubeObject, errors: Errors): void {
  const data: Record<string, string> = secret.data ?? {}
  let bytes = 0
  for (const key in data) {
    obey(key, configMapKey, `data[${key}]`, errors)
    bytes += base64Bytes(data[key] ?? '')
  }
  if (bytes > MAX_DATA_BYTES) errors.push(tooLong('data', MAX_DATA_BYTES))
  for (const key of NEEDED[secret.type] ?? []) if (data[key] === undefined) errors.push(required(`data[${key}]`))
  if (secret.type === 'kubernetes.io/ssh-auth' && !data['ssh-privatekey']) errors.push(required('data[ssh-privatekey]'))
  if (secret.type === 'kubernetes.io/dockercfg') checkJson(data, '.dockercfg', errors)
  if (secret.type === 'kubernetes.io/dockerconfigjson') checkJson(data, '.dockerconfigjson', errors)
  if (secret.type === 'kubernetes.io/basic-auth' && data.username === undefined && data.password === undefined) {
    errors.push(required('data[username]'), required('data[password]'))
  }
  if (secret.type === TOKEN_TYPE) {
    requireText(secret.metadata.annotations?.[ACCOUNT_ANNOTATION], `metadata.annotations[${ACCOUNT_ANNOTATION}]`, errors)
  }
}

function checkJson(data: Record<string, string>, key: string, errors: Errors): void {
  const text = data[key]
  if (text === undefined) return
  const refuse = (why: string) => errors.push(invalid(`data[${key}]`, '<secret contents redacted>', why))
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64').toString())
    if (value === null || (typeof value === 'object' && !Array.isArray(value))) return
    const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    refuse(`json: cannot unmarshal ${type} into Go value of type map[string]interface {}`)
  } catch (error) {
    refuse(goMessage(error as SyntaxError))
  }
}

/** Go's words for the commonest case; the decoders' other texts differ. */
function goMessage(error: SyntaxError): string {
  return /end of/i.test(error.message) ? 'unexpected end of JSON input' : error.message
}

/** What Kubernetes warns of: a certificate that is none. */
function warnings(secret: KubeObject): string[] {
  if (secret.type !== 'kubernetes.io/tls') return []
  const pem = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('latin1')
  if (!pem('tls.crt').includes('-----BEGIN ')) return ['tls: failed to find any PEM data in certificate input']
  return pem('tls.key').includes('-----BEGIN ') ? [] : ['tls: failed to find any PEM data in key input']
}

export const secret: DefinitionInput = {
  kind: 'Secret',
  plural: 'secrets',
  columns: [column('Type', (object) => object.type ?? ''), column('Data', (object) => size(object.data)), ageColumn],
  selectableFields: { type: (object) => object.type ?? '' },
  strategy: {
    defaults: setDefaults,
    validate: (object) => collect((errors) => check(object, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        checkImmutable(object.type, old.type, 'type', errors)
        checkFrozen(object, old, ['data'], errors)
        check(object, errors)
      }),
    warnings,
  },
}
