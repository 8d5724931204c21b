/**
 * hostPort: ports of this host that lead into a pod. TCP only: connections are taken here and passed on through the pod
 * network, so it works the same for root and for a normal user.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { ContainerPort, Pod } from '../../api/types.ts'
import { isSidecar } from '../plan/containers.ts'
import type { PodState } from './pod-state.ts'

/** A port that could not be had is tried again after this time. */
const RETRY_MS = 10_000

export class HostPorts {
  private readonly state: PodState
  private readonly servers = new Map<string, Server>()
  private readonly sockets = new Set<Socket>()
  private address = ''
  private triedAtMs = Number.NEGATIVE_INFINITY

  constructor(state: PodState) {
    this.state = state
  }

  /** Opens what the pod asks for while it has an address, closes it otherwise. Cheap when nothing has changed. */
  keep(): void {
    const { context, pod, sandboxes, memory } = this.state
    const sandbox = sandboxes[0]
    const address = sandbox?.state === 'Ready' && !memory.finished ? sandbox.ip : ''
    if (address !== this.address) this.close()
    this.address = address
    const now = context.clock.now()
    if (!address || context.runtime.info.isolation !== 'namespaces' || now - this.triedAtMs < RETRY_MS) return
    for (const port of hostPorts(pod)) {
      const key = keyOf(port)
      if (this.servers.has(key)) continue
      this.triedAtMs = now
      if ((port.protocol ?? 'TCP') === 'TCP') this.open(key, port, address)
      else this.complain(`hostPort ${key}: protocol ${port.protocol} is not supported by this node`)
    }
  }

  close(): void {
    for (const server of this.servers.values()) server.close()
    this.servers.clear()
    for (const socket of this.sockets) socket.destroy()
    this.sockets.clear()
    this.triedAtMs = Number.NEGATIVE_INFINITY
  }

  private open(key: string, port: ContainerPort, address: string): void {
    const server = createServer(
      { pauseOnConnect: true, allowHalfOpen: true },
      (socket) => void this.pass(socket, address, port.containerPort),
    )
    this.servers.set(key, server)
    server.on('error', (error) => {
      this.servers.delete(key)
      this.complain(`hostPort ${key} is not to be had: ${error.message}`)
    })
    server.listen(port.hostPort, port.hostIP || undefined)
  }

  private async pass(socket: Socket, address: string, port: number): Promise<void> {
    this.sockets.add(socket)
    socket.on('close', () => this.sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    try {
      const inner = await this.state.context.runtime.network.connect(address, port, this.state.context.signal)
      inner.on('error', () => socket.destroy())
      socket.on('close', () => inner.destroy())
      inner.on('close', () => socket.destroy())
      socket.pipe(inner)
      inner.pipe(socket)
      socket.resume()
    } catch {
      // Nobody listens in the pod: the caller sees its connection closed, as it would there.
      socket.destroy()
    }
  }

  private complain(message: string): void {
    this.state.context.event(this.state.pod, { type: 'Warning', reason: 'HostPortUnavailable', message })
  }
}

function hostPorts(pod: Pod): ContainerPort[] {
  if (pod.spec?.hostNetwork) return []
  const sidecars = (pod.spec?.initContainers ?? []).filter(isSidecar)
  return [...sidecars, ...(pod.spec?.containers ?? [])].flatMap((c) => (c.ports ?? []).filter((port) => port.hostPort))
}

function keyOf(port: ContainerPort): string {
  return `${port.hostIP ? `${port.hostIP}:` : ''}${port.hostPort}/${port.protocol ?? 'TCP'}`
}
