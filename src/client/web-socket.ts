/** A client WebSocket for exec, attach and port-forward, over the cluster's TLS. */
import type { AgentOptions } from 'node:https'
import { type Status, StatusError } from '../api/status.ts'
import type { WebSocketLike } from './transport.ts'

export async function openWebSocket(
  url: string,
  protocols: readonly string[],
  options: { headers: Record<string, string>; tls: AgentOptions; signal?: AbortSignal },
): Promise<WebSocketLike> {
  const { WebSocket } = await import('ws')
  const socket = new WebSocket(url, [...protocols], { headers: options.headers, ...options.tls, perMessageDeflate: false })
  const abort = () => socket.terminate()
  options.signal?.addEventListener('abort', abort, { once: true })
  // One signal may outlive many sockets.
  socket.once('close', () => options.signal?.removeEventListener('abort', abort))
  // Messages may arrive in the same turn as the handshake's end: they wait for the first listener.
  const early: Buffer[] = []
  let listener: ((data: Uint8Array) => void) | undefined
  socket.on('message', (data: Buffer) => (listener ? listener(data) : early.push(data)))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', (error) => reject(options.signal?.aborted ? options.signal.reason : error))
    socket.once('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => reject(refused(response.statusCode ?? 500, Buffer.concat(chunks).toString('utf8'))))
    })
  })
  socket.on('error', () => socket.terminate())
  return {
    protocol: socket.protocol,
    send: (data) => socket.send(data),
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    onMessage(receive) {
      listener = receive
      for (const data of early.splice(0)) receive(data)
    },
    onClose: (closed) => socket.on('close', (code, reason) => closed(code, reason.toString())),
    close: (code, reason) => socket.close(code, reason),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  }
}

function refused(code: number, text: string): Error {
  try {
    const status = JSON.parse(text) as Status
    if (status.kind === 'Status') return new StatusError(status)
  } catch {
    // Plain text: the message below carries it.
  }
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    reason: 'Unknown',
    message: text.trim() || `the server answered ${code}`,
  })
}
