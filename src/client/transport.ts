/**
 * How a client reaches an API server. Two implementations: in process (no sockets, no copies) and HTTPS.
 * Both answer the same requests the same way; admission and authorization hold at both.
 */
import type { Duplex } from 'node:stream'
import type { KubeObject, WatchEvent } from '../api/object.ts'

export interface Transport {
  /** One request, one answer. Throws StatusError for a failure Status, and for anything else that is not 2xx. */
  request(request: TransportRequest): Promise<TransportResponse>
  /**
   * A watch. Events are shared objects: read-only. Ends when the server ends it or the signal aborts;
   * an ERROR event is thrown as StatusError.
   */
  watch(request: TransportRequest): AsyncIterable<WatchEvent[]>
  /** A long answer as bytes (logs with follow). */
  stream(request: TransportRequest): Promise<import('node:stream').Readable>
  /** A WebSocket to an exec, attach or portforward subresource. */
  connect(request: TransportRequest, protocols: readonly string[]): Promise<WebSocketLike>
  close(): void
}

export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute path without query, e.g. `/api/v1/namespaces/default/pods`. */
  path: string
  query?: Record<string, string | readonly string[] | undefined>
  headers?: Record<string, string>
  /** An object (sent as JSON; handed over: the caller must not touch it again) or bytes with a `content-type` header. */
  body?: object | Uint8Array
  signal?: AbortSignal
}

export interface TransportResponse {
  status: number
  headers: Record<string, string>
  /** The `Warning` headers' texts. */
  warnings: readonly string[]
  /** The parsed answer. Shared, read-only. */
  object: KubeObject
  /** The answer's bytes. */
  bytes(): Uint8Array
}

/** The part of a WebSocket that the stream protocols need. */
export interface WebSocketLike {
  readonly protocol: string
  send(data: Uint8Array | string): void
  /** Bytes accepted but not yet handed to the network; senders pause above a limit of theirs. */
  readonly bufferedAmount: number
  onMessage(listener: (data: Uint8Array) => void): void
  onClose(listener: (code: number, reason: string) => void): void
  close(code?: number, reason?: string): void
  /** Flow control of what arrives. */
  pause(): void
  resume(): void
}

export type { Duplex }
