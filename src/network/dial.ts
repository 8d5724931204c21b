/** Opens connections to endpoints, trying another when one does not answer. Knows no Services. */
import type { Socket } from 'node:net'
import type { PodNetwork } from '../api/pod-network.ts'
import type { Clock } from '../base/clock.ts'
import type { Backend } from './backend.ts'
import { connectOnHost } from './connect.ts'
import type { Target } from './endpoint-set.ts'

/** Longer than the kernel's first repetition of a lost SYN (1 s). */
const DIAL_TIMEOUT_MS = 1500
/** Endpoints tried for one connection. */
const MAX_DIAL_ATTEMPTS = 8
const LOOPBACK = '127.0.0.1'

export type Dial = (target: Target, signal: AbortSignal) => Promise<Socket>

/** `loopback`: addresses of this host, dialled as 127.0.0.1. `host`: other addresses to dial from the host rather than inside the pod network. */
export function createDial(options: {
  network: PodNetwork
  loopback: ReadonlySet<string>
  host: ReadonlySet<string>
  clock: Clock
}): Dial {
  const { network, loopback, host, clock } = options
  const open = ({ address, port }: Target, signal: AbortSignal) => {
    if (loopback.has(address)) return connectOnHost(LOOPBACK, port, signal)
    return host.has(address) ? connectOnHost(address, port, signal) : network.connect(address, port, signal)
  }
  return async (target, signal) => {
    const attempt = new AbortController()
    const give = () => attempt.abort(signal.reason)
    const cancel = clock.after(DIAL_TIMEOUT_MS, () => attempt.abort(timedOut(target)))
    signal.addEventListener('abort', give, { once: true })
    try {
      signal.throwIfAborted()
      return await open(target, attempt.signal)
    } finally {
      cancel()
      signal.removeEventListener('abort', give)
    }
  }
}

/** Connects to the first endpoint that accepts. Rejects with the last failure as `cause`, or the signal's reason. */
export async function dialAny(dial: Dial, backend: Backend, client: string, signal: AbortSignal): Promise<Socket> {
  const tried: Target[] = []
  let cause: unknown
  while (tried.length < MAX_DIAL_ATTEMPTS) {
    const target = backend.pick(client, tried)
    if (!target) break
    try {
      const socket = await dial(target, signal)
      backend.chosen(client, target)
      return socket
    } catch (error) {
      signal.throwIfAborted()
      tried.push(target)
      cause = error
    }
  }
  const what = tried.length === 0 ? 'no endpoint is ready' : `none of ${tried.length} endpoints accepts`
  throw new Error(`Service ${backend.service}: ${what}`, { cause })
}

function timedOut({ key }: Target): Error {
  return Object.assign(new Error(`connect ETIMEDOUT ${key}`), { code: 'ETIMEDOUT' })
}
