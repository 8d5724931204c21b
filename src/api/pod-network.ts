/**
 * The network pods live in, as sockets. Where pods' addresses are routed on this host (running as root) these are plain
 * sockets; for a normal user the pods' network lies inside a namespace and sockets are made in there and handed out.
 * A runtime implements it; Services, DNS, probes and port-forward use it.
 */
import type { Socket as UdpSocket } from 'node:dgram'
import type { Socket } from 'node:net'

export interface PodNetwork {
  /** `host`: anybody on this machine reaches pod and Service addresses. `inside`: only pods, and this process through this interface. `none`: pods have no network (simulated) or the host's own (process isolation). */
  readonly reach: 'host' | 'inside' | 'none'
  /** The node's own address as pods see it (the bridge's); the node's InternalIP. */
  readonly nodeAddress: string
  readonly podCidr: string
  /** Opens a TCP connection to an address of the pod network. Rejects with the system's error (`ECONNREFUSED`, …) or the signal's reason. */
  connect(address: string, port: number, signal?: AbortSignal): Promise<Socket>
  /** Accepts TCP connections for an address inside the pod network, e.g. a Service's. The address is claimed as needed. */
  listen(address: string, port: number, onConnection: (socket: Socket) => void): Promise<{ close(): Promise<void> }>
  /** A UDP socket bound inside the pod network (cluster DNS, UDP Services). */
  bindUdp(address: string, port: number): Promise<UdpSocket>
  /** Makes every address of the Service range local to the pod network, once, before `listen`. */
  claimRange(cidr: string): Promise<void>
}
