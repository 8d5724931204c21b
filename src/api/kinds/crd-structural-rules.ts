/**
 * What makes a schema structural beyond having types: validations within `allOf`, `anyOf`, `oneOf` and `not` say nothing about the form of
 * objects, and what is said of every object's metadata is left to the server. In apiextensions' words.
 */
import { equal } from '../equal.ts'
import { type Errors, forbidden, invalid, required } from '../field-errors.ts'
import type { JSONSchemaProps } from '../types.ts'

const EITHER = [{ type: 'integer' }, { type: 'string' }]

/** Of one schema, wherever it stands; `isRoot`: of the whole object's. */
export function checkStructure(schema: JSONSchemaProps, isRoot: boolean, path: string, errors: Errors): void {
  checkExtensions(schema, isRoot, path, errors)
  checkMetadata(schema, isRoot, path, errors)
  for (const [nested, at] of nestedIn(schema)) {
    // What is either a number or text may say so.
    if (isEither(schema, at)) continue
    checkNested(nested, `${path}.${at}`, errors, at === 'allOf[0]' && equal(nested.anyOf, EITHER))
  }
  if (isRoot) for (const [nested, at] of nestedIn(schema)) checkComplete(nested, schema, path, `${path}.${at}`, errors)
}

function isEither({ anyOf }: JSONSchemaProps, at: string): boolean {
  return at.startsWith('anyOf') && equal(anyOf, EITHER)
}

function nestedIn({ allOf = [], anyOf = [], oneOf = [], not }: JSONSchemaProps): [JSONSchemaProps, string][] {
  const lists = Object.entries({ allOf, anyOf, oneOf })
  const parts = lists.flatMap(([name, list]) => list.map((one, index): [JSONSchemaProps, string] => [one, `${name}[${index}]`]))
  return not ? [...parts, [not, 'not']] : parts
}

function checkExtensions(schema: JSONSchemaProps, isRoot: boolean, path: string, errors: Errors): void {
  const { additionalProperties: rest, properties } = schema
  const preserves = schema['x-kubernetes-preserve-unknown-fields']
  const embedded = schema['x-kubernetes-embedded-resource']
  const falseIf = 'must be false if x-kubernetes-int-or-string is true'
  if (schema['x-kubernetes-int-or-string']) {
    if (preserves) errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, preserves, falseIf))
    if (embedded) errors.push(invalid(`${path}.x-kubernetes-embedded-resource`, embedded, falseIf))
  }
  if (rest !== undefined && isRoot) errors.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'))
  if (!embedded) return
  if (rest !== undefined)
    errors.push(forbidden(`${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'))
  const empty = 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
  if (!preserves && Object.keys(properties ?? {}).length === 0) errors.push(required(`${path}.properties`, empty))
}

function checkMetadata(schema: JSONSchemaProps, isRoot: boolean, path: string, errors: Errors): void {
  if (!isRoot && !schema['x-kubernetes-embedded-resource']) return
  const { kind, apiVersion, metadata } = schema.properties ?? {}
  for (const [name, property] of Object.entries({ kind, apiVersion }))
    if (property && property.type !== 'string')
      errors.push(invalid(`${path}.properties[${name}].type`, property.type ?? '', 'must be string'))
  if (!metadata) return
  const at = `${path}.properties[metadata]`
  if (metadata.type !== 'object') errors.push(invalid(`${at}.type`, metadata.type ?? '', 'must be object'))
  const { type: _, default: __, properties = {}, ...more } = metadata
  const onlyNames = Object.keys(properties).every((name) => name === 'name' || name === 'generateName')
  const why = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
  if (isRoot && !(onlyNames && Object.keys(more).length === 0)) errors.push(forbidden(at, why))
}

/** Fields that say what an object looks like, and how they must be where only values are judged. */
const FORM: Partial<Record<keyof JSONSchemaProps, 'empty' | 'undefined' | 'false'>> = {
  ...{ type: 'empty', title: 'empty', description: 'empty', additionalProperties: 'undefined', default: 'undefined' },
  ...{ externalDocs: 'undefined', nullable: 'false' },
  'x-kubernetes-preserve-unknown-fields': 'false',
  'x-kubernetes-embedded-resource': 'false',
  'x-kubernetes-int-or-string': 'false',
  'x-kubernetes-list-map-keys': 'empty',
  'x-kubernetes-list-type': 'undefined',
  'x-kubernetes-map-type': 'undefined',
  'x-kubernetes-validations': 'empty',
}

function checkNested(schema: JSONSchemaProps, path: string, errors: Errors, skipsAnyOf = false): void {
  for (const [field, wanted] of Object.entries(FORM)) {
    const value = schema[field as keyof JSONSchemaProps]
    const isAbsent = value === undefined || value === false || value === '' || (Array.isArray(value) && value.length === 0)
    if (!isAbsent) errors.push(forbidden(`${path}.${field}`, `must be ${wanted} to be structural`))
  }
  for (const [nested, at] of nestedIn(schema))
    if (!(skipsAnyOf && at.startsWith('anyOf'))) checkNested(nested, `${path}.${at}`, errors)
  const { items, properties = {} } = schema
  if (items && !Array.isArray(items)) checkNested(items, `${path}.items`, errors)
  for (const [name, property] of Object.entries(properties)) checkNested(property, `${path}.properties[${name}]`, errors)
  if (properties.metadata) errors.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'))
}

/** What is judged must be there: `nested` may only name what the schema itself has. */
function checkComplete(
  nested: JSONSchemaProps,
  schema: JSONSchemaProps | undefined,
  path: string,
  nestedPath: string,
  errors: Errors,
): void {
  if (!schema) return void errors.push(required(path, `because it is defined in ${nestedPath}`))
  for (const [part, at] of nestedIn(nested)) checkComplete(part, schema, path, `${nestedPath}.${at}`, errors)
  const { items, properties = {} } = nested
  const own = Array.isArray(schema.items) ? undefined : schema.items
  if (items && !Array.isArray(items)) checkComplete(items, own, `${path}.items`, `${nestedPath}.items`, errors)
  for (const [name, property] of Object.entries(properties)) {
    const at = `properties[${name}]`
    checkComplete(property, schema.properties?.[name], `${path}.${at}`, `${nestedPath}.${at}`, errors)
  }
}
