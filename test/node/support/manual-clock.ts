/** A clock that only moves when told to, and then fires what has come due, in order. */
import type { Clock } from '../../../src/base/clock.ts'

export interface ManualClock extends Clock {
  /** Moves on, letting everything that a timer sets off come to rest before the next one fires. */
  advance(ms: number): Promise<void>
}

interface Timer {
  atMs: number
  run: () => void
}

/** Rounds of the event loop that in-process work needs to come to rest. */
const SETTLE_ROUNDS = 25

export function createManualClock(startMs = Date.UTC(2024, 0, 1)): ManualClock {
  let nowMs = startMs
  const timers = new Set<Timer>()
  const settle = async () => {
    for (let i = 0; i < SETTLE_ROUNDS; i += 1) await new Promise(setImmediate)
  }
  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    after(delayMs, run) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async advance(ms) {
      const end = nowMs + ms
      await settle()
      for (;;) {
        let next: Timer | undefined
        for (const timer of timers) if (timer.atMs <= end && (!next || timer.atMs < next.atMs)) next = timer
        if (!next) break
        nowMs = Math.max(nowMs, next.atMs)
        for (const timer of [...timers]) {
          if (timer.atMs > nowMs) continue
          timers.delete(timer)
          timer.run()
        }
        await settle()
      }
      nowMs = end
      await settle()
    },
  }
}
