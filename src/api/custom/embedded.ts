/** Objects within custom resources (`x-kubernetes-embedded-resource`): what they say of their kind and in their metadata must be right. */
import { invalid, required } from '../field-errors.ts'
import { validateEmbeddedMetadata } from '../metadata-rules.ts'
import { dnsLabel1035 } from '../names.ts'
import type { Metadata } from '../object.ts'
import type { JsonSchema } from '../schema/schema.ts'
import type { FieldError } from '../status.ts'

/** Whether any place within a schema is for an object: most have none, and nothing is to be done. */
const withObjects = new WeakMap<JsonSchema, boolean>()

/** Of the objects at and below `value`; that they say what they are is the schema's business. */
export function validateEmbedded(schema: JsonSchema, value: unknown, path = ''): FieldError[] {
  const errors: FieldError[] = []
  if (hasObjects(schema)) check(schema, value, path, errors)
  return errors
}

function hasObjects(schema: JsonSchema): boolean {
  let known = withObjects.get(schema)
  if (known === undefined) {
    known = schema['x-kubernetes-embedded-resource'] === true || partsOf(schema).some(hasObjects)
    withObjects.set(schema, known)
  }
  return known
}

function partsOf({ properties, additionalProperties, items }: JsonSchema): JsonSchema[] {
  return [
    ...Object.values(properties ?? {}),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...(Array.isArray(items) ? items : items ? [items] : []),
  ]
}

function check(schema: JsonSchema, value: unknown, path: string, errors: FieldError[]): void {
  if (Array.isArray(value)) {
    const items = Array.isArray(schema.items) ? schema.items[0] : schema.items
    if (items && hasObjects(items)) for (const [index, item] of value.entries()) check(items, item, `${path}[${index}]`, errors)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const members = value as Record<string, unknown>
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  if (schema['x-kubernetes-embedded-resource']) checkObject(members, at, errors)
  const { properties = {}, additionalProperties: rest } = schema
  for (const [name, member] of Object.entries(members)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (property) {
      if (hasObjects(property)) check(property, member, at(name), errors)
    } else if (typeof rest === 'object' && hasObjects(rest)) check(rest, member, `${path}[${name}]`, errors)
  }
}

function checkObject(object: Record<string, unknown>, at: (name: string) => string, errors: FieldError[]): void {
  const { apiVersion, kind, metadata } = object
  if (apiVersion === '') errors.push(required(at('apiVersion')))
  else if (typeof apiVersion === 'string' && apiVersion.split('/').length > 2)
    errors.push(invalid(at('apiVersion'), apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  if (kind === '') errors.push(required(at('kind')))
  else if (typeof kind === 'string') {
    const complaints = dnsLabel1035(kind.toLowerCase())
    const why = `may have mixed case, but should otherwise match: ${complaints.join(',')}`
    if (complaints.length > 0) errors.push(invalid(at('kind'), kind, why))
  }
  if (typeof metadata === 'object' && metadata !== null)
    errors.push(...validateEmbeddedMetadata(metadata as Metadata, at('metadata')))
}
