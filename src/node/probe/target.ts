/** Where a probe or hook connects to: a port by number or by the container's name for it, on the pod or a given host. */
import type { Socket } from 'node:net'
import type { Container } from '../../api/types.ts'

/** What probes and hooks need of one running container. */
export interface ProbeTarget {
  container: Container
  /** The pod's address; the node's for host network. */
  address: string
  connect(host: string, port: number, signal: AbortSignal): Promise<Socket>
  /** Runs a command in the container; output is cut off at a limit. */
  exec(command: readonly string[], signal: AbortSignal): Promise<{ code: number; output: string; error?: string }>
}

/** `Error`: the probe itself could not be made; it counts for nothing. */
export interface ProbeResult {
  outcome: 'Success' | 'Failure' | 'Error'
  message: string
}

export const success = (message: string): ProbeResult => ({ outcome: 'Success', message })
export const failed = (message: string): ProbeResult => ({ outcome: 'Failure', message })

/** Throws for a name that the container has no port for. */
export function portNumber(container: Container, port: number | string): number {
  if (typeof port === 'number') return port
  const named = container.ports?.find((candidate) => candidate.name === port)
  const number = named?.containerPort ?? Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65535) throw new Error(`invalid port number: ${port}`)
  return number
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** How Go words the system's network errors: what users of Kubernetes search for. */
export function dialError(error: unknown, host: string, port: number): string {
  const code = (error as NodeJS.ErrnoException).code
  const texts: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ECONNRESET: 'connect: connection reset by peer',
    ETIMEDOUT: 'i/o timeout',
  }
  const text = (code && texts[code]) ?? (error as Error).message
  return `dial tcp ${hostPort(host, port)}: ${text}`
}
