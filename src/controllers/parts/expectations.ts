/**
 * What a controller did and its cache does not show yet. Until the cache has caught up, the controller must not count
 * pods again: it would create or delete twice. Knows keys and uids, no kinds.
 */
import type { Clock } from '../../base/clock.ts'

/** An expectation that was not met by then is given up: its event was lost in a relist. */
const EXPECTATION_TIMEOUT_MS = 5 * 60_000

export interface Expectations {
  expectCreations(key: string, count: number): void
  /** One creation was seen, or failed. True when that was the last thing waited for. */
  creationObserved(key: string): boolean
  expectDeletions(key: string, uids: Iterable<string>): void
  /** The deletion of `uid` was seen, or failed. True when that was the last thing waited for. */
  deletionObserved(key: string, uid: string): boolean
  /** Whether the cache shows everything this controller did for `key`. */
  satisfied(key: string): boolean
  forget(key: string): void
}

interface Expected {
  creations: number
  deletions: Set<string>
  sinceMs: number
}

export function createExpectations(clock: Clock): Expectations {
  const expected = new Map<string, Expected>()

  function entry(key: string): Expected {
    let known = expected.get(key)
    if (!known) {
      known = { creations: 0, deletions: new Set(), sinceMs: 0 }
      expected.set(key, known)
    }
    known.sinceMs = clock.monotonic()
    return known
  }

  function dropIfMet(key: string, known: Expected): boolean {
    if (known.creations > 0 || known.deletions.size > 0) return false
    expected.delete(key)
    return true
  }

  return {
    expectCreations(key, count) {
      if (count > 0) entry(key).creations += count
    },
    creationObserved(key) {
      const known = expected.get(key)
      if (!known) return false
      known.creations = Math.max(0, known.creations - 1)
      return dropIfMet(key, known)
    },
    expectDeletions(key, uids) {
      const known = entry(key)
      for (const uid of uids) known.deletions.add(uid)
      dropIfMet(key, known)
    },
    deletionObserved(key, uid) {
      const known = expected.get(key)
      if (!known?.deletions.delete(uid)) return false
      return dropIfMet(key, known)
    },
    satisfied(key) {
      const known = expected.get(key)
      return !known || clock.monotonic() - known.sinceMs > EXPECTATION_TIMEOUT_MS
    },
    forget(key) {
      expected.delete(key)
    },
  }
}
