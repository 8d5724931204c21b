/** How objects are shown: as they are, as rows of a Table, or as their metadata only. A view never edits what it shows. */
import type { KubeObject } from '../../api/object.ts'
import type { Entry } from '../../store/store.ts'
import { bytesOf, objectOf } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import type { LongBody } from '../request/request.ts'
import { ListBody } from './list-body.ts'

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
  /** The same bytes, for what may be long. */
  long?: () => LongBody
}

export interface ListMetadata {
  /** Absent for what has no versions: objects that are made when they are asked for. */
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

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
    chunks: () => new ListBody(resource, entries, listMetadata(resource, metadata)).chunks(),
    long: () => new ListBody(resource, entries, listMetadata(resource, metadata)),
  }),
  event: (resource, entry) => ({ object: () => objectOf(entry, resource), bytes: () => bytesOf(entry, resource) }),
}

/** Lists of custom resources always have the token, an empty one, too. */
function listMetadata(resource: Resource, metadata: ListMetadata): ListMetadata {
  return resource.itemsCarryKind ? { continue: '', ...metadata } : metadata
}
