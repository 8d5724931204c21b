/** One API call as the verbs see it, whichever door it came through. */
import type { UserInfo } from '../contract.ts'
import type { Query } from './query.ts'

export interface ApiRequest {
  readonly method: string
  /** Without the query; still percent-encoded. */
  readonly path: string
  readonly query: Query
  /** Lower-case names. */
  header(name: string): string | undefined
  /** Lower-case. */
  headerNames(): readonly string[]
  readonly user: UserInfo
  /** Where it came from, for those whom it is passed on to; absent in process. */
  readonly clientAddress?: string | undefined
  /** Came in process: its body is an object made by typed code. */
  readonly trusted: boolean
  readonly signal: AbortSignal
  /** The whole body: bytes, or an object that now belongs to the verb. Throws `tooLarge`. */
  body(): Promise<Uint8Array | object | undefined>
  /** What the audit log notes about the request, where it is kept. */
  readonly annotations?: Record<string, string> | undefined
  /** Texts for `Warning` headers, in order. */
  readonly warnings: string[]
}

/** What a verb answers. The parsed form and the bytes are made only when a door asks for them. */
export type Answer = ObjectAnswer | WatchAnswer | StreamAnswer

export interface ObjectAnswer {
  readonly type: 'object'
  readonly status: number
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  /** Shared: read-only. */
  object(): unknown
  /** In as few buffers as possible. */
  chunks(): readonly Buffer[]
  /** The same bytes, to be sent piece by piece; for what may be long. */
  long?: () => LongBody
}

/** Bytes that are copied where they are wanted, so that a long answer needs no memory of its own. */
export interface LongBody {
  readonly length: number
  /** Copies the next bytes to the target's beginning and says how many; 0 at the end. */
  fill(target: Buffer): number
}

/** Bytes of unknown length. */
export interface StreamAnswer {
  readonly type: 'stream'
  readonly status: number
  readonly contentType: string
  /** Instead of what answers have otherwise: somebody else's answer is passed on. */
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly stream: import('node:stream').Readable
}

export interface WatchAnswer {
  readonly type: 'watch'
  readonly contentType: string
  /** Starts delivery; the returned function stops it. May call the sink before it returns. */
  start(sink: WatchSink): () => void
}

/** Where a watch delivers. `kind` says which of the two forms a door wants. */
export type WatchSink =
  | { readonly form: 'bytes'; write(frame: Buffer): void; end(): void }
  | { readonly form: 'objects'; write(event: { type: string; object: unknown }): void; end(): void }

/** An answer whose parsed form is at hand; bytes are its JSON. */
export function jsonAnswer(status: number, object: unknown): ObjectAnswer {
  return {
    type: 'object',
    status,
    contentType: 'application/json',
    object: () => object,
    chunks: () => [Buffer.from(`${JSON.stringify(object)}\n`)],
  }
}

export function textAnswer(status: number, text: string, contentType = 'text/plain; charset=utf-8'): ObjectAnswer {
  return { type: 'object', status, contentType, object: () => text, chunks: () => [Buffer.from(text)] }
}
