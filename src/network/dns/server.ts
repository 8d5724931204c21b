/** Cluster DNS on its sockets, by UDP and TCP. Knows no names: a responder answers. */
import { randomInt } from 'node:crypto'
import type { Socket } from 'node:net'
import type { PodNetwork } from '../../api/pod-network.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Closable } from '../keep-open.ts'
import { createForwarder } from './forward.ts'
import { createFrames, frame } from './frames.ts'
import { createResponder } from './responder.ts'
import type { Zone } from './zone.ts'

const DNS_PORT = 53
/** TCP connections at a time; further ones are closed. */
const MAX_TCP_CONNECTIONS = 256
const TCP_IDLE_MS = 10_000

export function createDnsServer(options: { zone: Zone; nameservers: () => Promise<readonly string[]>; clock: Clock; log: Log }) {
  const { zone, nameservers, clock, log } = options
  const connections = new Set<Socket>()

  return {
    /** Serves port 53 of `address` until closed. Rejects when one of the two sockets cannot be had. */
    async listen(network: PodNetwork, address: string): Promise<Closable> {
      const forwarder = createForwarder({ nameservers, clock, randomId: () => randomInt(65_536) })
      const respond = createResponder({ zone, forwarder })
      const answer = async (message: Buffer, transport: 'udp' | 'tcp', send: (answer: Buffer) => void) => {
        try {
          const bytes = await respond(message, transport)
          if (bytes) send(bytes)
        } catch (error) {
          log.error('a DNS question was not answered', { error })
        }
      }
      let open = true
      const udp = await network.bindUdp(address, DNS_PORT)
      udp.on('error', (error) => log.warn('cluster DNS failed to send', { error }))
      udp.on('message', (message, client) => {
        void answer(message, 'udp', (bytes) => {
          if (open && client.port !== 0) udp.send(bytes, client.port, client.address)
        })
      })
      const closeUdp = () => {
        open = false
        return new Promise<void>((resolve) => udp.close(() => resolve()))
      }
      const accept = (socket: Socket) => {
        serveConnection(socket, connections, (message) =>
          answer(message, 'tcp', (bytes) => {
            if (socket.writable) socket.write(frame(bytes))
          }),
        )
      }
      let tcp: Closable
      try {
        tcp = await network.listen(address, DNS_PORT, accept)
      } catch (error) {
        await closeUdp()
        throw error
      }
      return {
        async close() {
          forwarder.stop()
          for (const socket of connections) socket.destroy()
          await Promise.all([closeUdp(), tcp.close()])
        },
      }
    },
  }
}

/** Questions of one connection are answered one after another, and no more are read meanwhile. */
function serveConnection(socket: Socket, connections: Set<Socket>, answer: (message: Buffer) => Promise<void>): void {
  socket.on('error', () => socket.destroy())
  if (connections.size >= MAX_TCP_CONNECTIONS) return void socket.destroy()
  connections.add(socket)
  socket.allowHalfOpen = true
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy())
  socket.on('close', () => connections.delete(socket))
  let last = Promise.resolve()
  const frames = createFrames((message) => {
    socket.pause()
    last = last.then(() => answer(message)).then(() => void socket.resume())
  })
  socket.on('data', frames)
  socket.on('end', () => void last.then(() => socket.end()))
}
