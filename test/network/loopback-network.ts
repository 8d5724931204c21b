/** A pod network of loopback sockets: every address of the network is one of 127.0.0.0/8, privileged ports are moved up. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { PodNetwork } from '../../src/api/pod-network.ts'

const PORT_SHIFT = 20_000

export interface LoopbackNetwork extends PodNetwork {
  /** Where an address and port of the pod network really are. */
  real(address: string, port: number): { host: string; port: number }
  readonly claimed: string[]
  /** A server at a pod's address. */
  serve(address: string, port: number, accept: (socket: Socket) => void): Promise<{ close(): Promise<void> }>
}

let networks = 0

export function createLoopbackNetwork(reach: PodNetwork['reach'] = 'host'): LoopbackNetwork {
  // Test files run in processes of their own, at once.
  const base = `127.${20 + (process.pid % 200)}.${++networks}`
  const ordinals = new Map<string, number>()
  const claimed: string[] = []
  const real = (address: string, port: number) => {
    if (address === '0.0.0.0') return { host: `${base}.254`, port }
    if (!ordinals.has(address)) ordinals.set(address, ordinals.size + 1)
    return { host: `${base}.${ordinals.get(address)}`, port: port > 0 && port < 1024 ? port + PORT_SHIFT : port }
  }
  const listen = async (address: string, port: number, accept: (socket: Socket) => void) => {
    const server = createServer(accept)
    server.listen(real(address, port))
    await once(server, 'listening')
    return {
      close() {
        server.close()
        return Promise.resolve()
      },
    }
  }
  return {
    reach,
    nodeAddress: '10.88.0.1',
    podCidr: '10.88.0.0/16',
    claimed,
    real,
    listen,
    serve: listen,
    async connect(address, port, signal) {
      const socket = connect({ ...real(address, port), ...(signal && { signal }) })
      await once(socket, 'connect')
      return socket
    },
    async bindUdp(address, port): Promise<UdpSocket> {
      const socket = createSocket('udp4')
      const { host, port: realPort } = real(address, port)
      socket.bind(realPort, host)
      await once(socket, 'listening')
      const send = socket.send.bind(socket) as (data: Uint8Array, port: number, address: string) => void
      // Pods' addresses are translated as their network would route them; real ones are clients' and stay.
      const routed = (data: Uint8Array, to: number, host: string) => {
        const target = host.startsWith('127.') ? { host, port: to } : real(host, to)
        send(data, target.port, target.host)
      }
      socket.send = routed as typeof socket.send
      return socket
    },
    claimRange(cidr) {
      claimed.push(cidr)
      return Promise.resolve()
    },
  }
}
