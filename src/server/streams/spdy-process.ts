/** exec and attach over SPDY: the client opens a stream for each channel and names it in a header. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Status } from '../../api/status.ts'
import type { ExecOptions, TerminalSize } from '../../api/streams.ts'
import { SpdyConnection, type SpdyStream } from '../spdy/connection.ts'
import type { ProcessChannels } from './process.ts'
import { parseSize } from './websocket-process.ts'

export const SPDY_PROCESS_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
]

/** How long the client may take to open its streams. */
const STREAMS_TIMEOUT_MS = 30_000

/** Resolves when every stream that the options ask for is there. Rejects when they do not come in time. */
export async function spdyChannels(
  socket: import('node:stream').Duplex,
  options: ExecOptions,
  protocol: string,
): Promise<ProcessChannels & { connection: SpdyConnection }> {
  const expected = new Set(['error'])
  if (options.stdin) expected.add('stdin')
  if (options.stdout) expected.add('stdout')
  if (options.stderr) expected.add('stderr')
  if (options.tty && protocol !== 'channel.k8s.io' && protocol !== 'v2.channel.k8s.io') expected.add('resize')
  const streams = new Map<string, SpdyStream>()
  const complete = deferred<void>()
  const timer = setTimeout(
    () => complete.reject(new Error('timed out waiting for the client to open its streams')),
    STREAMS_TIMEOUT_MS,
  )
  const connection = new SpdyConnection(socket, {
    onStream: (stream) => {
      const type = stream.headers.streamtype ?? ''
      if (!expected.has(type) || streams.has(type)) {
        stream.on('error', () => {})
        stream.destroy(new Error(`a stream of type ${JSON.stringify(type)} is not expected`))
        return
      }
      streams.set(type, stream)
      stream.on('error', () => {})
      if (streams.size === expected.size) complete.resolve()
    },
  })
  void connection.closed.then(() => complete.reject(new Error('the client went away')))
  try {
    await complete.promise
  } finally {
    clearTimeout(timer)
  }
  return { connection, ...channelsOf(streams, connection, protocol) }
}

function channelsOf(streams: Map<string, SpdyStream>, connection: SpdyConnection, protocol: string): ProcessChannels {
  const resize = streams.get('resize')
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    resize: resize && readSizes(resize),
    async finish(status: Status) {
      const structured = protocol.startsWith('v4') || protocol.startsWith('v5')
      const text = structured ? JSON.stringify(status) : status.status === 'Success' ? '' : (status.message ?? '')
      const ended: Promise<unknown>[] = []
      for (const [type, stream] of streams) {
        if (stream.destroyed) continue
        if (!stream.writableFinished) ended.push(once(stream, 'finish').catch(() => {}))
        stream.end(type === 'error' && text !== '' ? text : undefined)
      }
      await Promise.race([Promise.all(ended), connection.closed])
      connection.close()
    },
  }
}

/** The client writes each size as a JSON object of its own. */
function readSizes(stream: SpdyStream): AsyncIterable<TerminalSize> {
  const sizes = new PassThrough({ objectMode: true })
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    for (let end = text.indexOf('}'); end >= 0; end = text.indexOf('}')) {
      const size = parseSize(Buffer.from(text.slice(0, end + 1)))
      text = text.slice(end + 1)
      if (size) sizes.write(size)
    }
  })
  stream.on('close', () => sizes.end())
  return sizes as AsyncIterable<TerminalSize>
}

function deferred<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void
  let reject!: (reason?: unknown) => void
  const promise = new Promise<T>((ok, fail) => {
    resolve = ok
    reject = fail
  })
  return { promise, resolve, reject }
}
