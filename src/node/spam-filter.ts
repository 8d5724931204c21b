/** Keeps a pod in trouble from flooding the API with events: so many at once, then one in a while, as client-go has it. */
import type { Clock } from '../base/clock.ts'

const BURST = 25
const REFILL_MS = 5 * 60_000

export class SpamFilter {
  private readonly clock: Clock
  private readonly left = new Map<string, { tokens: number; atMs: number }>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  allows(uid: string): boolean {
    const now = this.clock.monotonic()
    const known = this.left.get(uid) ?? { tokens: BURST, atMs: now }
    const tokens = Math.min(BURST, known.tokens + (now - known.atMs) / REFILL_MS)
    this.left.set(uid, { tokens: Math.max(0, tokens - 1), atMs: now })
    return tokens >= 1
  }

  forget(uid: string): void {
    this.left.delete(uid)
  }
}
