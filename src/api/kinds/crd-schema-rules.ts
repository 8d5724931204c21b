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
  if (rest !== undefined && rest !== true && Object.keys(schema.properties ?? {}).length > 0) {
    errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'))
  }
  if (typeof rest === 'object') checkNode(rest, 'field', `${path}.additionalProperties`, errors)
  if (Array.isArray(items)) errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'))
  else if (items) checkNode(items, 'item', `${path}.items`, errors)
}

function checkType(schema: JSONSchemaProps, place: Place, path: string, errors: Errors): void {
  const preserves = schema['x-kubernetes-preserve-unknown-fields']
  const intOrString = schema['x-kubernetes-int-or-string']
  if (schema.type) {
    const instead = 'type cannot be set to null, use nullable as an alternative'
    if (schema.type === 'null') errors.push(forbidden(`${path}.type`, instead))
    if (!TYPES.includes(schema.type)) errors.push(notSupported(`${path}.type`, schema.type, TYPES))
  }
  if (preserves === false)
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  const objectOnly = 'must be object if x-kubernetes-embedded-resource is true'
  if (schema['x-kubernetes-embedded-resource'] && schema.type !== 'object')
    errors.push(schema.type ? invalid(`${path}.type`, schema.type, objectOnly) : required(`${path}.type`, objectOnly))
  else if (!schema.type && !preserves && !intOrString) errors.push(required(`${path}.type`, WHERE[place]))
  if (schema.type === 'array' && schema.items === undefined) errors.push(required(`${path}.items`, 'must be specified'))
}

const UNUSABLE = [
  '$ref',
  'additionalItems',
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
  const typePath = `${path}.x-kubernetes-list-type`
  const items = Array.isArray(schema.items) ? undefined : schema.items
  if (type !== undefined && schema.type !== 'array') {
    mustBe('array', schema.type, `${path}.type`, 'x-kubernetes-list-type', errors)
  } else if (type === 'set' && items) checkSet(items, `${path}.items`, errors)
  if (type !== undefined && !LIST_TYPES.includes(type)) errors.push(notSupported(typePath, type, LIST_TYPES))
  if (keys.length > 0 && type !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    errors.push(type === undefined ? required(typePath, detail) : invalid(typePath, type, detail))
  }
  if (type === 'map') checkMapList(schema, keys, path, errors)
  if (items?.nullable && (type === 'map' || type === 'set')) {
    errors.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`))
  }
}

const LIST_TYPES = ['atomic', 'set', 'map']

function mustBe(wanted: string, type: string | undefined, path: string, because: string, errors: Errors): void {
  const detail = `must be ${wanted} if ${because} is specified`
  errors.push(type ? invalid(path, type, detail) : required(path, detail))
}

/** Elements that are told apart by some of their fields. */
function checkMapList(schema: JSONSchemaProps, keys: readonly string[], path: string, errors: Errors): void {
  const keysPath = `${path}.x-kubernetes-list-map-keys`
  if (keys.length === 0) errors.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'))
  const { items } = schema
  if (!items) return void errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'))
  if (Array.isArray(items)) {
    return void errors.push(invalid(`${path}.items`, items, 'must only have a single schema if x-kubernetes-list-type is map'))
  }
  if (items.type !== 'object') {
    errors.push(invalid(`${path}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"))
  }
  keys.forEach((key, index) => {
    const property = items.properties?.[key]
    if (property) checkKey(property, items.required?.includes(key) ?? false, `${path}.items.properties[${key}]`, errors)
    else if (items.type === 'object') errors.push(invalid(keysPath, keys, 'entries must all be names of item properties'))
    if (items.type === 'object' && keys.indexOf(key) < index) {
      errors.push(invalid(keysPath, keys, 'must not contain duplicate entries'))
    }
  })
}

function checkKey(key: JSONSchemaProps, isRequired: boolean, path: string, errors: Errors): void {
  if (key.type === 'array' || key.type === 'object') {
    // The value that is shown is the type of the elements.
    errors.push(invalid(`${path}.type`, 'object', "must be a scalar type if parent array's x-kubernetes-list-type is map"))
  }
  if (!isRequired && key.default === undefined) errors.push(required(`${path}.default`, KEY_MUST_BE_THERE))
  if (key.nullable) errors.push(forbidden(`${path}.nullable`, KEY_MUST_NOT_BE_NULL))
}

const KEY_MUST_NOT_BE_NULL = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'

/** Elements of a set are compared as they are: they have no parts of their own. */
function checkSet(items: JSONSchemaProps, path: string, errors: Errors): void {
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const form = items.type === 'array' ? 'x-kubernetes-list-type' : items.type === 'object' ? 'x-kubernetes-map-type' : undefined
  // A list is atomic unless it says something else, an object only when it says so.
  const value = form && (items[form] ?? (items.type === 'array' ? 'atomic' : undefined))
  if (form && value !== 'atomic') errors.push(invalid(`${path}.${form}`, items['x-kubernetes-list-type'] ?? null, why))
}

const KEY_MUST_BE_THERE = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'

function checkMap(schema: JSONSchemaProps, path: string, errors: Errors): void {
  const type = schema['x-kubernetes-map-type']
  if (type === undefined) return
  if (schema.type !== 'object') {
    mustBe('object', schema.type, `${path}.type`, 'x-kubernetes-map-type', errors)
  }
  if (type !== 'atomic' && type !== 'granular') {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, type, ['atomic', 'granular']))
  }
}
