/** Lets through so many a second in the long run, and a burst at once. */
import type { Clock } from '../../base/clock.ts'

export class TokenBucket {
  readonly #options: { perSecond: number; burst: number; clock: Clock }
  #tokens: number
  #atMs: number

  constructor(options: { perSecond: number; burst: number; clock: Clock }) {
    this.#options = options
    this.#tokens = options.burst
    this.#atMs = options.clock.monotonic()
  }

  /** Whether there was one to take. */
  take(): boolean {
    const { perSecond, burst, clock } = this.#options
    const now = clock.monotonic()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#atMs) / 1000) * perSecond)
    this.#atMs = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
