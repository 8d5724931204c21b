/** Checks a configuration against the schema before it is merged: unknown fields, wrong types, elements that stand twice. */
import type { ListSchema, Schema } from '../../api/schema/schema.ts'
import { placeOf } from '../fields/deduced.ts'
import { elementOf } from '../fields/elements.ts'
import { formatPath } from '../fields/field-set.ts'
import { isRecord } from '../objects/json.ts'

/** What is wrong, in the words of structured-merge-diff, or undefined. */
export function findConfigurationError(schema: Schema, configuration: object): string | undefined {
  return checkRecord(schema, configuration as Record<string, unknown>, '')
}

const WORDS: Record<string, string> = {
  string: 'string',
  bool: 'boolean',
  bytes: 'string',
  time: 'string',
  microtime: 'string',
  duration: 'string',
}
const NUMERIC = new Set(['int32', 'int64', 'float64'])

function checkValue(schema: Schema, value: unknown, path: string): string | undefined {
  if (value === null || value === undefined) return undefined
  switch (schema.kind) {
    case 'struct':
    case 'map':
      return isRecord(value) ? checkRecord(schema, value, path) : `${path}: expected map, got ${shown(value)}`
    case 'list':
      return Array.isArray(value) ? checkList(schema, value, path) : `${path}: expected list, got ${shown(value)}`
    default:
      return checkScalar(schema, value, path)
  }
}

function checkScalar(schema: Schema, value: unknown, path: string): string | undefined {
  const word = WORDS[schema.kind]
  if (word === 'string' && typeof value !== 'string') return `${path}: expected string, got ${shown(value)}`
  if (word === 'boolean' && typeof value !== 'boolean') return `${path}: expected boolean, got ${shown(value)}`
  if (NUMERIC.has(schema.kind) && typeof value !== 'number')
    return `${path}: expected numeric (int or float), got ${shown(value)}`
  return undefined
}

function checkRecord(schema: Schema, record: Record<string, unknown>, path: string): string | undefined {
  for (const key of Object.keys(record)) {
    const unknown = schema.kind === 'struct' && !schema.fields.has(key) && !schema.preserveUnknown
    const at = `${path}.${key}`
    if (unknown) return `${at}: field not declared in schema`
    const problem = checkValue(placeOf(schema, key, record[key]).schema, record[key], at)
    if (problem) return problem
  }
  return undefined
}

function checkList(schema: ListSchema, items: readonly unknown[], path: string): string | undefined {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const element = schema.listType === 'atomic' ? `i:${index}` : elementOf(schema, item)
    const at = `${path}${formatPath([element])}`
    if (seen.has(element)) return `${path}: duplicate entries for key ${formatPath([element])}`
    seen.add(element)
    const problem = checkValue(schema.element, item, at)
    if (problem) return problem
  }
  return undefined
}

/** As Go prints the value's wrapper. */
function shown(value: unknown): string {
  return `&value.valueUnstructured{Value:${typeof value === 'string' ? JSON.stringify(value) : goText(value)}}`
}

function goText(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map((item) => goText(item)).join(', ')}}`
  if (isRecord(value)) {
    const pairs = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${goText(member)}`)
    return `map[string]interface {}{${pairs.join(', ')}}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
