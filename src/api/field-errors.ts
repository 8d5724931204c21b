/**
 * The wording of `field.Error` (k8s.io/apimachinery `util/validation/field`): one function for each kind of finding. A value is
 * rendered as Go renders it: strings quoted, numbers plain, everything else as JSON, absence as `null`.
 * Knows no kind and no rule.
 */
import type { FieldError } from './status.ts'

/** Where validation collects what it finds; every rule appends and goes on, so that one answer carries all causes. */
export type Errors = FieldError[]

export function required(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, message: join('Required value', detail) }
}

export function invalid(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: join(`Invalid value: ${render(value)}`, detail) }
}

/** The value is not shown: it would be long, or say nothing. */
export function invalidWhole(field: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: join('Invalid value', detail) }
}

/** `allowed` appears in the given order, as Kubernetes lists some enumerations sorted and others not. */
export function notSupported(field: string, value: unknown, allowed: readonly string[]): FieldError {
  const detail = allowed.length > 0 ? `supported values: ${allowed.map(quote).join(', ')}` : ''
  return { type: 'FieldValueNotSupported', field, message: join(`Unsupported value: ${render(value)}`, detail) }
}

export function forbidden(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: join('Forbidden', detail) }
}

export function duplicate(field: string, value: unknown, detail = ''): FieldError {
  return { type: 'FieldValueDuplicate', field, message: join(`Duplicate value: ${render(value)}`, detail) }
}

export function notFound(field: string, value: unknown, detail = ''): FieldError {
  return { type: 'FieldValueNotFound', field, message: join(`Not found: ${render(value)}`, detail) }
}

/** `max` in bytes. */
export function tooLong(field: string, max: number): FieldError {
  return { type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}` }
}

export function tooMany(field: string, actual: number, max: number): FieldError {
  const message = `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`
  return { type: 'FieldValueTooMany', field, message }
}

export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field, message: join(`Invalid value: ${render(value)}`, detail) }
}

const IMMUTABLE = 'field is immutable'

export function immutable(field: string, value: unknown): FieldError {
  return invalid(field, value, IMMUTABLE)
}

function join(title: string, detail: string): string {
  return detail ? `${title}: ${detail}` : title
}

/** A value as `field.Error` prints it. */
export function render(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value === undefined || value === null) return 'null'
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const GO_ESCAPES: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped.
const UNPRINTABLE = /["\\\u0000-\u001f\u007f-\u00a0\u2028\u2029\ufeff]/g

/** Go's `%q`. */
export function quote(text: string): string {
  const escaped = text.replace(UNPRINTABLE, (c) => {
    if (c === '"' || c === '\\') return `\\${c}`
    const known = GO_ESCAPES[c]
    if (known) return known
    const code = c.charCodeAt(0)
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `"${escaped}"`
}

/** A map with its keys in order, as Go prints maps. */
export function sortedMap<T>(map: Readonly<Record<string, T>> | undefined): Record<string, T> {
  const sorted: Record<string, T> = {}
  for (const key of Object.keys(map ?? {}).sort()) sorted[key] = map?.[key] as T
  return sorted
}
