/**
 * exec and attach over WebSocket: each message begins with its channel, 0 stdin, 1 stdout, 2 stderr, 3 status, 4 terminal size.
 * `v5` adds the closing of a channel, `v4` the status as JSON; the `base64` forms carry text.
 */
import { PassThrough, Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { WebSocket } from 'ws'
import type { Status } from '../../api/status.ts'
import type { ExecOptions, TerminalSize } from '../../api/streams.ts'
import type { ProcessChannels } from './process.ts'

export const PROCESS_PROTOCOLS = [
  ...['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'],
  ...['channel.k8s.io', 'base64.channel.k8s.io', 'v2.channel.k8s.io', 'v3.channel.k8s.io'],
]

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const STATUS = 3
const RESIZE = 4
const CLOSE = 255
/** Keeps proxies from closing a terminal nobody types into, and finds callers that are gone without a word. */
const PING_INTERVAL_MS = 30_000

export function webSocketChannels(socket: WebSocket, options: ExecOptions): ProcessChannels {
  const { protocol } = socket
  const encoded = protocol.includes('base64')
  const stdin = options.stdin ? new Readable({ read: () => socket.resume() }) : undefined
  const sizes = options.tty ? new PassThrough({ objectMode: true }) : undefined
  const send = (channel: number, data: Buffer) => sendOn(socket, channel, data, encoded)
  const output = (channel: number) =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        send(channel, chunk).then(() => done(), done)
      },
    })
  let isOver = false
  const receive = (message: Buffer) => {
    if (isOver) return
    const { channel, data } = parseMessage(message, encoded)
    if (channel === STDIN && stdin && !stdin.push(data)) socket.pause()
    else if (channel === CLOSE && protocol.startsWith('v5') && data[0] === STDIN) stdin?.push(null)
    else if (channel === RESIZE) pushSize(sizes, data)
  }
  socket.on('message', (data) => receive(data as Buffer))
  const endInputs = () => {
    stdin?.push(null)
    sizes?.end()
  }
  socket.on('close', endInputs)
  keepAlive(socket)
  const stdout = options.stdout ? output(STDOUT) : undefined
  const stderr = options.stderr ? output(STDERR) : undefined
  // An empty message tells the client that its streams are joined.
  void send(stdout ? STDOUT : stderr ? STDERR : STATUS, Buffer.alloc(0)).catch(() => {})
  return {
    stdin,
    stdout,
    stderr,
    resize: sizes as AsyncIterable<TerminalSize> | undefined,
    finish: async (status) => {
      await Promise.all([stdout, stderr].map(flushed))
      // The input that nobody read is dropped: a socket that is not read would not hear the answer to its close either.
      isOver = true
      socket.resume()
      await finish(socket, status, protocol, send)
    },
  }
}

/** Pings, and takes a caller that does not answer for gone. */
function keepAlive(socket: WebSocket): void {
  let isAnswered = true
  socket.on('pong', () => {
    isAnswered = true
  })
  const ping = setInterval(() => {
    // One that we do not read from at the moment cannot be heard answering.
    if (!isAnswered && !socket.isPaused) return socket.terminate()
    isAnswered = false
    socket.ping()
  }, PING_INTERVAL_MS)
  socket.on('close', () => clearInterval(ping))
}

/** What was written has been sent, or cannot be. */
async function flushed(stream: Writable | undefined): Promise<void> {
  if (stream && !stream.destroyed) await finished(stream.end()).catch(() => {})
}

async function finish(
  socket: WebSocket,
  status: Status,
  protocol: string,
  send: (channel: number, data: Buffer) => Promise<void>,
): Promise<void> {
  const structured = protocol.startsWith('v4') || protocol.startsWith('v5')
  const text = structured ? JSON.stringify(status) : status.status === 'Success' ? '' : (status.message ?? '')
  try {
    if (text !== '') await send(STATUS, Buffer.from(text))
  } catch {
    // The client has gone; nobody is left to be told.
  }
  socket.close(1000)
}

function sendOn(socket: WebSocket, channel: number, data: Buffer, encoded: boolean): Promise<void> {
  const message = encoded ? `${channel}${data.toString('base64')}` : Buffer.concat([Buffer.of(channel), data])
  return new Promise((resolve, reject) => socket.send(message, (error) => (error ? reject(error) : resolve())))
}

function parseMessage(message: Buffer, encoded: boolean): { channel: number; data: Buffer } {
  if (message.length === 0) return { channel: -1, data: message }
  if (!encoded) return { channel: message[0]!, data: message.subarray(1) }
  return { channel: Number(String.fromCharCode(message[0]!)), data: Buffer.from(message.toString('latin1', 1), 'base64') }
}

function pushSize(sizes: PassThrough | undefined, data: Buffer): void {
  const size = parseSize(data)
  if (size && sizes?.writable) sizes.write(size)
}

/** `{"Width":80,"Height":24}`; undefined for what is none. */
export function parseSize(data: Buffer): TerminalSize | undefined {
  try {
    const { Width, Height } = JSON.parse(data.toString()) as { Width?: number; Height?: number }
    return Number.isInteger(Width) && Number.isInteger(Height) ? { columns: Width!, rows: Height! } : undefined
  } catch {
    return undefined
  }
}
