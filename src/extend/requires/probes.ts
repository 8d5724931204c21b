/**
 * Looks at addresses for as long as a pod waits for them: one loop for each address, however many pods wait. A Service's
 * name leads to its ready endpoints, and a change of those is a reason to look at once.
 */
import { isIP } from 'node:net'
import type { Verdict } from '../../api/requires/condition.ts'
import type { ProbeTarget } from '../../api/requires/requirement.ts'
import type { Clock } from '../../base/clock.ts'
import { attempt, type Connect } from './attempt.ts'
import type { ServiceEndpoints } from './service-endpoints.ts'

const ATTEMPT_TIMEOUT_MS = 2_000
const FIRST_INTERVAL_MS = 100
const MAX_INTERVAL_MS = 1_000
/** While it answers, for those who care for its loss. */
const ANSWERING_INTERVAL_MS = 2_000
/** Addresses looked at at the same time. */
const MAX_ATTEMPTS = 64

interface Loop {
  target: ProbeTarget
  namespace: string
  verdict: Verdict
  intervalMs: number
  running: boolean
  cancel: () => void
}

export class Probes {
  readonly #loops = new Map<string, Loop>()
  readonly #options: ProbesOptions
  #attempts = 0

  constructor(options: ProbesOptions) {
    this.#options = options
  }

  /** What is known now; the loop starts with the first who asks, and every change of the answer is told. */
  verdict(need: string, target: ProbeTarget, namespace: string): Verdict {
    let loop = this.#loops.get(need)
    if (!loop) {
      const verdict = { met: false, why: 'not looked at yet' }
      loop = { target, namespace, verdict, intervalMs: FIRST_INTERVAL_MS, running: false, cancel: () => {} }
      this.#loops.set(need, loop)
      void this.#look(need, loop)
    }
    return loop.verdict
  }

  /** The endpoints of a Service changed. */
  lookAgain(namespace: string, service: string): void {
    for (const [need, loop] of this.#loops) {
      const named = serviceOf(loop.target.host, loop.namespace)
      if (named?.namespace !== namespace || named.name !== service || loop.running) continue
      loop.cancel()
      void this.#look(need, loop)
    }
  }

  async #look(need: string, loop: Loop): Promise<void> {
    const { clock, signal, isNeeded, changed } = this.#options
    if (signal.aborted || !isNeeded(need)) {
      this.#loops.delete(need)
      return
    }
    if (this.#attempts < MAX_ATTEMPTS) {
      this.#attempts++
      loop.running = true
      const before = loop.verdict
      loop.verdict = await this.#ask(loop)
      loop.running = false
      this.#attempts--
      loop.intervalMs = loop.verdict.met
        ? ANSWERING_INTERVAL_MS
        : before.met
          ? FIRST_INTERVAL_MS
          : Math.min(loop.intervalMs * 1.5, MAX_INTERVAL_MS)
      if (loop.verdict.met !== before.met || loop.verdict.why !== before.why) changed(need)
    }
    loop.cancel = clock.after(loop.intervalMs, () => void this.#look(need, loop), { unref: true })
  }

  async #ask({ target, namespace }: Loop): Promise<Verdict> {
    const { clock, signal, connect, endpoints } = this.#options
    const named = serviceOf(target.host, namespace)
    const places = named && endpoints.places(named.namespace, named.name, target.port)
    if (places && places.length === 0)
      return { met: false, why: `service ${named.name} has no ready endpoint for port ${target.port}` }
    const timeout = new AbortController()
    const cancel = clock.after(ATTEMPT_TIMEOUT_MS, () =>
      timeout.abort(new Error(`nothing within ${ATTEMPT_TIMEOUT_MS / 1000} s`)),
    )
    try {
      const place = places?.[Math.floor(Math.random() * places.length)] ?? { address: target.host, port: target.port }
      return await attempt(target, place.address, place.port, connect, AbortSignal.any([timeout.signal, signal]))
    } finally {
      cancel()
    }
  }
}

export interface ProbesOptions {
  clock: Clock
  connect: Connect
  endpoints: ServiceEndpoints
  signal: AbortSignal
  isNeeded: (need: string) => boolean
  changed: (need: string) => void
}

/** `db`, `db.shop`, `db.shop.svc…` name a Service, if there is one; addresses and longer names do not. */
export function serviceOf(host: string, namespace: string): { namespace: string; name: string } | undefined {
  if (isIP(host) !== 0) return undefined
  const [name = '', where = namespace, svc] = host.split('.')
  return svc === undefined || svc === 'svc' ? { namespace: where, name } : undefined
}
