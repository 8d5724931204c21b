/** Opens connections to where pods and Services are, from this process. */
import { connect, type Socket } from 'node:net'
import type { PodNetwork } from '../api/pod-network.ts'

export interface LateConnect {
  connect: PodNetwork['connect']
  /** From now on connections go through this network; until then, and where pods have none of their own, they go from the host. */
  through(network: PodNetwork): void
}

/** For what is made before there is a node with a network. */
export function lateConnect(): LateConnect {
  let open: PodNetwork['connect'] = connectOnHost
  return {
    connect: (address, port, signal) => open(address, port, signal),
    through(network) {
      if (network.reach !== 'none') open = (address, port, signal) => network.connect(address, port, signal)
    },
  }
}

/** Rejects with the system's error, or the signal's reason. */
export function connectOnHost(host: string, port: number, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const aborted = () => socket.destroy(signal?.reason)
    const failed = (error: Error) => {
      signal?.removeEventListener('abort', aborted)
      reject(error)
    }
    socket.once('error', failed)
    socket.once('connect', () => {
      socket.off('error', failed)
      signal?.removeEventListener('abort', aborted)
      resolve(socket)
    })
    signal?.addEventListener('abort', aborted, { once: true })
  })
}
