/**
 * Values of expressions: integers are bigint, doubles are numbers, lists are arrays, maps and objects are Maps. What goes wrong while
 * an expression is evaluated is an EvaluationError, which `||`, `&&` and the loops may get over.
 */
import { UInt } from './ast.ts'

export type Value =
  | bigint
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | UInt
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | Opaque
  | readonly Value[]
  | ReadonlyMap<Value, Value>

export class EvaluationError extends Error {
  override name = 'EvaluationError'
}

/** Nanoseconds since the epoch. */
export class Timestamp {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class Optional {
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}
export const NONE = new Optional(undefined)

export class TypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A value of a library's own type: a quantity, an address, a version. Two are equal when their keys are. */
export class Opaque {
  readonly type: string
  readonly key: string
  readonly data: unknown
  constructor(type: string, key: string, data: unknown) {
    this.type = type
    this.key = key
    this.data = data
  }
}

export const isMap = (value: unknown): value is ReadonlyMap<Value, Value> => value instanceof Map

const isNumeric = (value: Value): value is bigint | number | UInt =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof UInt

const plain = (value: bigint | number | UInt): bigint | number => (value instanceof UInt ? value.value : value)

/** Numbers of all types are one line; everything else is equal within its type. */
export function equals(a: Value, b: Value): boolean {
  if (a === b) return true
  // Loosely, a bigint and a number are compared by what they are.
  // biome-ignore lint/suspicious/noDoubleEquals: see above.
  if (isNumeric(a) && isNumeric(b)) return plain(a) == plain(b)
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equals(item as Value, b[index] as Value))
  if (isMap(a))
    return isMap(b) && a.size === b.size && [...a].every(([key, value]) => has(b, key) && equals(value, b.get(keyOf(key))!))
  if (a instanceof Timestamp || a instanceof Duration)
    return b !== null && typeof b === 'object' && a.constructor === b.constructor && a.nanos === (b as Duration).nanos
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Opaque) return b instanceof Opaque && a.type === b.type && a.key === b.key
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof Optional && b instanceof Optional)
    return a.value === undefined || b.value === undefined ? a.value === b.value : equals(a.value, b.value)
  return false
}

/** Negative, zero or positive. Throws EvaluationError for what has no order. */
export function compare(a: Value, b: Value): number {
  if (isNumeric(a) && isNumeric(b)) return plain(a) < plain(b) ? -1 : plain(a) > plain(b) ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if ((a instanceof Timestamp && b instanceof Timestamp) || (a instanceof Duration && b instanceof Duration))
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  throw new EvaluationError('no such overload')
}

/** Keys of maps are compared by value: whole numbers of every type are one key. */
export function keyOf(value: Value): Value {
  if (value instanceof UInt) return value.value
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
}

export function has(map: ReadonlyMap<Value, Value>, key: Value): boolean {
  return map.has(keyOf(key))
}

export function typeNameOf(value: Value): string {
  if (value === null) return 'null_type'
  if (Array.isArray(value)) return 'list'
  if (isMap(value)) return 'map'
  if (value instanceof UInt) return 'uint'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Optional) return 'optional_type'
  if (value instanceof TypeValue) return 'type'
  if (value instanceof Opaque) return value.type
  if (value instanceof Uint8Array) return 'bytes'
  return { bigint: 'int', number: 'double', string: 'string', boolean: 'bool' }[
    typeof value as 'bigint' | 'number' | 'string' | 'boolean'
  ]
}

/** Plain JSON as a value, as it is where no schema says more: whole numbers are integers. */
export function fromJson(json: unknown): Value {
  if (json === null || json === undefined) return null
  if (typeof json === 'number') return Number.isInteger(json) ? BigInt(json) : json
  if (typeof json === 'string' || typeof json === 'boolean') return json
  if (Array.isArray(json)) return json.map(fromJson)
  return new Map(Object.entries(json).flatMap(([key, value]) => (value === undefined ? [] : [[key as Value, fromJson(value)]])))
}

/** The JSON of a value. Throws EvaluationError for what has none. */
export function toJson(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof UInt) return Number(value.value)
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return (value as readonly Value[]).map(toJson)
  if (isMap(value)) return Object.fromEntries([...value].map(([key, member]) => [String(key), toJson(member)]))
  if (value instanceof Timestamp) return new Date(Number(value.nanos / 1_000_000n)).toISOString().replace('.000Z', 'Z')
  if (value instanceof Duration) return `${Number(value.nanos) / 1e9}s`
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Optional) return value.value === undefined ? undefined : toJson(value.value)
  throw new EvaluationError(`a ${typeNameOf(value)} cannot be written as JSON`)
}
