/** Carries accepted connections to a Service's endpoints. Knows no API: a Backend says where to. */
import type { Socket } from 'node:net'
import type { Log } from '../base/log.ts'
import type { Backend } from './backend.ts'
import { type Dial, dialAny } from './dial.ts'
import { join, prepare, reset } from './join.ts'

/** Open connections per Service; further ones are reset. */
const MAX_CONNECTIONS_PER_SERVICE = 10_000

export interface TcpProxy {
  accept(client: Socket, backend: Backend): void
  /** Ends every connection. */
  stop(): void
}

export function createTcpProxy({ dial, log }: { dial: Dial; log: Log }): TcpProxy {
  const open = new Set<Socket>()
  const counts = new Map<string, number>()

  function admit(client: Socket, service: string): boolean {
    const count = counts.get(service) ?? 0
    if (count >= MAX_CONNECTIONS_PER_SERVICE) return false
    if (count === MAX_CONNECTIONS_PER_SERVICE - 1) log.warn('further connections are reset', { service, limit: count + 1 })
    counts.set(service, count + 1)
    open.add(client)
    client.once('close', () => {
      open.delete(client)
      const left = (counts.get(service) ?? 1) - 1
      if (left > 0) counts.set(service, left)
      else counts.delete(service)
    })
    return true
  }

  // Nothing is read from the client before an endpoint has accepted: its bytes wait in its socket.
  async function carry(client: Socket, backend: Backend): Promise<void> {
    const gone = new AbortController()
    const left = () => gone.abort(new Error('the client closed'))
    client.once('close', left)
    try {
      const upstream = await dialAny(dial, backend, client.remoteAddress ?? '', gone.signal)
      prepare(upstream)
      open.add(upstream)
      upstream.once('close', () => open.delete(upstream))
      join(client, upstream)
    } catch (error) {
      log.debug('connection refused', { service: backend.service, error })
      reset(client)
    } finally {
      client.off('close', left)
    }
  }

  return {
    accept(client, backend) {
      prepare(client)
      if (client.destroyed) return
      if (admit(client, backend.service)) void carry(client, backend)
      else reset(client)
    },
    stop() {
      for (const socket of open) socket.destroy()
    },
  }
}
