/** Writes the JSON form of a built-in type as protobuf, driven by its schema. What is absent is not written. */
import { parseGoDuration } from '../duration.ts'
import { builtinSchema } from '../schema/builtin.ts'
import type { ScalarSchema, Schema, StructSchema } from '../schema/schema.ts'
import { BYTES, FIXED64, VARINT, type Writer } from './wire.ts'

type JsonObject = Record<string, unknown>

/** Writes one message. The value has been decoded by the schema: its types are right. */
export function encodeMessage(schema: StructSchema, value: JsonObject, writer: Writer): void {
  for (const { number, field, spread } of schema.messages) {
    if (spread) {
      writer.tag(number, BYTES)
      writer.message((inner) => encodeMessage(spread, value, inner))
      continue
    }
    const given = value[field.name]
    if (given !== undefined && given !== null) encodeField(field.schema, number, given, writer)
  }
}

function encodeField(schema: Schema, number: number, value: unknown, writer: Writer): void {
  switch (schema.kind) {
    case 'list':
      if (schema.wrapped) writeMessage(number, writer, (inner) => encodeItems(schema.element, 1, value, inner))
      else encodeItems(schema.element, number, value, writer)
      return
    case 'map':
      for (const [key, item] of Object.entries(value as JsonObject))
        writeMessage(number, writer, (entry) => {
          encodeField(STRING, 1, key, entry)
          encodeField(schema.element, 2, item, entry)
        })
      return
    case 'struct':
      writeMessage(number, writer, (inner) => encodeMessage(schema, value as JsonObject, inner))
      return
    default:
      encodeScalar(schema, number, value, writer)
  }
}

function encodeItems(element: Schema, number: number, items: unknown, writer: Writer): void {
  for (const item of items as unknown[]) encodeField(element, number, item, writer)
}

function writeMessage(number: number, writer: Writer, write: (inner: Writer) => void): void {
  writer.tag(number, BYTES)
  writer.message(write)
}

function encodeScalar(schema: ScalarSchema, number: number, value: unknown, writer: Writer): void {
  switch (schema.kind) {
    case 'string':
      writer.tag(number, BYTES)
      writer.string(value as string)
      return
    case 'bytes':
      writer.tag(number, BYTES)
      writer.bytes(Buffer.from(value as string, 'base64'))
      return
    case 'bool':
      writer.tag(number, VARINT)
      writer.int64(value ? 1 : 0)
      return
    case 'int32':
    case 'int64':
      writer.tag(number, VARINT)
      writer.int64(value as number)
      return
    case 'float64':
      writer.tag(number, FIXED64)
      writer.double(value as number)
      return
    default:
      writeMessage(number, writer, (inner) => encodeSpecial(schema, value, inner))
  }
}

function encodeSpecial(schema: ScalarSchema, value: unknown, writer: Writer): void {
  switch (schema.kind) {
    case 'time':
    case 'microtime': {
      // A time that was never set is an empty message.
      if (value === null) return
      encodeField(INT64, 1, Math.floor(Date.parse(value as string) / 1000), writer)
      const micros = /\.(\d{6})Z$/.exec(value as string)?.[1]
      if (micros) encodeField(INT64, 2, Number(micros) * 1000, writer)
      return
    }
    case 'duration':
      encodeField(INT64, 1, Number(parseGoDuration(value as string) ?? 0n), writer)
      return
    case 'quantity':
      encodeField(STRING, 1, value, writer)
      return
    case 'intstr':
      encodeField(INT64, 1, typeof value === 'string' ? 1 : 0, writer)
      encodeField(typeof value === 'string' ? STRING : INT64, typeof value === 'string' ? 3 : 2, value, writer)
      return
    case 'raw':
    case 'json':
    case 'fields':
      encodeField(STRING, 1, JSON.stringify(value), writer)
      return
    default:
      encodeJsonSchema(schema, value, writer)
  }
}

function encodeJsonSchema(schema: ScalarSchema, value: unknown, writer: Writer): void {
  const props = builtinSchema('apiextensions/v1.JSONSchemaProps')
  const isSchema = typeof value === 'object' && !Array.isArray(value)
  if (schema.kind === 'schemaOrBool') {
    encodeField(BOOL, 1, isSchema || value, writer)
    if (isSchema) encodeField(props, 2, value, writer)
  } else if (isSchema) encodeField(props, 1, value, writer)
  else for (const item of value as unknown[]) encodeField(schema.kind === 'schemaOrArray' ? props : STRING, 2, item, writer)
}

const plain = { goType: '', enum: undefined, nullable: false }
const STRING: ScalarSchema = { kind: 'string', ...plain }
const BOOL: ScalarSchema = { kind: 'bool', ...plain }
const INT64: ScalarSchema = { kind: 'int64', ...plain }
