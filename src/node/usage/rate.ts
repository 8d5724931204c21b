/** The rate of CPU from two looks at a counter that only grows. Pure: when a look back is worth something, and what it says. */
import type { Usage } from '../../api/usage.ts'
import type { Stats } from '../runtime/runtime.ts'

/** A shorter time says little: the kernel counts some of it in hundredths of a second. */
export const MIN_WINDOW_MS = 1000
/** A longer time says nothing of the present. */
export const MAX_WINDOW_MS = 60_000
/** A look this old has served: the next one is measured against a newer one. */
const SETTLED_WINDOW_MS = 10_000

/** A look at the counter. */
export interface Look {
  readonly atMs: number
  readonly cpuNanoSeconds: number
}

/** What is used, or undefined as long as there is nothing to compare with. `before` is an earlier look. */
export function usageOf(stats: Stats, atMs: number, before: Look | undefined): Usage | undefined {
  const { cpuNanoSeconds, memoryBytes, startedAtMs } = stats
  const measured = { timestampMs: atMs, cpuNanoSeconds, memoryBytes }
  const since = [before, { atMs: startedAtMs, cpuNanoSeconds: 0 }].find((look) => look && isTelling(look, atMs))
  if (stats.cpuNanoCores !== undefined) {
    const windowMs = Math.max(MIN_WINDOW_MS, since ? atMs - since.atMs : 0)
    return { ...measured, windowMs, cpuNanoCores: Math.round(stats.cpuNanoCores) }
  }
  if (!since) return undefined
  const windowMs = atMs - since.atMs
  // A process tree forgets the time of processes that nobody waited for.
  const used = Math.max(0, cpuNanoSeconds - since.cpuNanoSeconds)
  return { ...measured, windowMs, cpuNanoCores: Math.round((used * 1000) / windowMs) }
}

/** The look that the next one is compared with. */
export function nextLook(stats: Stats, atMs: number, before: Look | undefined): Look {
  const isKept = before && atMs - before.atMs < SETTLED_WINDOW_MS
  return isKept ? before : { atMs, cpuNanoSeconds: stats.cpuNanoSeconds }
}

function isTelling({ atMs }: Look, nowMs: number): boolean {
  return nowMs - atMs >= MIN_WINDOW_MS && nowMs - atMs <= MAX_WINDOW_MS
}
