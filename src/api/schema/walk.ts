/**
 * The pass over a value of a built-in type that decoding is: checks types, drops unknown fields, and leaves the object as Go would
 * write it again. Messages are those of encoding/json. Custom resources: `prune.ts`.
 */
import { canonicalQuantity } from '../quantity.ts'
import { builtinSchema } from './builtin.ts'
import { canonicalBase64, canonicalMicroTime, canonicalTime } from './scalars.ts'
import type { Field, ListSchema, MapSchema, ScalarSchema, Schema, StructSchema } from './schema.ts'

/** What can't be decoded, in the words a client is to see after `… cannot be handled as a …: `. */
export class DecodeError extends Error {
  override name = 'DecodeError'
}

/** How many problems are reported. */
export const MAX_PROBLEMS = 100

type JsonObject = Record<string, unknown>

export class Walk {
  readonly problems: string[] = []
  readonly #strict: boolean
  /** Field names, map keys and list indexes down to the value at hand. */
  readonly #path: (string | number)[] = []
  /** Names of struct fields alone: Go's messages have no indexes and keys. */
  readonly #fields: string[] = []
  #struct = ''

  /** `path` is where the value stands within the whole. */
  constructor(strict: boolean, path: readonly (string | number)[] = []) {
    this.#strict = strict
    this.#path.push(...path)
    this.#fields.push(...path.filter((step) => typeof step === 'string'))
  }

  walk(schema: Schema, value: unknown): unknown {
    switch (schema.kind) {
      case 'struct':
        return this.#walkStruct(schema, value)
      case 'list':
        return this.#walkList(schema, value)
      case 'map':
        return this.#walkMap(schema, value)
      case 'string':
        return typeof value === 'string' ? value : this.#mismatch(schema, value)
      default:
        return this.#walkScalar(schema, value)
    }
  }

  #walkStruct(schema: StructSchema, value: unknown): unknown {
    if (value === null) return zeroOf(schema)
    if (typeof value !== 'object' || Array.isArray(value)) return this.#mismatch(schema, value)
    const object = value as JsonObject
    const outer = this.#struct
    this.#struct = schema.name
    let dropped = false
    for (const key in object) {
      const field = schema.fields.get(key)
      if (field === undefined) {
        if (this.#strict) this.#report(key)
        object[key] = undefined
        dropped = true
        continue
      }
      const given = object[key]
      const kept = given === null ? undefined : this.#walkField(field, given)
      if (kept === given) continue
      object[key] = kept
      if (kept === undefined) dropped = true
    }
    this.#struct = outer
    for (const field of schema.always) if (object[field.name] === undefined) object[field.name] = zeroOfField(field)
    return dropped ? withoutUndefined(object) : object
  }

