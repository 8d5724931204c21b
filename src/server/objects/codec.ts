/**
 * Objects as they lie in the store. Every value begins `{"kind":"…","apiVersion":"…","metadata":…`, so that a list can leave
 * the first two out and another version can put its own there, without parsing. Every value ends in a newline, as answers do.
 */
import type { KubeObject } from '../../api/object.ts'
import type { Encode, Entry } from '../../store/store.ts'
import type { Resource } from '../registry.ts'

const COMMA = 0x2c

/** The store's `Encode` for an object in its stored version: stamps the revision, serialises once, keeps the object as the parsed form. */
export function encoderOf(object: KubeObject): Encode {
  return (revision) => {
    object.metadata.resourceVersion = String(revision)
    return { value: encode(object), decoded: object }
  }
}

/** JSON with kind and apiVersion in front, and a newline behind. */
export function encode(object: KubeObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object
  return Buffer.from(`${JSON.stringify({ kind, apiVersion, metadata, ...rest })}\n`)
}

/** The parsed form of an entry, in the stored version. Shared: read-only. */
export function decoded(entry: Entry): KubeObject {
  entry.decoded ??= JSON.parse(entry.value.toString())
  return entry.decoded as KubeObject
}

/** Where the members after kind and apiVersion begin. */
function bodyOffset(value: Buffer): number {
  return value.indexOf(COMMA, value.indexOf(COMMA) + 1) + 1
}

/** The parsed form of an entry in the version asked. Shared: read-only. */
export function objectOf(entry: Entry, resource: Resource): KubeObject {
  const stored = decoded(entry)
  const { definition, apiVersion } = resource
  const shown = definition.fromStorage ? definition.fromStorage(stored) : stored
  if (shown.apiVersion === apiVersion && shown.kind === definition.kind) return shown
  return { ...shown, kind: definition.kind, apiVersion }
}

/** In lists of thousands, calls into the engine's own comparison would cost more than the comparing. */
function startsWith(value: Buffer, head: Buffer): boolean {
  for (let i = 0; i < head.length; i++) if (value[i] !== head[i]) return false
  return true
}

/** The bytes of an entry in the version asked; they begin with the resource's `head`. */
export function bytesOf(entry: Entry, resource: Resource): Buffer {
  if (resource.definition.fromStorage) {
    const object = objectOf(entry, resource)
    if (object !== decoded(entry)) return encode(object)
  }
  const { head } = resource
  if (startsWith(entry.value, head)) return entry.value
  return Buffer.concat([head, entry.value.subarray(bodyOffset(entry.value))])
}
