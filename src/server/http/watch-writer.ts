/** Writes a watch: frames of one round in one write, and a client that does not read fast enough is cut off. */
import type { Http2ServerResponse, OutgoingHttpHeaders } from 'node:http2'
import type { Core } from '../core.ts'
import type { WatchAnswer } from '../request/request.ts'
import type { FlushRounds } from './flush-rounds.ts'
import { commonHeaders } from './respond.ts'

/** What may wait for one slow watcher, besides what it began with. Beyond it the watch ends, and the client lists again. */
const WATCH_BUFFER_LIMIT_BYTES = 16 * 1024 * 1024

/** Resolves when the watch has ended, by either side. */
export function respondWatch(
  { core, rounds }: { core: Core; rounds: FlushRounds },
  answer: WatchAnswer,
  warnings: readonly string[],
  response: Http2ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    let pending: Buffer[] = []
    let pendingBytes = 0
    // What a watch begins with may be larger than the limit: it counts again once that has been read.
    let limit = Number.POSITIVE_INFINITY
    let finished = false
    let stop: (() => void) | undefined
    const flush = () => {
      const frames = pending
      pending = []
      pendingBytes = 0
      if (frames.length === 0 || signal.aborted) return
      response.write(rounds.join(frames))
      if (buffered(response) > limit) cutOff()
    }
    const cutOff = () => {
      core.log.warn('watcher cut off: it does not read fast enough', { bufferedBytes: pendingBytes + buffered(response) })
      pending = []
      finish(true)
    }
    const finish = (cut: boolean) => {
      if (finished) return
      finished = true
      signal.removeEventListener('abort', onAbort)
      core.closing.removeEventListener('abort', onClosing)
      stop?.()
      if (!cut) flush()
      if (cut) destroy(response)
      else response.end()
      resolve()
    }
    const onAbort = () => finish(true)
    const onClosing = () => finish(false)
    signal.addEventListener('abort', onAbort)
    core.closing.addEventListener('abort', onClosing)
    response.writeHead(200, commonHeaders(answer.contentType, warnings) as OutgoingHttpHeaders)
    const write = (frame: Buffer) => {
      if (pending.length === 0) rounds.add(flush)
      pending.push(frame)
      pendingBytes += frame.length
      if (pendingBytes > limit) cutOff()
    }
    flushHeaders(response)
    stop = answer.start({ form: 'bytes', write, end: () => finish(false) })
    if (finished) stop()
    limit = WATCH_BUFFER_LIMIT_BYTES + pendingBytes
    response.once('drain', () => {
      limit = WATCH_BUFFER_LIMIT_BYTES
    })
  })
}

/** Clients wait for the headers before they trust a watch to run. */
function flushHeaders(response: Http2ServerResponse): void {
  const { flushHeaders: flush } = response as unknown as { flushHeaders?: () => void }
  flush?.call(response)
}

function buffered(response: Http2ServerResponse): number {
  return response.stream ? response.stream.writableLength : response.writableLength
}

function destroy(response: Http2ServerResponse): void {
  if (response.stream) response.stream.destroy()
  else response.destroy()
}
