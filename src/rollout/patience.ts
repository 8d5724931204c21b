/** How long a roll may take: since the last progress, and in all. */
import type { Clock } from '../base/clock.ts'
import { DEFAULT_TIMEOUT_MS, type PaceOptions } from './progress.ts'

export interface Patience {
  /** Something went forward. */
  progressed(): void
  /** Why to give up, if so. */
  exhausted(): 'no-progress' | 'deadline' | 'interrupted' | undefined
  /** How long until one of them may be exhausted. */
  leftMs(): number
}

export function createPatience(clock: Clock, options: PaceOptions & { signal?: AbortSignal | undefined }): Patience {
  const startMs = clock.monotonic()
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  let lastMs = startMs
  const deadlineMs = options.deadlineMs === undefined ? Number.POSITIVE_INFINITY : startMs + options.deadlineMs
  return {
    progressed() {
      lastMs = clock.monotonic()
    },
    exhausted() {
      const nowMs = clock.monotonic()
      if (options.signal?.aborted) return 'interrupted'
      if (nowMs >= deadlineMs) return 'deadline'
      return nowMs >= lastMs + timeoutMs ? 'no-progress' : undefined
    },
    leftMs: () => Math.max(1, Math.min(deadlineMs, lastMs + timeoutMs) - clock.monotonic()),
  }
}
