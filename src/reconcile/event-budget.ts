/**
 * How many Events one component may write about one object: a burst, then one now and then. A ReplicaSet of two thousand says as
 * much with the first few of its pods. The figures are those of Kubernetes' own clients.
 */
import type { Clock } from '../base/clock.ts'

const BURST = 25
const REFILL_MS = 5 * 60_000
/** Objects remembered; the longest untouched is forgotten, and may talk again. */
const MAX_REMEMBERED = 4_096

export interface EventBudget {
  /** Whether one more Event about this may be written. */
  take(source: string, uid: string): boolean
}

export function createEventBudget(clock: Clock): EventBudget {
  const budgets = new Map<string, { left: number; atMs: number }>()
  return {
    take(source, uid) {
      const key = `${source} ${uid}`
      const nowMs = clock.monotonic()
      const known = budgets.get(key) ?? { left: BURST, atMs: nowMs }
      const left = Math.min(BURST, known.left + (nowMs - known.atMs) / REFILL_MS)
      const granted = left >= 1
      budgets.delete(key)
      budgets.set(key, { left: granted ? left - 1 : left, atMs: nowMs })
      if (budgets.size > MAX_REMEMBERED) budgets.delete(budgets.keys().next().value as string)
      return granted
    },
  }
}
