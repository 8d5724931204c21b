/** The system's clock, which can also be moved forward: what is due by then happens at once. */
import { type Clock, systemClock } from '../../src/base/clock.ts'

export interface SteppedClock extends Clock {
  advance(ms: number): void
}

interface Timer {
  dueMs: number
  run: () => void
  cancel: () => void
}

export function steppedClock(): SteppedClock {
  let aheadMs = 0
  const timers = new Set<Timer>()
  const monotonic = () => systemClock.monotonic() + aheadMs
  return {
    now: () => systemClock.now() + aheadMs,
    monotonic,
    after(delayMs, run, options) {
      const fire = () => {
        timers.delete(timer)
        run()
      }
      const cancelReal = systemClock.after(delayMs, fire, options)
      const timer: Timer = { dueMs: monotonic() + delayMs, run: fire, cancel: cancelReal }
      timers.add(timer)
      return () => {
        timers.delete(timer)
        cancelReal()
      }
    },
    advance(ms) {
      aheadMs += ms
      for (const timer of [...timers].sort((a, b) => a.dueMs - b.dueMs)) {
        if (timer.dueMs > monotonic() || !timers.has(timer)) continue
        timer.cancel()
        timer.run()
      }
    },
  }
}
