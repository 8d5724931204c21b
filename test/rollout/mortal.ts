/** A client that dies like a process: after its last request nothing goes out any more, no answer comes in and no timer fires. */
import type { Clock } from '../../src/base/clock.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { Client } from '../../src/client/client.ts'
import { createClient } from '../../src/client/create-client.ts'
import type { Transport, TransportRequest } from '../../src/client/transport.ts'

export interface Mortal {
  client: Client
  clock: Clock
  died: Promise<'died'>
  /** Requests that went out. */
  requests(): number
}

const never = () => new Promise<never>(() => {})

/** The request number `last` reaches the server; what it answered is never known. */
export function mortal(transport: Transport, last: number): Mortal {
  let count = 0
  const death = new AbortController()
  let resolve: (how: 'died') => void
  const died = new Promise<'died'>((settle) => {
    resolve = settle
  })
  const timers = new Set<() => void>()
  function die() {
    death.abort(new Error('died'))
    for (const cancel of timers) cancel()
    resolve('died')
  }
  const isDead = () => death.signal.aborted
  const withDeath = (request: TransportRequest) => ({
    ...request,
    signal: AbortSignal.any([death.signal, ...(request.signal ? [request.signal] : [])]),
  })
  const dying: Transport = {
    ...transport,
    async request(request) {
      if (isDead()) return never()
      count += 1
      const isLast = count === last
      const [answer] = await Promise.allSettled([transport.request(request)])
      if (isLast) die()
      if (isDead()) return never()
      if (answer?.status === 'rejected') throw answer.reason
      return answer!.value
    },
    async *watch(request) {
      if (isDead()) await never()
      count += 1
      if (count === last) die()
      try {
        for await (const batch of transport.watch(withDeath(request))) {
          if (isDead()) await never()
          yield batch
        }
      } catch (error) {
        if (isDead()) await never()
        throw error
      }
      if (isDead()) await never()
    },
  }
  const clock: Clock = {
    ...systemClock,
    after(delayMs, run, options) {
      if (isDead()) return () => {}
      const cancel = systemClock.after(
        delayMs,
        () => {
          timers.delete(cancel)
          run()
        },
        options,
      )
      timers.add(cancel)
      return cancel
    },
  }
  return { client: createClient(dying), clock, died, requests: () => count }
}
