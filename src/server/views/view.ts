/** How objects are shown: as they are, as rows of a Table, or as their metadata only. A view never edits what it shows. */
import type { KubeObject } from '../../api/object.ts'
import type { Entry } from '../../store/store.ts'
import { bytesOf, objectOf } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'

export interface View {
  /** Tells encodings of one event apart. */
  readonly key: string
  /** Of one object or a list; a watch's frames are JSON of their own. */
  readonly contentType: string
  one(resource: Resource, entry: Entry): Shown
  list(resource: Resource, entries: readonly Entry[], metadata: ListMetadata): Shown
  /** What a watch event carries. The first of a watch may say more than the others. */
  event(resource: Resource, entry: Entry, first: boolean): { object(): unknown; bytes(): Buffer }
  /** A bookmark's object in this view's shape. */
  bookmark?(object: KubeObject, resource: Resource, first: boolean): unknown
  /** How a watch is written, where that is not one JSON document a line. */
  readonly stream?: EventStream
}

export interface EventStream {
  readonly contentType: string
  /** What is no stored object: bookmarks and the last word of a watch that fails. */
  encode(object: object): Buffer
  frame(type: string, object: Buffer): Buffer
}

export interface Shown {
  /** Shared: read-only. */
  object(): unknown
  chunks(): readonly Buffer[]
}

export interface ListMetadata {
  /** Absent for what has no versions: objects that are made when they are asked for. */
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

/** List answers are written in buffers of this size: large enough to make few writes, small enough not to be one huge allocation. */
const LIST_CHUNK_BYTES = 1 << 20
const COMMA = Buffer.from(',')
const OPEN = Buffer.from('{')

export const objectView: View = {
  key: '',
  contentType: 'application/json',
  one: (resource, entry) => ({ object: () => objectOf(entry, resource), chunks: () => [bytesOf(entry, resource)] }),
  list: (resource, entries, metadata) => ({
    object: () => ({
      kind: `${resource.definition.kind}List`,
      apiVersion: resource.apiVersion,
      metadata: listMetadata(resource, metadata),
      items: entries.map((entry) => objectOf(entry, resource)),
    }),
    chunks: () => concatenate(resource, entries, metadata),
  }),
  event: (resource, entry) => ({ object: () => objectOf(entry, resource), bytes: () => bytesOf(entry, resource) }),
}

/** Lists of custom resources always have the token, an empty one, too. */
function listMetadata(resource: Resource, metadata: ListMetadata): ListMetadata {
  return resource.itemsCarryKind ? { continue: '', ...metadata } : metadata
}

/** The list's JSON around the stored bytes of its items. */
function concatenate(resource: Resource, entries: readonly Entry[], metadata: ListMetadata): Buffer[] {
  const { kind } = resource.definition
  const opening = `{"kind":"${kind}List","apiVersion":"${resource.apiVersion}","metadata":${JSON.stringify(listMetadata(resource, metadata))},"items":[`
  const writer = new ChunkWriter()
  writer.write(Buffer.from(opening))
  for (let i = 0; i < entries.length; i++) {
    if (i > 0) writer.write(COMMA)
    const bytes = bytesOf(entries[i]!, resource)
    const end = bytes.length - 1
    if (resource.itemsCarryKind) writer.write(bytes, 0, end)
    else {
      writer.write(OPEN)
      writer.write(bytes, resource.head.length, end)
    }
  }
  writer.write(Buffer.from(']}\n'))
  return writer.end()
}

class ChunkWriter {
  #done: Buffer[] = []
  #chunk = Buffer.allocUnsafe(LIST_CHUNK_BYTES)
  #at = 0

  write(bytes: Buffer, from = 0, end = bytes.length): void {
    let at = from
    while (at < end) {
      if (this.#at === this.#chunk.length) this.#next()
      const copied = bytes.copy(this.#chunk, this.#at, at, end)
      this.#at += copied
      at += copied
    }
  }

  end(): Buffer[] {
    this.#done.push(this.#chunk.subarray(0, this.#at))
    return this.#done
  }

  #next(): void {
    this.#done.push(this.#chunk)
    this.#chunk = Buffer.allocUnsafe(LIST_CHUNK_BYTES)
    this.#at = 0
  }
}
