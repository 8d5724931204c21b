/**
 * `application/vnd.kubernetes.protobuf`: an object's protobuf form in an envelope (`runtime.Unknown`) that names its type.
 * Only Kubernetes' own types have such a form.
 */
import { kindSchema } from '../schema/builtin.ts'
import { decodeMessage, type ReadEnvelope } from './decode.ts'
import { encodeMessage } from './encode.ts'
import { isEnvelope, MAGIC } from './magic.ts'
import { BYTES, ProtobufError, Reader, Writer } from './wire.ts'

export const PROTOBUF_MEDIA_TYPE = 'application/vnd.kubernetes.protobuf'

/** How many envelopes may stand one within the other. */
const MAX_ENVELOPES = 10

export interface Envelope {
  apiVersion: string
  kind: string
  /** The object's message, undecoded. */
  raw: Reader
}

/** Opens the envelope only, to see what is within. Throws ProtobufError. */
export function openEnvelope(bytes: Buffer): Envelope {
  if (!isEnvelope(bytes)) throw new ProtobufError('the body does not begin as Kubernetes protobuf does')
  const reader = new Reader(bytes, MAGIC.length)
  const envelope: Envelope = { apiVersion: '', kind: '', raw: new Reader(bytes, bytes.length) }
  while (!reader.done) {
    const { number, type } = reader.tag()
    if (type !== BYTES) throw new ProtobufError(`the envelope's field ${number} has the wrong wire type ${type}`)
    if (number === 1) readTypeMeta(reader.message(), envelope)
    else if (number === 2) envelope.raw = reader.message()
    else if (number === 3) refuseEncoding(reader.string())
    else reader.skip(type)
  }
  return envelope
}

function readTypeMeta(reader: Reader, envelope: Envelope): void {
  while (!reader.done) {
    const { number, type } = reader.tag()
    if (number === 1 && type === BYTES) envelope.apiVersion = reader.string()
    else if (number === 2 && type === BYTES) envelope.kind = reader.string()
    else reader.skip(type)
  }
}

function refuseEncoding(encoding: string): void {
  if (encoding !== '') throw new ProtobufError(`the content encoding ${JSON.stringify(encoding)} is not supported`)
}

/**
 * The object in its JSON form, `apiVersion` and `kind` first; `schema/decode.ts` makes it normal. Throws ProtobufError for bytes that
 * are malformed and for kinds that have no protobuf form.
 */
export function decodeProtobuf(bytes: Buffer): Record<string, unknown> {
  return decodeAt(bytes, 1)
}

function decodeAt(bytes: Buffer, level: number): Record<string, unknown> {
  if (level > MAX_ENVELOPES) throw new ProtobufError('objects are embedded in one another too deep')
  const { apiVersion, kind, raw } = openEnvelope(bytes)
  const slash = apiVersion.indexOf('/')
  const schema = kindSchema(apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1), kind)
  if (!schema || schema.messages.length === 0)
    throw new ProtobufError(`there is no protobuf form of ${kind || 'an object without a kind'} in ${apiVersion || 'no version'}`)
  const readEnvelope: ReadEnvelope = (inner) => decodeAt(inner, level + 1)
  return { ...(apiVersion && { apiVersion }), ...(kind && { kind }), ...decodeMessage(schema, raw, readEnvelope) }
}

/** The whole body for an object of a built-in kind. Throws ProtobufError when there is no such kind. */
export function encodeProtobuf(object: { apiVersion: string; kind: string } & Record<string, unknown>): Buffer {
  const { apiVersion, kind } = object
  const slash = apiVersion.indexOf('/')
  const schema = kindSchema(apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1), kind)
  if (!schema || schema.messages.length === 0) throw new ProtobufError(`there is no protobuf form of ${kind} in ${apiVersion}`)
  const writer = new Writer()
  writer.tag(1, BYTES)
  writer.message((typeMeta) => {
    typeMeta.tag(1, BYTES)
    typeMeta.string(apiVersion)
    typeMeta.tag(2, BYTES)
    typeMeta.string(kind)
  })
  writer.tag(2, BYTES)
  writer.message((raw) => encodeMessage(schema, object, raw))
  return Buffer.concat([MAGIC, writer.finish()])
}
