/** Which endpoints of a Service's port take new connections, from its EndpointSlices. Pure: knows neither sockets nor Services. */
import type { EndpointSlice } from '../api/types.ts'

export interface Target {
  /** `address:port`, the target's identity across recomputations. */
  readonly key: string
  readonly address: string
  readonly port: number
}

/**
 * The endpoints that are ready (a condition that is absent counts as true); when there is none, those that terminate but
 * still serve. Only IPv4 slices count: the pod network has no other addresses.
 */
export function endpointSet(slices: readonly EndpointSlice[], portName: string, protocol: string): readonly Target[] {
  const ready = new Map<string, Target>()
  const leaving = new Map<string, Target>()
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue
    const ports = (slice.ports ?? []).filter((port) => (port.name ?? '') === portName && (port.protocol ?? 'TCP') === protocol)
    for (const { port } of ports) {
      if (port === undefined) continue
      for (const { addresses, conditions } of slice.endpoints ?? []) {
        // All addresses of one endpoint are fungible; consumers use the first.
        const address = addresses[0]
        if (address === undefined) continue
        const target = { key: `${address}:${port}`, address, port }
        if (conditions?.ready !== false) ready.set(target.key, target)
        else if (conditions.terminating && conditions.serving) leaving.set(target.key, target)
      }
    }
  }
  return [...(ready.size > 0 ? ready : leaving).values()]
}
