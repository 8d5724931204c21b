/** The network of simulated pods: addresses, and nothing behind them. */
import type { PodNetwork } from '../../../api/pod-network.ts'

export function simulatedNetwork(nodeAddress: string, podCidr: string): PodNetwork {
  const nothing = (what: string) => Promise.reject(new Error(`simulated pods have no sockets: ${what}`))
  return {
    reach: 'none',
    nodeAddress,
    podCidr,
    connect(address, port) {
      const error = new Error(`connect ECONNREFUSED ${address}:${port}`) as NodeJS.ErrnoException
      error.code = 'ECONNREFUSED'
      return Promise.reject(error)
    },
    listen: (address, port) => nothing(`listen on ${address}:${port}`),
    bindUdp: (address, port) => nothing(`bind ${address}:${port}`),
    claimRange: () => Promise.resolve(),
  }
}