  /** Undefined when the value is one that Go would not write. */
  #walkField(field: Field, given: unknown): unknown {
    this.#path.push(field.name)
    this.#fields.push(field.name)
    const value = this.walk(field.schema, given)
    this.#path.pop()
    this.#fields.pop()
    if (field.pointer || !isEmpty(value, field.schema.kind)) return value
    if (field.omitEmpty) return undefined
    // An empty list or map without `omitempty` was nil once it had been stored, and is written as null.
    return typeof value === 'object' ? null : value
  }

  #walkList(schema: ListSchema, value: unknown): unknown {
    if (!Array.isArray(value)) return this.#mismatch(schema, value)
    const { element } = schema
    if (element.kind === 'raw' || element.kind === 'json') return value
    const depth = this.#path.length
    for (let index = 0; index < value.length; index++) {
      this.#path[depth] = index
      const given: unknown = value[index]
      const kept = given === null ? zeroOf(element) : this.walk(element, given)
      if (kept !== given) value[index] = kept
    }
    this.#path.length = depth
    return value
  }

  #walkMap(schema: MapSchema, value: unknown): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#mismatch(schema, value)
    const object = value as JsonObject
    const { element } = schema
    const depth = this.#path.length
    for (const key in object) {
      const given = object[key]
      if (typeof given === 'string' && element.kind === 'string') continue
      this.#path[depth] = key
      const kept = given === null ? zeroOf(element) : this.walk(element, given)
      if (kept !== given) object[key] = kept
    }
    this.#path.length = depth
    return object
  }

  #walkScalar(schema: ScalarSchema, value: unknown): unknown {
    switch (schema.kind) {
      case 'bool':
        return typeof value === 'boolean' ? value : this.#mismatch(schema, value)
      case 'int32':
        return isInt32(value) ? value : this.#mismatch(schema, value)
      case 'int64':
        return isInt64(value) ? value : this.#mismatch(schema, value)
      case 'float64':
        return Number.isFinite(value) ? value : this.#mismatch(schema, value)
      case 'intstr':
        return typeof value === 'string' || isInt32(value) ? value : this.#mismatch(schema, value, 'int32')
      case 'bytes':
        return this.#convert(schema, value, canonicalBase64)
      case 'time':
        return this.#convert(schema, value, canonicalTime)
      case 'microtime':
        return this.#convert(schema, value, canonicalMicroTime)
      case 'quantity':
        return this.#walkQuantity(value)
      case 'schemaOrArray':
        return Array.isArray(value) ? this.#walkJsonSchemas(value) : this.#walkJsonSchema(value)
      case 'schemaOrBool':
        return typeof value === 'boolean' ? value : this.#walkJsonSchema(value)
      case 'schemaOrStrings':
        return Array.isArray(value) ? value : this.#walkJsonSchema(value)
      default:
        return value
    }
  }

  #walkQuantity(value: unknown): unknown {
    return translateErrors(() => canonicalQuantity(typeof value === 'string' ? value.trim() : JSON.stringify(value)))
  }

  #walkJsonSchema(value: unknown): unknown {
    return this.walk(builtinSchema('apiextensions/v1.JSONSchemaProps'), value)
  }

  #walkJsonSchemas(values: unknown[]): unknown {
    return values.map((value) => this.#walkJsonSchema(value))
  }

  #convert(schema: ScalarSchema, value: unknown, canonical: (text: string) => string): unknown {
    if (typeof value !== 'string') return this.#mismatch(schema, value, schema.kind === 'bytes' ? schema.goType : 'string')
    return translateErrors(() => canonical(value))
  }

  #report(key: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(`unknown field ${JSON.stringify(renderPath(this.#path, key))}`)
  }

  #mismatch(schema: Schema, value: unknown, goType = schema.goType): never {
    const place = this.#fields.length > 0 ? `struct field ${this.#struct}.${this.#fields.join('.')}` : 'value'
    throw new DecodeError(`json: cannot unmarshal ${describe(value, goType)} into Go ${place} of type ${goType}`)
  }
}

function translateErrors<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new DecodeError((cause as Error).message, { cause })
  }
}

/** `spec.containers[0].image` */
export function renderPath(path: readonly (string | number)[], last: string): string {
  let text = ''
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`
  return text === '' ? last : `${text}.${last}`
}

/** A number is shown only when the target is numeric, too. */
function describe(value: unknown, goType: string): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return /^(int|float)/.test(goType) ? `number ${value}` : 'number'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function isInt32(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value
}

function isInt64(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63
}

/** Empty in the sense of `omitempty`; structs (and what Go has structs for) never are. */
function isEmpty(value: unknown, kind: Schema['kind']): boolean {
  switch (kind) {
    case 'string':
    case 'bytes':
      return value === ''
    case 'list':
      return (value as unknown[]).length === 0
    case 'map':
      for (const _ in value as JsonObject) return false
      return true
    case 'bool':
      return value === false
    case 'int32':
    case 'int64':
    case 'float64':
      return value === 0
    default:
      return false
  }
}

export function withoutUndefined(object: JsonObject): JsonObject {
  const kept: JsonObject = {}
  for (const key in object) if (object[key] !== undefined) kept[key] = object[key]
  return kept
}

function zeroOfField(field: Field): unknown {
  return field.pointer ? null : zeroOf(field.schema)
}

/** What Go writes for a value that was never set. */
export function zeroOf(schema: Schema): unknown {
  switch (schema.kind) {
    case 'struct': {
      const object: JsonObject = {}
      for (const field of schema.always) object[field.name] = zeroOfField(field)
      return object
    }
    case 'string':
    case 'bytes':
      return ''
    case 'bool':
      return false
    case 'int32':
    case 'int64':
    case 'float64':
    case 'intstr':
      return 0
    case 'quantity':
      return '0'
    default:
      return null
  }
}
