/**
 * Validates a custom resource by its definition's schema, in the words of k8s.io/kube-openapi `validation/validate`. It comes after
 * pruning and defaults. Rules in CEL (`x-kubernetes-validations`) are not evaluated here.
 */
import { equal } from '../equal.ts'
import { duplicate, invalid, notSupported, required, tooLong, tooMany, typeInvalid } from '../field-errors.ts'
import { matches } from '../regex.ts'
import type { FieldError } from '../status.ts'
import { isOfFormat } from './formats.ts'
import type { JsonSchema } from './schema.ts'

type JsonObject = Record<string, unknown>

/**
 * Findings in the order of the schema; `object` is the whole resource. What an update leaves as it was (`old`) is not held to rules
 * that came later.
 */
export function validateCustom(schema: JsonSchema, object: object, old?: object): FieldError[] {
  const errors: FieldError[] = []
  check(schema, object, '', errors, old)
  return errors
}

function check(schema: JsonSchema, value: unknown, path: string, errors: FieldError[], old?: unknown): void {
  if (old !== undefined && equal(value, old)) return
  if (value === null && (schema.nullable || schema.type === undefined)) return
  if (!checkType(schema, value, path, errors)) return
  checkCombinations(schema, value, path, errors)
  if (schema.enum && !schema.enum.some((allowed) => same(allowed, value)))
    errors.push(
      notSupported(
        path,
        value,
        schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))),
      ),
    )
  if (typeof value === 'string') checkString(schema, value, path, errors)
  else if (typeof value === 'number') checkNumber(schema, value, path, errors)
  else if (Array.isArray(value)) checkList(schema, value, path, errors, old)
  else if (typeof value === 'object' && value !== null)
    checkObject(schema, value as JsonObject, path, errors, isRecord(old) ? old : {})
}

