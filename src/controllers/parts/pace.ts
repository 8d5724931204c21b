/**
 * Spaces out the reconciles of a busy key. The first change is acted on at once; while a key is busy, changes gather for a
 * time that grows with what one reconcile costs, so that a thousand pods that turn ready one by one cost a few syncs.
 */
import type { Clock } from '../../base/clock.ts'
import type { Enqueue } from '../../reconcile/reconciler.ts'

/** Longest a change waits for others. */
const MAX_GATHER_MS = 60
/** Objects whose counting is worth a millisecond of gathering. */
const OBJECTS_PER_MS = 40

export interface Pace {
  /** Something changed: soon is soon enough. */
  touch(key: string): void
  /** A reconcile begins that looks at `objects` objects. */
  begin(key: string, objects: number): void
  forget(key: string): void
}

/** `firstMs`: how long even the first change waits for others that come with it. */
export function createPace(clock: Clock, enqueue: Enqueue, { firstMs = 0 }: { firstMs?: number } = {}): Pace {
  const quietUntil = new Map<string, number>()
  return {
    touch(key) {
      const waitMs = Math.max(firstMs, (quietUntil.get(key) ?? 0) - clock.monotonic())
      if (waitMs > 0) enqueue(key, { afterMs: waitMs })
      else enqueue(key)
    },
    begin(key, objects) {
      const gatherMs = Math.min(MAX_GATHER_MS, objects / OBJECTS_PER_MS)
      if (gatherMs >= 1) quietUntil.set(key, clock.monotonic() + gatherMs)
      else quietUntil.delete(key)
    },
    forget(key) {
      quietUntil.delete(key)
    },
  }
}
