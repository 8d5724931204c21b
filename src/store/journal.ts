import type { StoreEvent } from './store.ts'

/** What makes a batch of writes durable. It must not know who reads or watches. */
export interface Journal {
  /**
   * Keeps the events, all of them or none; they carry consecutive revisions. Undefined when they are kept on return.
   * Rejects with WriteFailed. Not called again before it settled.
   */
  commit(events: readonly StoreEvent[]): Promise<void> | undefined
  /** Calls `run` once, when a first batch may begin: the later, the more writes it holds. */
  gather(run: () => void): void
  close(): Promise<void>
}
