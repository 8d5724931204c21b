/** The memory driver: nothing outlives the process, and a write is visible before the call that made it returns. */
import { assembleStore, createIndex, FIRST_REVISION, type StoreOptions } from './assemble.ts'
import type { Journal } from './journal.ts'
import type { Store } from './store.ts'

const nowhere: Journal = {
  commit: () => undefined,
  gather: (run) => run(),
  close: async () => {},
}

/** A new, empty store. A write made by a watcher's listener is committed after that listener's events have been handed to everybody. */
export function createMemoryStore(options: StoreOptions = {}): Store {
  return assembleStore(createIndex(FIRST_REVISION, options), nowhere)
}
