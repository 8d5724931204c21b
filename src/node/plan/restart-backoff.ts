/**
 * How long a container that keeps ending waits before it is started again: 10 s, doubled at every restart up to 300 s, and
 * forgotten once a run lasted ten minutes. The same growth spaces out failing image pulls.
 */
export interface RestartBackoff {
  delayMs: number
  /** When the delay was last set: about when the container was started. */
  updatedAtMs: number
}

const INITIAL_DELAY_MS = 10_000
const MAX_DELAY_MS = 300_000
/** A run of this length clears the back-off. */
const RESET_AFTER_MS = 2 * MAX_DELAY_MS

/** Until when a container that ended at `endedAtMs` must wait; 0 when it need not. */
export function waitUntil(backoff: RestartBackoff | undefined, endedAtMs: number): number {
  if (!backoff || endedAtMs - backoff.updatedAtMs > RESET_AFTER_MS) return 0
  return endedAtMs + backoff.delayMs
}

/** The back-off after another start at `nowMs`, following an end (or failure) at `endedAtMs`. */
export function grow(backoff: RestartBackoff | undefined, endedAtMs: number, nowMs: number): RestartBackoff {
  if (!backoff || endedAtMs - backoff.updatedAtMs > RESET_AFTER_MS) return { delayMs: INITIAL_DELAY_MS, updatedAtMs: nowMs }
  return { delayMs: Math.min(backoff.delayMs * 2, MAX_DELAY_MS), updatedAtMs: nowMs }
}

/** `10s`, `1m20s`, `5m0s`: durations as Kubernetes' messages print them. */
export function formatDelay(delayMs: number): string {
  const seconds = Math.round(delayMs / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
