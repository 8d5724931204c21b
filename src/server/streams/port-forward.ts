/** Port-forward: connections to ports of a pod, carried by SPDY streams (also tunnelled in a WebSocket) or by WebSocket channels. */
import { once } from 'node:events'
import { Duplex, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { WebSocket } from 'ws'
import { badRequest } from '../../api/status.ts'
import { SpdyConnection, type SpdyStream } from '../spdy/connection.ts'
import type { PodTarget } from './pod-target.ts'

export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io'
export const TUNNEL_PROTOCOL = `SPDY/3.1+${PORT_FORWARD_PROTOCOL}`
export const CHANNEL_PROTOCOLS = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io']

/** Serves every pair of streams that the client opens, until the connection ends. */
export async function forwardSpdy(transport: Duplex, target: PodTarget, signal: AbortSignal): Promise<void> {
  const waiting = new Map<string, SpdyStream>()
  const onStream = (stream: SpdyStream) => {
    stream.on('error', () => {})
    const { streamtype, requestid = '', port = '' } = stream.headers
    if (streamtype === 'error') {
      waiting.set(requestid, stream)
      return
    }
    const errors = waiting.get(requestid)
    waiting.delete(requestid)
    if (streamtype !== 'data' || !errors) {
      stream.destroy(new Error('a data stream needs an error stream of the same request'))
      return
    }
    void forwardOne(target, Number(port), stream, errors, signal)
  }
  const connection = new SpdyConnection(transport, { onStream })
  signal.addEventListener('abort', () => transport.destroy())
  await connection.closed
}

/** One connection. What goes wrong is written to the error stream; that stream's end without a word says that all is well. */
async function forwardOne(
  target: PodTarget,
  port: number,
  data: SpdyStream,
  errors: Writable,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { duplex } = await target.node.portForward(target.ref, port, signal)
    await join(data, duplex)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (!errors.writableEnded) errors.write(`error forwarding port ${port} to pod ${target.ref.name}: ${why}`)
  } finally {
    errors.end()
    if (!data.writableEnded) data.end()
    if (!data.writableFinished && !data.destroyed) await Promise.race([once(data, 'finish'), once(data, 'close')]).catch(() => {})
    data.destroy()
  }
}

/** Copies both ways until the pod's side has ended; the client's end is passed on as an end, not a cut. */
async function join(client: Duplex, pod: Duplex): Promise<void> {
  const upward = pipeline(client, pod, { end: true }).catch(() => {})
  try {
    await pipeline(pod, client)
  } finally {
    pod.destroy()
    await upward
  }
}

/** A WebSocket as a stream of bytes, for a tunnel. */
export function tunnel(socket: WebSocket): Duplex {
  const duplex = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.send(chunk, (error) => done(error ?? null)),
    final: (done) => {
      socket.close(1000)
      done()
    },
    destroy: (error, done) => {
      socket.terminate()
      done(error)
    },
  })
  socket.on('message', (data: Buffer) => {
    if (!duplex.push(data)) socket.pause()
  })
  socket.on('close', () => {
    duplex.push(null)
    duplex.destroy()
  })
  socket.on('error', () => duplex.destroy())
  return duplex
}

/** The older form: two channels for each port of the query, data and error; each begins with its port as 16 bits, low byte first. */
export async function forwardChannels(
  socket: WebSocket,
  ports: readonly number[],
  target: PodTarget,
  signal: AbortSignal,
): Promise<void> {
  const encoded = socket.protocol.includes('base64')
  const send = (channel: number, data: Buffer): Promise<void> => {
    const message = encoded ? `${channel}${data.toString('base64')}` : Buffer.concat([Buffer.of(channel), data])
    return new Promise((resolve, reject) => socket.send(message, (error) => (error ? reject(error) : resolve())))
  }
  const inputs = new Map<number, Duplex>()
  socket.on('message', (raw: Buffer) => {
    const channel = encoded ? Number(String.fromCharCode(raw[0] ?? 0)) : raw[0]
    const data = encoded ? Buffer.from(raw.toString('latin1', 1), 'base64') : raw.subarray(1)
    const input = inputs.get(channel ?? -1)
    if (!input || input.push(data)) return
    socket.pause()
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('close', () => {
    for (const input of inputs.values()) input.destroy()
  })
  const forwards = ports.map(async (port, index) => {
    const [data, errors] = [index * 2, index * 2 + 1]
    const client = new Duplex({
      read: () => socket.resume(),
      write: (chunk: Buffer, _encoding, done) => {
        send(data, chunk).then(() => done(), done)
      },
    })
    client.on('error', () => {})
    // Before anything is awaited: the client may send at once.
    inputs.set(data, client)
    try {
      const prefix = Buffer.of(port & 0xff, port >> 8)
      await send(data, prefix)
      await send(errors, prefix)
      const { duplex } = await target.node.portForward(target.ref, port, signal)
      await join(client, duplex)
    } catch (error) {
      await send(errors, Buffer.from(error instanceof Error ? error.message : String(error))).catch(() => {})
    } finally {
      // What still comes for it is dropped: it must hold back neither the other ports nor the end of the session.
      inputs.delete(data)
      socket.resume()
    }
  })
  await Promise.race([Promise.allSettled(forwards), closed])
  socket.close(1000)
}

/** The ports that were asked for, as the channel form has them. Throws a 400. */
export function readPorts(ports: readonly number[] = []): readonly number[] {
  if (ports.length === 0 || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65535)) {
    throw badRequest('you must specify at least 1 port, each between 1 and 65535')
  }
  return ports
}
