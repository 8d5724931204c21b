/**
 * The work queue: a key waits at most once, is never worked on twice at the same time, and a key added while it is
 * worked on comes again afterwards. Knows nothing of what a key means.
 */
import type { Clock } from '../base/clock.ts'

export interface WorkQueue {
  add(key: string): void
  /** Adds after a delay; of several delays for a key the earliest counts. */
  addAfter(key: string, delayMs: number): void
  /** The next key, or undefined once the queue is closed. */
  take(): Promise<string | undefined>
  /** Says that the work on a taken key has ended. */
  done(key: string): void
  /** Keys waiting now, not those delayed or at work. */
  readonly length: number
  close(): void
}

export function createWorkQueue(clock: Clock): WorkQueue {
  const waiting = new Set<string>()
  const working = new Set<string>()
  const again = new Set<string>()
  const delayed = new Map<string, { atMs: number; cancel: () => void }>()
  const takers: ((key: string | undefined) => void)[] = []
  let closed = false

  function add(key: string): void {
    if (closed) return
    cancelDelay(key)
    if (working.has(key)) {
      again.add(key)
      return
    }
    const taker = waiting.has(key) ? undefined : takers.shift()
    if (taker) {
      working.add(key)
      taker(key)
    } else waiting.add(key)
  }

  function cancelDelay(key: string): void {
    delayed.get(key)?.cancel()
    delayed.delete(key)
  }

  return {
    add,
    addAfter(key, delayMs) {
      if (closed) return
      if (delayMs <= 0) return add(key)
      const atMs = clock.monotonic() + delayMs
      const known = delayed.get(key)
      if (known && known.atMs <= atMs) return
      known?.cancel()
      delayed.set(key, { atMs, cancel: clock.after(delayMs, () => add(key), { unref: true }) })
    },
    take() {
      if (closed) return Promise.resolve(undefined)
      for (const key of waiting) {
        waiting.delete(key)
        working.add(key)
        return Promise.resolve(key)
      }
      return new Promise((resolve) => takers.push(resolve))
    },
    done(key) {
      working.delete(key)
      if (again.delete(key)) add(key)
    },
    get length() {
      return waiting.size
    },
    close() {
      closed = true
      for (const key of [...delayed.keys()]) cancelDelay(key)
      waiting.clear()
      for (const taker of takers.splice(0)) taker(undefined)
    },
  }
}
