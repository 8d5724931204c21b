/**
 * The store: a revisioned log of bytes. It has never heard of a Pod, of JSON or of HTTP.
 *
 * A key is a path (`core/pods/default/web`); its first two segments name its table, and prefixes that are listed or
 * watched end in `/` and span at least those two. Every committed write takes the next revision of one counter.
 * Reads see committed writes only; a write is answered once it is durable.
 * A key or prefix of another form is a bug of the caller: it throws a RangeError (keys.ts).
 */
export interface Store {
  /** The newest committed revision. 1 for a store that was never written. */
  readonly revision: number
  /** Everything up to and including this revision has been forgotten, except the newest state of each key. */
  readonly compactedRevision: number

  /** The entry at `key`, or undefined. Reads the newest committed state. */
  get(key: string): Entry | undefined

  /**
   * Entries whose key starts with `prefix`, in key order (of UTF-16 code units).
   * Throws RevisionCompacted (asked revision below `compactedRevision`) or RevisionInFuture.
   * The newest state of a whole table is the same array each time until the table is written.
   */
  list(prefix: string, options?: ListOptions): ListResult

  /** Throws KeyExists. `encode` is called once, with the revision that the entry will carry. */
  create(key: string, encode: Encode): Promise<Entry>
  /** Throws KeyNotFound, or RevisionMismatch unless the entry's revision is `expected`. */
  update(key: string, expected: number, encode: Encode): Promise<Entry>
  /**
   * Removes the key; watchers get `encode`'s bytes (the last state, stamped with the revision of the delete).
   * Throws KeyNotFound, or RevisionMismatch unless the entry's revision is `expected`.
   */
  delete(key: string, expected: number, encode: Encode): Promise<Entry>

  /**
   * Delivers every event under `prefix` with a revision above `after`, in order, without gaps: first those already
   * committed (synchronously, before this returns), then each commit as it becomes visible.
   * Throws RevisionCompacted when events above `after` have been forgotten, RevisionInFuture when `after` > revision.
   */
  watch(prefix: string, after: number, listener: WatchListener): Watch

  /** Forgets history up to `revision`. */
  compact(revision: number): void
  /**
   * Resolves when every write accepted so far is durable and the driver's files are released.
   * Later writes are refused with StoreUnavailable; reads still see the last state.
   */
  close(): Promise<void>
}

/** One version of one key. Shared and immutable, but for `decoded`, which belongs to the store's user. */
export interface Entry {
  readonly key: string
  readonly value: Buffer
  /** The revision that wrote this version. */
  readonly revision: number
  /**
   * The user's parsed form of `value`, kept here so that bytes are parsed at most once. Undefined after a restart, and
   * set back to undefined on versions that have long been superseded: who needs it keeps it, or parses again.
   */
  decoded: unknown
}

/** What a write puts at the key. `decoded` is kept on the entry as it is. */
export type Encode = (revision: number) => { value: Buffer; decoded?: unknown }

export interface ListOptions {
  /** List as of this revision; the newest one without it. */
  revision?: number
  /** Only keys greater than this one (paging). */
  after?: string
  limit?: number
}

export interface ListResult {
  entries: readonly Entry[]
  /** The revision the list is true for. */
  revision: number
  /** How many further keys follow the last entry. */
  remaining: number
}

export interface StoreEvent {
  readonly type: 'created' | 'updated' | 'deleted'
  /** The new version; for `deleted`, the bytes the delete was given. */
  readonly entry: Entry
  /** The version before, absent for `created`. */
  readonly previous: Entry | undefined
  /** Belongs to the store's user: an encoding of this event shared by all its watchers. Set back to undefined when the event is old. */
  encoded: unknown
}

/** Called with one or more events of one or more commits, oldest first. Must not throw and must not block. */
export type WatchListener = (events: readonly StoreEvent[], revision: number) => void

export interface Watch {
  stop(): void
}
