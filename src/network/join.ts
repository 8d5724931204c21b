/** Two TCP connections made one: bytes, ends and failures pass through both ways. Knows nothing of Services. */
import type { Socket } from 'node:net'

const KEEP_ALIVE_MS = 60_000

/** To be called as soon as a socket is there: its end shall not close its other direction, and no error is unheard. */
export function prepare(socket: Socket): void {
  socket.allowHalfOpen = true
  socket.setNoDelay(true)
  // The kernel finds out about peers that vanished without a word.
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  // What failed is told by `close`, which always follows.
  socket.on('error', () => {})
}

/** Both sockets are prepared and nobody has read from them. An end is passed on as an end, a failure as a reset. */
export function join(a: Socket, b: Socket): void {
  passOn(a, b)
  passOn(b, a)
}

function passOn(from: Socket, to: Socket): void {
  if (from.destroyed) {
    reset(to)
    return
  }
  from.once('close', (failed) => {
    // A socket that ended both ways has handed over everything; the other still flushes.
    if (failed || !from.readableEnded || !from.writableFinished) reset(to)
  })
  if (from.readableEnded) to.end()
  else from.pipe(to)
}

/** Closes so that the peer sees a failure and not an end. */
export function reset(socket: Socket): void {
  if (socket.destroyed) return
  try {
    socket.resetAndDestroy()
  } catch {
    // Only TCP has resets; a socket of another kind is closed.
    socket.destroy()
  }
}