/** What stands before `in body`: nothing for the object itself. */
function inBody(path: string, words: string): string {
  return `${path} in body ${words}`
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

function checkType(schema: JsonSchema, value: unknown, path: string, errors: FieldError[]): boolean {
  const given = typeName(value)
  const wanted = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : schema.type ? [schema.type] : []
  if (wanted.length === 0 || wanted.includes(given) || (given === 'integer' && wanted.includes('number'))) return true
  if (given === 'number' && wanted.includes('integer')) {
    const detail = `Checked value must be of type integer (default format) in ${path}`
    errors.push(invalid('<nil>', '', detail))
  }
  errors.push(typeInvalid(path, given, inBody(path, `must be of type ${wanted.join(',')}: ${JSON.stringify(given)}`)))
  return false
}

function passes(schema: JsonSchema, value: unknown, path: string): boolean {
  const errors: FieldError[] = []
  check(schema, value, path, errors)
  return errors.length === 0
}

function checkCombinations(schema: JsonSchema, value: unknown, path: string, errors: FieldError[]): void {
  const fail = (words: string) => errors.push(invalid('<nil>', '', `${JSON.stringify(path)} must ${words}`))
  for (const part of schema.allOf ?? []) check(part, value, path, errors)
  if (schema.anyOf && !schema.anyOf.some((part) => passes(part, value, path))) fail('validate at least one schema (anyOf)')
  if (schema.oneOf) {
    const valid = schema.oneOf.filter((part) => passes(part, value, path)).length
    const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
    if (valid !== 1) fail(`validate one and only one schema (oneOf). ${found}`)
  }
  if (schema.not && passes(schema.not, value, path)) fail('not validate the schema (not)')
}

/** Of length and pattern, the first that does not hold is reported. */
function checkString(schema: JsonSchema, value: string, path: string, errors: FieldError[]): void {
  const length = [...value].length
  if (schema.maxLength != null && length > schema.maxLength) errors.push(tooLong(path, schema.maxLength))
  else if (schema.minLength != null && length < schema.minLength)
    errors.push(invalid(path, value, inBody(path, `should be at least ${schema.minLength} chars long`)))
  else if (schema.pattern && !matches(value, schema.pattern))
    errors.push(invalid(path, value, inBody(path, `should match '${schema.pattern}'`)))
  if (schema.format && !isOfFormat(schema.format, value))
    errors.push(typeInvalid(path, value, inBody(path, `must be of type ${schema.format}: ${JSON.stringify(value)}`)))
}

function checkNumber(schema: JsonSchema, value: number, path: string, errors: FieldError[]): void {
  const fail = (words: string) => errors.push(invalid(path, value, inBody(path, words)))
  const { maximum, minimum, multipleOf } = schema
  if (maximum != null && schema.exclusiveMaximum && value >= maximum) fail(`should be less than ${maximum}`)
  else if (maximum != null && value > maximum) fail(`should be less than or equal to ${maximum}`)
  if (minimum != null && schema.exclusiveMinimum && value <= minimum) fail(`should be greater than ${minimum}`)
  else if (minimum != null && value < minimum) fail(`should be greater than or equal to ${minimum}`)
  if (multipleOf != null && !Number.isInteger(Number((value / multipleOf).toPrecision(15))))
    fail(`should be a multiple of ${multipleOf}`)
}

function checkList(schema: JsonSchema, value: unknown[], path: string, errors: FieldError[], old: unknown): void {
  const items = Array.isArray(schema.items) ? schema.items[0] : schema.items
  const before = oldItems(schema, old)
  if (items) for (const [index, item] of value.entries()) check(items, item, `${path}[${index}]`, errors, before(item))
  if (schema.maxItems != null && value.length > schema.maxItems) errors.push(tooMany(path, value.length, schema.maxItems))
  if (schema.minItems != null && value.length < schema.minItems)
    errors.push(invalid(path, value.length, inBody(path, `should have at least ${schema.minItems} items`)))
  checkUnique(schema, value, path, errors)
}

/** The element of the old list that an element of the new one was before; only keyed lists know. */
export function oldItems(schema: JsonSchema, old: unknown): (item: unknown) => unknown {
  const keys = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old)) return () => undefined
  const identity = (item: unknown) => JSON.stringify(keys.map((key) => (item as JsonObject | null)?.[key]))
  const byKey = new Map(old.map((item) => [identity(item), item]))
  return (item) => byKey.get(identity(item))
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Elements of sets and of associative lists are told apart by themselves and by their keys. */
function checkUnique(schema: JsonSchema, value: unknown[], path: string, errors: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type']
  if (listType !== 'set' && listType !== 'map') return
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  value.forEach((item, index) => {
    const identity = listType === 'set' ? item : Object.fromEntries(keys.map((key) => [key, (item as JsonObject | null)?.[key]]))
    const text = JSON.stringify(identity)
    if (seen.has(text)) errors.push(duplicate(`${path}[${index}]`, identity))
    seen.add(text)
  })
}

function checkObject(schema: JsonSchema, value: JsonObject, path: string, errors: FieldError[], old: JsonObject): void {
  const below = (name: string) => (path === '' ? name : `${path}.${name}`)
  const names = [...(schema.required ?? []), ...(schema['x-kubernetes-embedded-resource'] ? ['apiVersion', 'kind'] : [])]
  for (const name of new Set(names)) if (value[name] === undefined) errors.push(required(below(name)))
  const { properties = {}, additionalProperties } = schema
  for (const [name, given] of Object.entries(value)) {
    if (given === undefined) continue
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (property) check(property, given, below(name), errors, old[name])
    else if (typeof additionalProperties === 'object') check(additionalProperties, given, below(name), errors, old[name])
  }
  const count = Object.keys(value).length
  if (schema.maxProperties != null && count > schema.maxProperties) errors.push(tooMany(path, count, schema.maxProperties))
  if (schema.minProperties != null && count < schema.minProperties)
    errors.push(invalid(path, count, inBody(path, `should have at least ${schema.minProperties} properties`)))
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b))
}
