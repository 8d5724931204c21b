/**
 * Reads the protobuf form of Kubernetes' own types into the JSON form, driven by their schemas. The result still has Go's empty
 * values in it (`""`, `0`); `schema/decode.ts` brings it into normal form. Unknown field numbers are passed over, as in Go.
 */
import { formatGoDuration } from '../duration.ts'
import { builtinSchema } from '../schema/builtin.ts'
import type { ListSchema, MapSchema, ScalarSchema, Schema, StructSchema } from '../schema/schema.ts'
import { zeroOf } from '../schema/walk.ts'
import { isEnvelope } from './magic.ts'
import { BYTES, FIXED64, ProtobufError, type Reader, VARINT } from './wire.ts'

type JsonObject = Record<string, unknown>

/** How deep messages may be nested. */
const MAX_DEPTH = 500

/** Reads an embedded object that comes in an envelope of its own; given by the envelope's reader. */
export type ReadEnvelope = (bytes: Buffer) => unknown

type Slot =
  | { readonly name: string; readonly schema: Schema; readonly spread: undefined }
  | { readonly name: undefined; readonly schema: undefined; readonly spread: StructSchema }
const slots = new WeakMap<StructSchema, Map<number, Slot>>()

function slotsOf(schema: StructSchema): Map<number, Slot> {
  let known = slots.get(schema)
  if (!known) {
    known = new Map()
    for (const { number, field, spread } of schema.messages) {
      if (field) known.set(number, { name: field.name, schema: field.schema, spread: undefined })
      else known.set(number, { name: undefined, schema: undefined, spread })
    }
    slots.set(schema, known)
  }
  return known
}

/** Reads one message. Throws ProtobufError. */
export function decodeMessage(schema: StructSchema, reader: Reader, readEnvelope: ReadEnvelope): JsonObject {
  return new MessageDecoder(readEnvelope).struct(schema, reader, {})
}

class MessageDecoder {
  readonly #readEnvelope: ReadEnvelope
  #depth = 0
  constructor(readEnvelope: ReadEnvelope) {
    this.#readEnvelope = readEnvelope
  }

  struct(schema: StructSchema, reader: Reader, into: JsonObject): JsonObject {
    if (++this.#depth > MAX_DEPTH) throw new ProtobufError('messages are nested too deep')
    const known = slotsOf(schema)
    while (!reader.done) {
      const { number, type } = reader.tag()
      const slot = known.get(number)
      if (!slot) reader.skip(type)
      else if (slot.spread) this.struct(slot.spread, this.#message(reader, type, schema.name), into)
      else this.#field(slot.name, slot.schema, reader, type, into)
    }
    this.#depth--
    return into
  }

  #field(name: string, schema: Schema, reader: Reader, type: number, into: JsonObject): void {
    if (schema.kind === 'list' && !schema.wrapped) into[name] = this.#append(schema, reader, type, into[name], name)
    else if (schema.kind === 'map') into[name] = this.#entry(schema, reader, type, into[name], name)
    else if (schema.kind === 'struct') {
      // Of a struct that comes in pieces all pieces count, as protobuf wants it.
      const before = (into[name] as JsonObject | undefined) ?? {}
      into[name] = this.struct(schema, this.#message(reader, type, name), before)
    } else into[name] = this.#value(schema, reader, type, name)
  }

  #message(reader: Reader, type: number, name: string): Reader {
    if (type !== BYTES) throw new ProtobufError(`${name} has wire type ${type}, not that of a message`)
    return reader.message()
  }

  #append(schema: ListSchema, reader: Reader, type: number, list: unknown, name: string): unknown[] {
    const items = (list as unknown[] | undefined) ?? []
    const isNumber = schema.element.kind.startsWith('int') && schema.element.kind !== 'intstr'
    if (isNumber && type === BYTES) {
      const packed = reader.message()
      while (!packed.done) items.push(packed.int64())
    } else items.push(this.#value(schema.element, reader, type, name))
    return items
  }

  #entry(schema: MapSchema, reader: Reader, type: number, map: unknown, name: string): JsonObject {
    const entries = (map as JsonObject | undefined) ?? {}
    const entry = this.#message(reader, type, name)
    let key = ''
    let value: unknown
    while (!entry.done) {
      const tag = entry.tag()
      if (tag.number === 1) key = this.#value(STRING, entry, tag.type, name) as string
      else if (tag.number === 2) value = this.#value(schema.element, entry, tag.type, name)
      else entry.skip(tag.type)
    }
    // A key may be called like the prototype.
    Object.defineProperty(entries, key, {
      value: value ?? zeroOf(schema.element),
      enumerable: true,
      writable: true,
      configurable: true,
    })
    return entries
  }

