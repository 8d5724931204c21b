/** Listening sockets of the host itself, in the shape of the pod network's. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Closable } from './keep-open.ts'

/**
 * Rejects with the system's error, e.g. `EADDRINUSE`; `failed` is told of later ones (no file descriptor left for a
 * connection), after which the server goes on. Closing leaves accepted connections alone.
 */
export async function listenOnHost(
  address: string,
  port: number,
  accept: (socket: Socket) => void,
  failed: (error: Error) => void,
): Promise<Closable> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
  server.listen({ host: address, port })
  await once(server, 'listening')
  server.on('error', failed)
  return {
    // The callback waits for open connections too, which may take for ever; the port is free at once.
    close: () => {
      server.close()
      return Promise.resolve()
    },
  }
}

export async function bindUdpOnHost(address: string, port: number): Promise<UdpSocket> {
  const socket = createSocket('udp4')
  socket.bind({ address, port, exclusive: true })
  try {
    await once(socket, 'listening')
  } catch (error) {
    socket.close()
    throw error
  }
  return socket
}
