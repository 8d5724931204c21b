/** A Store made of an index, which answers reads, and a journal, which makes writes durable. What a driver adds is the journal. */
import { type Clock, systemClock } from '../base/clock.ts'
import type { Journal } from './journal.ts'
import { HISTORY_LIMITS, type HistoryLimits, RevisionedIndex } from './revisioned-index.ts'
import type { Store } from './store.ts'
import { WriteQueue } from './write-queue.ts'

export interface StoreOptions {
  clock?: Clock
  history?: Partial<HistoryLimits>
}

/** The revision of a store that was never written. */
export const FIRST_REVISION = 1

export function createIndex(revision: number, options: StoreOptions): RevisionedIndex {
  return new RevisionedIndex({ revision, clock: options.clock ?? systemClock, limits: { ...HISTORY_LIMITS, ...options.history } })
}

export function assembleStore(index: RevisionedIndex, journal: Journal): Store {
  const queue = new WriteQueue(index, journal)
  return {
    get revision() {
      return index.revision
    },
    get compactedRevision() {
      return index.compactedRevision
    },
    get: (key) => index.get(key),
    list: (prefix, options) => index.list(prefix, options),
    create: (key, encode) => queue.submit('created', key, 0, encode),
    update: (key, expected, encode) => queue.submit('updated', key, expected, encode),
    delete: (key, expected, encode) => queue.submit('deleted', key, expected, encode),
    watch: (prefix, after, listener) => index.watch(prefix, after, listener),
    compact: (revision) => index.compact(revision),
    close: () => queue.close(),
  }
}
