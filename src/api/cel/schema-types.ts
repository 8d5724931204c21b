/** The types that the values of a structural schema have in expressions, and those values themselves. */
import type { JsonSchema } from '../schema/schema.ts'
import { parseDuration, parseTimestamp } from './time.ts'
import { listOf, mapOf, STRING, simple, type Type } from './types.ts'
import { fromJson, type Value } from './values.ts'

/** A request is at most this large, and what is in it no larger. */
const MAX_REQUEST_BYTES = 3 * 1024 * 1024
const MAX_TEXT = MAX_REQUEST_BYTES - 2
const KEYWORDS = new Set([
  ...[
    'true',
    'false',
    'null',
    'in',
    'as',
    'break',
    'const',
    'continue',
    'else',
    'for',
    'function',
    'if',
    'import',
    'let',
    'loop',
  ],
  ...['package', 'namespace', 'return', 'var', 'void', 'while'],
])
const ROOT_FIELDS: JsonSchema = { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } }

/** Undefined for what expressions cannot see: values that the schema says nothing about. `isRoot`: a whole resource. */
export function schemaType(schema: JsonSchema, isRoot = false, name = 'object'): Type | undefined {
  if (schema['x-kubernetes-int-or-string']) return { kind: 'dyn', max: MAX_TEXT }
  switch (schema.type) {
    case 'array': {
      const items = itemsOf(schema)
      const element = items && schemaType(items, isEmbedded(items), `${name}.@idx`)
      return element && listOf(element, schema.maxItems ?? Math.floor(MAX_TEXT / (minSize(items) + 1)))
    }
    case 'object':
      return objectType(schema, isRoot, name)
    case 'string':
      return textType(schema)
    case 'boolean':
      return simple('bool')
    case 'integer':
      return simple('int')
    case 'number':
      return simple('double')
    default:
      return undefined
  }
}

const isEmbedded = (schema: JsonSchema): boolean => schema['x-kubernetes-embedded-resource'] === true

export function itemsOf(schema: JsonSchema): JsonSchema | undefined {
  return (Array.isArray(schema.items) ? schema.items[0] : schema.items) ?? undefined
}

function objectType(schema: JsonSchema, isRoot: boolean, name: string): Type | undefined {
  const rest = schema.additionalProperties
  if (typeof rest === 'object') {
    const value = schemaType(rest, isEmbedded(rest), `${name}.@elem`)
    return value && mapOf(STRING, value, schema.maxProperties ?? Math.floor(MAX_TEXT / (minSize(rest) + 6)))
  }
  const fields = new Map<string, Type>()
  for (const [key, property] of Object.entries(propertiesOf(schema, isRoot))) {
    const escaped = escapeName(key)
    const type = escaped === undefined ? undefined : schemaType(property, isEmbedded(property), `${name}.${key}`)
    if (type) fields.set(escaped!, type)
  }
  return { kind: 'object', name, fields }
}

/** Of a whole resource, its type and its name are always there. */
function propertiesOf(schema: JsonSchema, isRoot: boolean): Record<string, JsonSchema> {
  const properties = schema.properties ?? {}
  if (!isRoot) return properties
  const metadata = { ...ROOT_FIELDS, properties: { ...properties.metadata?.properties, ...ROOT_FIELDS.properties } }
  return { ...properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata }
}

function textType({ format, maxLength }: JsonSchema): Type {
  if (format === 'byte') return { kind: 'bytes', max: maxLength ?? MAX_TEXT }
  if (format === 'duration') return { kind: 'duration' }
  if (format === 'date' || format === 'date-time') return { kind: 'timestamp' }
  // Characters have up to four bytes, and bytes are what is counted.
  return { kind: 'string', max: maxLength === undefined || maxLength === null ? MAX_TEXT : Math.min(maxLength * 4, MAX_TEXT) }
}

/** How few bytes of JSON a value of the schema may be. */
function minSize(schema: JsonSchema | undefined): number {
  switch (schema?.type) {
    case 'object': {
      const required = schema.required ?? []
      return (
        required.reduce((all, key) => all + key.length + 3 + minSize(schema.properties?.[key]), 2) +
        Math.max(0, required.length - 1)
      )
    }
    case 'string':
      return 2
    case 'array':
      return 2
    case 'boolean':
      return 4
    default:
      return 1
  }
}

/** The name of a field in expressions, or undefined when it has none. */
export function escapeName(name: string): string | undefined {
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(name)) return undefined
  if (KEYWORDS.has(name)) return `__${name}__`
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__')
}

/** JSON as the value that its schema says it is. Throws EvaluationError for text that is not of its format. */
export function schemaValue(schema: JsonSchema | undefined, json: unknown): Value {
  if (json === null || json === undefined) return null
  if (!schema || schema['x-kubernetes-int-or-string']) return fromJson(json)
  if (typeof json === 'number') return schema.type === 'number' ? json : fromJson(json)
  if (typeof json === 'string') return textValue(schema, json)
  if (Array.isArray(json)) return json.map((item) => schemaValue(itemsOf(schema), item))
  if (typeof json !== 'object') return json as boolean
  const rest = schema.additionalProperties
  const map = new Map<Value, Value>()
  for (const [key, member] of Object.entries(json)) {
    if (member === undefined) continue
    if (typeof rest === 'object') map.set(key, schemaValue(rest, member))
    else map.set(escapeName(key) ?? key, schemaValue(schema.properties?.[key], member))
  }
  return map
}

function textValue({ type, format }: JsonSchema, text: string): Value {
  if (type !== 'string') return text
  if (format === 'byte') return new Uint8Array(Buffer.from(text, 'base64'))
  if (format === 'duration') return parseDuration(text)
  if (format === 'date-time') return parseTimestamp(text)
  return format === 'date' ? parseTimestamp(`${text}T00:00:00Z`) : text
}
