/**
 * Strict decoding of JSON by a schema. Kubernetes' own types come out as Go would write them again (nulls and empty values gone, zero
 * structs present, quantities and times canonical); wrong types are refused. Custom resources are pruned, and keep wrong types for
 * validation to report. Knows nothing of hand-written defaults, of kinds or of HTTP.
 */
import { findDuplicateKeys } from './duplicates.ts'
import { pruneCustom } from './prune.ts'
import type { StructSchema } from './schema.ts'
import { DecodeError, MAX_PROBLEMS, Walk } from './walk.ts'

export { DecodeError } from './walk.ts'

export interface DecodeOptions {
  /** Collect what fieldValidation `Strict` refuses and `Warn` warns about. */
  strict?: boolean
}

export interface Decoded<T> {
  /** The value given, edited in place where it had to be. */
  value: T
  /** `unknown field "spec.foo"`, `duplicate field "data.a"`: in the order of the document, duplicates first. */
  problems: string[]
}

/** How deep objects and lists may be nested, as in Go. Built values stay far below what the stack holds. */
const MAX_DEPTH = 1000
type JsonObject = Record<string, unknown>

/** Parses JSON text and decodes it. Throws DecodeError. */
export function decodeJson<T = JsonObject>(schema: StructSchema, text: string, options: DecodeOptions = {}): Decoded<T> {
  const { value, duplicates } = parseJson(text, options)
  const decoded = decode<T>(schema, value, options)
  if (duplicates.length > 0) decoded.problems.unshift(...duplicates)
  return decoded
}

/** Parses JSON text; with `strict`, also says which keys stand twice in one object. The last one counts. Throws DecodeError. */
export function parseJson(text: string, options: DecodeOptions = {}): { value: unknown; duplicates: string[] } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new DecodeError((cause as Error).message, { cause })
  }
  const keys = countKeys(value, 0)
  const duplicates = options.strict ? findDuplicateKeys(text, keys).slice(0, MAX_PROBLEMS) : []
  return { value, duplicates }
}

/** Counts the keys of all objects within, and refuses what is nested too deep for anything that recurses later. */
function countKeys(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (depth > MAX_DEPTH) throw new DecodeError('exceeded max depth')
  let count = 0
  if (Array.isArray(value)) for (const item of value) count += countKeys(item, depth + 1)
  else {
    for (const key in value) {
      count++
      const child = (value as JsonObject)[key]
      if (typeof child === 'object') count += countKeys(child, depth + 1)
    }
  }
  return count
}

/**
 * Decodes a parsed value, which becomes the decoder's: it is edited in place, and must not be shared. Throws DecodeError.
 */
export function decode<T = JsonObject>(schema: StructSchema, value: unknown, options: DecodeOptions = {}): Decoded<T> {
  const strict = options.strict === true
  if (schema.source) return pruneCustom(schema, value, strict) as Decoded<T>
  const walk = new Walk(strict)
  return { value: walk.walk(schema, value) as T, problems: walk.problems }
}
