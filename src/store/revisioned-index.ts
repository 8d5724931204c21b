/**
 * The committed state of a store, in memory: every table, the revision counter, the window of history that lists and
 * watches at older revisions are answered from, and the dispatch to watchers. Both drivers read from it.
 * It must not know how a write becomes durable.
 */
import type { Clock } from '../base/clock.ts'
import { RevisionCompacted, RevisionInFuture } from './errors.ts'
import { EventLog } from './event-log.ts'
import { tableOf, tableOfPrefix } from './keys.ts'
import type { Entry, ListOptions, ListResult, StoreEvent, Watch, WatchListener } from './store.ts'
import { Table } from './table.ts'
import { call, type WatchGroup } from './watchers.ts'

/** How much history is remembered; beyond any of the three the oldest is compacted. Age is looked at when something is written. */
export interface HistoryLimits {
  maxEvents: number
  /** Sum of the superseded and deleted versions' values. */
  maxBytes: number
  maxAgeMs: number
}

export const HISTORY_LIMITS: HistoryLimits = { maxEvents: 20_000, maxBytes: 32 * 2 ** 20, maxAgeMs: 5 * 60_000 }

/** Events older than this many lose what the store's user hung on them (`decoded` of superseded versions, `encoded`). */
const WARM_EVENTS = 1_000

/** Ages are kept to this precision. */
const AGE_STEP_MS = 1_000

export class RevisionedIndex {
  revision: number
  compactedRevision: number
  private readonly tables = new Map<string, Table>()
  private readonly history = new EventLog()
  private historyBytes = 0
  /** When the events up to `revision` that are above the mark before were committed. */
  private readonly ages: { revision: number; atMs: number }[] = []
  private readonly clock: Clock
  private readonly limits: HistoryLimits

  constructor(options: { revision: number; clock: Clock; limits: HistoryLimits }) {
    this.revision = options.revision
    this.compactedRevision = options.revision
    this.clock = options.clock
    this.limits = options.limits
  }

  /** Adds an entry that was there before this process; no event, no revision. */
  load(entry: Entry): void {
    this.tableOfKey(entry.key).put(entry)
  }

  get(key: string): Entry | undefined {
    const table = tableOf(key)
    return table === undefined ? undefined : this.tables.get(table)?.get(key)
  }

  list(prefix: string, options: ListOptions = {}): ListResult {
    const table = this.tables.get(tableOfPrefix(prefix))
    const revision = options.revision ?? this.revision
    this.checkRemembered(revision)
    const range = { prefix, after: options.after, limit: options.limit ?? Number.POSITIVE_INFINITY }
    if (!table) return { entries: [], revision, remaining: 0 }
    const { entries, remaining } = revision === this.revision ? table.list(range) : table.listAt(range, revision)
    return { entries, revision, remaining }
  }

  watch(prefix: string, after: number, listener: WatchListener): Watch {
    const table = this.table(tableOfPrefix(prefix))
    this.checkRemembered(after)
    const watch = table.watchers.watch(prefix, this.revision, listener)
    const missed = table.history.after(after).filter((event) => event.entry.key.startsWith(prefix))
    if (missed.length > 0) call(listener, missed, this.revision)
    return watch
  }

  /** Makes the events visible and hands them to their watchers. They carry the revisions that follow `revision`, in order. */
  commit(events: readonly StoreEvent[]): void {
    const due: WatchGroup[] = []
    for (const event of events) {
      const table = this.tableOfKey(event.entry.key)
      table.apply(event)
      table.watchers.add(event, due)
      this.remember(event)
      this.revision = event.entry.revision
    }
    for (const group of due) group.deliver(this.revision)
    this.forgetBeyondLimits()
  }

  compact(revision: number): void {
    if (revision > this.revision) throw new RevisionInFuture(revision, this.revision)
    while (this.compactedRevision < revision) this.forgetOldest()
  }

  private checkRemembered(revision: number): void {
    if (revision > this.revision) throw new RevisionInFuture(revision, this.revision)
    if (revision < this.compactedRevision) throw new RevisionCompacted(revision, this.compactedRevision)
  }

  private remember(event: StoreEvent): void {
    this.history.push(event)
    this.historyBytes += bytesOf(event)
    const cooled = this.history.recent(WARM_EVENTS)
    if (!cooled) return
    cooled.encoded = undefined
    if (cooled.previous) cooled.previous.decoded = undefined
    if (cooled.type === 'deleted') cooled.entry.decoded = undefined
  }

  private forgetBeyondLimits(): void {
    const now = this.clock.monotonic()
    const last = this.ages.at(-1)
    if (last && now - last.atMs < AGE_STEP_MS) last.revision = this.revision
    else this.ages.push({ revision: this.revision, atMs: now })
    while (this.history.length > this.limits.maxEvents || this.historyBytes > this.limits.maxBytes) this.forgetOldest()
    for (let oldest = this.ages[0]; oldest && now - oldest.atMs > this.limits.maxAgeMs; oldest = this.ages[0]) {
      this.ages.shift()
      while (this.compactedRevision < oldest.revision) this.forgetOldest()
    }
  }

  private forgetOldest(): void {
    const event = this.history.shift()
    if (!event) throw new Error('the history is shorter than its revisions')
    this.tableOfKey(event.entry.key).history.shift()
    this.historyBytes -= bytesOf(event)
    this.compactedRevision = event.entry.revision
  }

  private tableOfKey(key: string): Table {
    return this.table(tableOf(key)!)
  }

  private table(name: string): Table {
    let table = this.tables.get(name)
    if (!table) {
      table = new Table(name)
      this.tables.set(name, table)
    }
    return table
  }
}

/** What remembering the event keeps in memory that would be free otherwise. */
function bytesOf(event: StoreEvent): number {
  return (event.previous?.value.length ?? 0) + (event.type === 'deleted' ? event.entry.value.length : 0)
}
