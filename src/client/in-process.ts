/**
 * The transport without sockets: calls a server's in-process door. Objects pass by reference in both directions,
 * so what comes back is shared and read-only, and what is sent is handed over.
 */
import type { Readable } from 'node:stream'
import type { KubeObject, WatchEvent } from '../api/object.ts'
import type { Transport, TransportRequest, WebSocketLike } from './transport.ts'

/** What this transport needs of a server; the server's own door is assignable to it. */
export interface Door {
  request(request: TransportRequest): Promise<{
    status: number
    headers: Record<string, string>
    warnings: readonly string[]
    object: unknown
    bytes(): Uint8Array
  }>
  watch(request: TransportRequest, deliver: (events: { type: string; object: unknown }[]) => void): Promise<void>
  stream(request: TransportRequest): Promise<Readable>
  connect?(request: TransportRequest, protocols: readonly string[]): Promise<WebSocketLike>
}

/** Events a reader has not taken yet; above it the watch is ended and the reader lists again. */
const MAX_UNREAD_EVENTS = 100_000

export function createInProcessTransport(door: Door): Transport {
  return {
    async request(request) {
      const response = await door.request(request)
      return { ...response, object: response.object as KubeObject, bytes: () => response.bytes() }
    },
    watch: (request) => watchThroughDoor(door, request),
    stream: (request) => door.stream(request),
    connect(request, protocols) {
      if (!door.connect) throw new TypeError(`${request.path}: streams are not served in process; use the HTTPS address`)
      return door.connect(request, protocols)
    },
    close() {},
  }
}

/** Turns the door's push into a pull: one batch a turn, whatever came in between joined. */
async function* watchThroughDoor(door: Door, request: TransportRequest): AsyncGenerator<WatchEvent[]> {
  const stop = new AbortController()
  const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal
  let unread: WatchEvent[] = []
  let ended: { error?: unknown } | undefined
  let wake: (() => void) | undefined
  const deliver = (events: { type: string; object: unknown }[]) => {
    for (const event of events) unread.push(event as WatchEvent)
    if (unread.length > MAX_UNREAD_EVENTS) stop.abort(new Error('the watch was read too slowly'))
    wake?.()
  }
  door.watch({ ...request, signal }, deliver).then(
    () => {
      ended = {}
      wake?.()
    },
    (error: unknown) => {
      ended = { error }
      wake?.()
    },
  )
  try {
    for (;;) {
      if (unread.length > 0) {
        const batch = unread
        unread = []
        yield batch
      } else if (ended) {
        if (ended.error !== undefined && !signal.aborted) throw ended.error
        return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        wake = undefined
      }
    }
  } finally {
    stop.abort()
  }
}
