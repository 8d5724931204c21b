/**
 * Looks at addresses for as long as a pod waits for them: one loop for each address, however many pods wait. A Service's
 * name leads to its ready endpoints, and a change of those is a reason to look at once.
 */
import type { Verdict } from '../../api/requires/condition.ts'
import type { ProbeTarget } from '../../api/requires/requirement.ts'
import { serviceOfHost } from '../../api/requires/targets.ts'
import type { Clock } from '../../base/clock.ts'
import { splitKey } from '../../watch/informer.ts'
import { attempt, bareHost, type Connect } from './attempt.ts'
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
  /** The key of the Service that the host means, if it means one. */
  service: string | undefined
  verdict: Verdict
  intervalMs: number
  running: boolean
  cancel: () => void
}

export class Probes {
  readonly #loops = new Map<string, Loop>()
  /** Needs by the key of the Service that is looked at. */
  readonly #byService = new Map<string, Set<string>>()
  readonly #options: ProbesOptions
  #attempts = 0

  constructor(options: ProbesOptions) {
    this.#options = options
  }

  /** Begins to look; every change of the answer is told. */
  follow(need: string, target: ProbeTarget, namespace: string): void {
    const named = serviceOfHost(target.host, namespace)
    const service = named && `${named.namespace}/${named.name}`
    const verdict = { met: false, why: 'not looked at yet' }
    const loop = { target, namespace, service, verdict, intervalMs: FIRST_INTERVAL_MS, running: false, cancel: () => {} }
    this.#loops.set(need, loop)
    if (service !== undefined) this.#byService.set(service, (this.#byService.get(service) ?? new Set()).add(need))
    void this.#look(need, loop)
  }

  /** What is known now of what is followed. */
  verdict(need: string): Verdict {
    return this.#loops.get(need)!.verdict
  }

  forget(need: string): void {
    const loop = this.#loops.get(need)
    if (!loop) return
    loop.cancel()
    this.#loops.delete(need)
    if (loop.service === undefined) return
    const needs = this.#byService.get(loop.service)
    needs?.delete(need)
    if (needs?.size === 0) this.#byService.delete(loop.service)
  }

  /** The endpoints of a Service changed. `service` is its key. */
  lookAgain(service: string): void {
    for (const need of this.#byService.get(service) ?? []) {
      const loop = this.#loops.get(need)
      if (!loop || loop.running) continue
      loop.cancel()
      void this.#look(need, loop)
    }
  }

  async #look(need: string, loop: Loop): Promise<void> {
    const { clock, signal, changed } = this.#options
    if (signal.aborted) return
    if (this.#attempts < MAX_ATTEMPTS) {
      this.#attempts++
      loop.running = true
      const before = loop.verdict
      loop.verdict = await this.#ask(loop)
      loop.running = false
      this.#attempts--
      if (this.#loops.get(need) !== loop) return
      loop.intervalMs = loop.verdict.met
        ? ANSWERING_INTERVAL_MS
        : before.met
          ? FIRST_INTERVAL_MS
          : Math.min(loop.intervalMs * 1.5, MAX_INTERVAL_MS)
      if (loop.verdict.met !== before.met || loop.verdict.why !== before.why) changed(need)
      // Who heard of it may have been the last who waited.
      if (this.#loops.get(need) !== loop) return
    }
    loop.cancel = clock.after(loop.intervalMs, () => void this.#look(need, loop), { unref: true })
  }

  async #ask({ target, service }: Loop): Promise<Verdict> {
    const { clock, signal, connect, endpoints } = this.#options
    const places = service === undefined ? undefined : endpoints.places(service, target.port)
    if (service !== undefined && places?.length === 0) {
      const { name } = splitKey(service)
      return { met: false, why: `service ${name} has no ready endpoint for port ${target.port}` }
    }
    const timeout = new AbortController()
    const cancel = clock.after(ATTEMPT_TIMEOUT_MS, () =>
      timeout.abort(new Error(`nothing within ${ATTEMPT_TIMEOUT_MS / 1000} s`)),
    )
    try {
      const place = places?.[Math.floor(Math.random() * places.length)] ?? {
        address: bareHost(target.host),
        port: target.port,
      }
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
  changed: (need: string) => void
}
