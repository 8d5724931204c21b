/** The pod network of a runtime whose pods' addresses this process reaches with plain sockets. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export function plainConnect(address: string, port: number, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const socket = connect({ host: address, port })
    const aborted = () => socket.destroy(signal?.reason as Error)
    signal?.addEventListener('abort', aborted, { once: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      signal?.removeEventListener('abort', aborted)
      socket.removeListener('error', reject)
      resolve(socket)
    })
  })
}

export async function plainListen(
  address: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  server.listen(port, address)
  await once(server, 'listening')
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

export async function plainUdp(address: string, port: number): Promise<UdpSocket> {
  const socket = createSocket('udp4')
  socket.bind(port, address)
  await once(socket, 'listening')
  return socket
}
