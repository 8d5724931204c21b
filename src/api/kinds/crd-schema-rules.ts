/**
 * Rules for the structural schema of a custom resource: types everywhere, lists with items. Patterns, defaults and expressions are checked
 * in `custom/check-rules.ts`.
 */
import { type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { JSONSchemaProps } from '../types.ts'
import { checkStructure } from './crd-structural-rules.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']

/** A schema's place: at the root and for what is in `properties`, items and the like, types are demanded. */
type Place = 'root' | 'field' | 'item'

const WHERE: Record<Place, string> = {
  root: 'must not be empty at the root',
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
}

export function checkStructural(schema: JSONSchemaProps, path: string, errors: Errors): void {
  checkNode(schema, 'root', path, errors)
  if (schema.type && schema.type !== 'object') errors.push(invalid(`${path}.type`, schema.type, 'must be object at the root'))
}

function checkNode(schema: JSONSchemaProps, place: Place, path: string, errors: Errors): void {
  checkType(schema, place, path, errors)
  checkStructure(schema, place === 'root', path, errors)
  checkForbidden(schema, path, errors)
  checkList(schema, path, errors)
  checkMap(schema, path, errors)
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    checkNode(property, 'field', `${path}.properties[${name}]`, errors)
  }
  const { additionalProperties: rest, items } = schema
  if (rest !== undefined && schema.properties && Object.keys(schema.properties).length > 0) {
    errors.push(forbidden(`${path}.additionalProperties`, 'must not be used together with properties'))
  }
  if (typeof rest === 'object') checkNode(rest, 'field', `${path}.additionalProperties`, errors)
  if (Array.isArray(items)) errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'))
  else if (items) checkNode(items, 'item', `${path}.items`, errors)
}

function checkType(schema: JSONSchemaProps, place: Place, path: string, errors: Errors): void {
  const preserves = schema['x-kubernetes-preserve-unknown-fields']
  const intOrString = schema['x-kubernetes-int-or-string']
  if (schema.type) {
    if (!TYPES.includes(schema.type)) errors.push(notSupported(`${path}.type`, schema.type, TYPES))
    if (intOrString) errors.push(forbidden(`${path}.type`, 'must be empty if x-kubernetes-int-or-string is true'))
  }
  const objectOnly = 'must be object if x-kubernetes-embedded-resource is true'
  if (schema['x-kubernetes-embedded-resource'] && schema.type !== 'object')
    errors.push(schema.type ? invalid(`${path}.type`, schema.type, objectOnly) : required(`${path}.type`, objectOnly))
  else if (!schema.type && (place === 'root' || (!preserves && !intOrString))) errors.push(required(`${path}.type`, WHERE[place]))
  if (schema.type === 'array' && schema.items === undefined) errors.push(required(`${path}.items`, 'must be specified'))
}

const UNUSABLE = [
  '$ref',
  'definitions',
  'dependencies',
  'patternProperties',
  'id',
  'deprecated',
  'discriminator',
  'readOnly',
  'writeOnly',
  'xml',
] as const

function checkForbidden(schema: JSONSchemaProps, path: string, errors: Errors): void {
  const given = schema as Record<string, unknown>
  for (const field of UNUSABLE) {
    if (given[field] !== undefined && given[field] !== '') errors.push(forbidden(`${path}.${field}`, `${field} is not supported`))
  }
  if (schema.uniqueItems) {
    errors.push(
      forbidden(`${path}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'),
    )
  }
}

function checkList(schema: JSONSchemaProps, path: string, errors: Errors): void {
  const type = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const keysPath = `${path}.x-kubernetes-list-map-keys`
  if (type === undefined) {
    if (keys.length > 0) errors.push(forbidden(keysPath, 'must be empty if x-kubernetes-list-type is not set to map'))
    return
  }
  if (schema.type !== 'array') {
    errors.push(invalid(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'))
  }
  if (!['atomic', 'map', 'set'].includes(type)) {
    errors.push(notSupported(`${path}.x-kubernetes-list-type`, type, ['atomic', 'set', 'map']))
  }
  if (type === 'set') checkSet(schema, path, errors)
  if (type !== 'map') return
  if (keys.length === 0) errors.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'))
  const items = Array.isArray(schema.items) ? undefined : schema.items
  keys.forEach((key, index) => {
    const property = items?.properties?.[key]
    if (!property) {
      errors.push(invalid(`${keysPath}[${index}]`, key, 'entries must all be names of item properties'))
    } else if (property.default === undefined && !items.required?.includes(key)) {
      errors.push(required(`${path}.items.properties[${key}].default`, KEY_MUST_BE_THERE))
    }
  })
}

/** Elements of a set are compared as they are: they have no parts of their own. */
function checkSet({ items }: JSONSchemaProps, path: string, errors: Errors): void {
  if (!items || Array.isArray(items)) return
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const form = items.type === 'array' ? 'x-kubernetes-list-type' : items.type === 'object' ? 'x-kubernetes-map-type' : undefined
  // A list is atomic unless it says something else, an object only when it says so.
  const value = form && (items[form] ?? (items.type === 'array' ? 'atomic' : undefined))
  if (form && value !== 'atomic') errors.push(forbidden(`${path}.items.${form}`, why))
}

const KEY_MUST_BE_THERE = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'

function checkMap(schema: JSONSchemaProps, path: string, errors: Errors): void {
  const type = schema['x-kubernetes-map-type']
  if (type === undefined) return
  if (schema.type !== 'object') {
    errors.push(invalid(`${path}.type`, schema.type ?? '', 'must be object if x-kubernetes-map-type is specified'))
  }
  if (type !== 'atomic' && type !== 'granular') {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, type, ['granular', 'atomic']))
  }
}