  #value(schema: Schema, reader: Reader, type: number, name: string): unknown {
    switch (schema.kind) {
      case 'string':
        if (type !== BYTES) throw wrongType(name, type)
        return reader.string()
      case 'bytes':
        if (type !== BYTES) throw wrongType(name, type)
        return reader.base64()
      case 'bool':
        if (type !== VARINT) throw wrongType(name, type)
        return reader.int64() !== 0
      case 'int32':
        if (type !== VARINT) throw wrongType(name, type)
        return reader.int64() | 0
      case 'int64':
        if (type !== VARINT) throw wrongType(name, type)
        return reader.int64()
      case 'float64':
        if (type !== FIXED64) throw wrongType(name, type)
        return reader.double()
      case 'struct':
        return this.struct(schema, this.#message(reader, type, name), {})
      case 'list':
        return this.#wrapped(schema, this.#message(reader, type, name), name)
      case 'map':
        throw new ProtobufError(`${name} is a map within a list, which protobuf cannot have`)
      default:
        return this.#special(schema, this.#message(reader, type, name), name)
    }
  }

  #wrapped(schema: ListSchema, reader: Reader, name: string): unknown[] {
    const parts = this.#parts(reader, name, { 1: schema.element })
    return parts.get(1) ?? []
  }

  /** Reads a small message into its values by number. */
  #parts(reader: Reader, name: string, schemas: Record<number, Schema>): Map<number, unknown[]> {
    const parts = new Map<number, unknown[]>()
    while (!reader.done) {
      const { number, type } = reader.tag()
      const schema = schemas[number]
      if (!schema) reader.skip(type)
      else parts.set(number, [...(parts.get(number) ?? []), this.#value(schema, reader, type, name)])
    }
    return parts
  }

  #special(schema: ScalarSchema, reader: Reader, name: string): unknown {
    switch (schema.kind) {
      case 'time':
      case 'microtime':
        return readTime(this.#parts(reader, name, { 1: INT64, 2: INT32 }), schema.kind, name)
      case 'duration':
        return formatGoDuration(BigInt((this.#parts(reader, name, { 1: INT64 }).get(1)?.at(-1) as number | undefined) ?? 0))
      case 'quantity':
        return this.#parts(reader, name, { 1: STRING }).get(1)?.at(-1) ?? '0'
      case 'intstr': {
        const parts = this.#parts(reader, name, { 1: INT64, 2: INT32, 3: STRING })
        return parts.get(1)?.at(-1) === 1 ? (parts.get(3)?.at(-1) ?? '') : (parts.get(2)?.at(-1) ?? 0)
      }
      case 'raw':
      case 'json':
      case 'fields':
        return this.#json(reader, name)
      default:
        return this.#jsonSchema(schema, reader, name)
    }
  }

  #json(reader: Reader, name: string): unknown {
    while (!reader.done) {
      const { number, type } = reader.tag()
      if (number !== 1) {
        reader.skip(type)
        continue
      }
      const raw = this.#message(reader, type, name)
      const bytes = raw.buffer.subarray(raw.position, raw.end)
      if (bytes.length === 0) return null
      return isEnvelope(bytes) ? this.#readEnvelope(bytes) : parseEmbedded(bytes, name)
    }
    return null
  }

  #jsonSchema(schema: ScalarSchema, reader: Reader, name: string): unknown {
    const props = builtinSchema('apiextensions/v1.JSONSchemaProps')
    if (schema.kind === 'schemaOrBool') {
      const parts = this.#parts(reader, name, { 1: BOOL, 2: props })
      return parts.get(2)?.at(-1) ?? parts.get(1)?.at(-1) ?? false
    }
    const parts = this.#parts(reader, name, { 1: props, 2: schema.kind === 'schemaOrArray' ? props : STRING })
    return parts.get(1)?.at(-1) ?? parts.get(2) ?? []
  }
}

const plain = { goType: '', enum: undefined, nullable: false }
const STRING: ScalarSchema = { kind: 'string', ...plain }
const BOOL: ScalarSchema = { kind: 'bool', ...plain }
const INT32: ScalarSchema = { kind: 'int32', ...plain }
const INT64: ScalarSchema = { kind: 'int64', ...plain }

function wrongType(name: string, type: number): ProtobufError {
  return new ProtobufError(`${name} has the wrong wire type ${type}`)
}

/** An empty message is the time that was never set. */
function readTime(parts: Map<number, unknown[]>, kind: 'time' | 'microtime', name: string): string | null {
  if (parts.size === 0) return null
  const seconds = (parts.get(1)?.at(-1) as number | undefined) ?? 0
  const nanos = (parts.get(2)?.at(-1) as number | undefined) ?? 0
  const date = new Date(seconds * 1000)
  if (
    Number.isNaN(date.getTime()) ||
    date.getUTCFullYear() > 9999 ||
    date.getUTCFullYear() < 0 ||
    nanos < 0 ||
    nanos > 999_999_999
  )
    throw new ProtobufError(`${name} is no time between the years 0 and 9999`)
  const text = date.toISOString().slice(0, 19)
  return kind === 'time' ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`
}

function parseEmbedded(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new ProtobufError(`${name} holds no JSON: ${(cause as Error).message}`, { cause })
  }
}
