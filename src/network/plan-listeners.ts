/** Which addresses and ports a Service is to be served on. Pure. */
import { isIPv4 } from 'node:net'
import type { PodNetwork } from '../api/pod-network.ts'
import type { Service } from '../api/types.ts'

const LOOPBACK = '127.0.0.1'

export interface ListenerPlan {
  /** `host`: a socket of this process. `pods`: one inside the pod network. */
  place: 'host' | 'pods'
  protocol: 'TCP' | 'UDP'
  address: string
  port: number
  /** The name of the Service's port, '' when it has none. */
  portName: string
}

export interface ListenerSites {
  reach: PodNetwork['reach']
  /** The node's address as pods see it. */
  nodeAddress: string
  nodeAddresses: readonly string[]
}

/** Headless and ExternalName Services are DNS answers only. `unsupported` says, by field, what is not served. */
export function planListeners(service: Service, sites: ListenerSites): { listeners: ListenerPlan[]; unsupported: string[] } {
  const spec = service.spec ?? {}
  const unsupported: string[] = []
  const listeners: ListenerPlan[] = []
  if (spec.type === 'ExternalName') return { listeners, unsupported }
  if (spec.externalIPs?.length) unsupported.push('spec.externalIPs')
  const clusterIPs = (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((address) => isIPv4(address))
  for (const [i, { name: portName = '', protocol = 'TCP', port, nodePort }] of (spec.ports ?? []).entries()) {
    if (protocol !== 'TCP' && protocol !== 'UDP') {
      unsupported.push(`spec.ports[${i}].protocol: ${protocol}`)
      continue
    }
    if (sites.reach !== 'none') {
      for (const address of clusterIPs) listeners.push({ place: 'pods', protocol, address, port, portName })
    }
    if (!nodePort) continue
    for (const address of new Set([LOOPBACK, ...sites.nodeAddresses])) {
      // A node address that lies in the pods' own namespace cannot be bound here.
      const place = sites.reach === 'inside' && address === sites.nodeAddress ? 'pods' : 'host'
      listeners.push({ place, protocol, address, port: nodePort, portName })
    }
  }
  return { listeners, unsupported }
}

export function listenerKey({ place, protocol, address, port }: ListenerPlan): string {
  return `${place}/${protocol}/${address}:${port}`
}
