/** The watchers of one table, found by the prefix they watch, so that an event costs as much as its key has segments. */
import type { StoreEvent, Watch, WatchListener } from './store.ts'

interface Watcher {
  readonly listener: WatchListener
  /** The newest revision it was handed, or that its replay covered. */
  seen: number
}

/** Everybody who watches one prefix, and the events of the commit being dispatched that they are to get. */
export class WatchGroup {
  readonly watchers = new Set<Watcher>()
  private pending: StoreEvent[] = []

  /** Remembers the event for `deliver`; true for the first one since. */
  add(event: StoreEvent): boolean {
    return this.pending.push(event) === 1
  }

  deliver(revision: number): void {
    const events = this.pending
    this.pending = []
    for (const watcher of this.watchers) {
      if (watcher.seen >= revision) continue
      watcher.seen = revision
      call(watcher.listener, events, revision)
    }
  }
}

export class Watchers {
  private readonly groups = new Map<string, WatchGroup>()
  private readonly tableLength: number

  constructor(table: string) {
    this.tableLength = table.length
  }

  /** Hands the event to every group whose prefix its key starts with; groups that have a first event to deliver go into `due`. */
  add(event: StoreEvent, due: WatchGroup[]): void {
    if (this.groups.size === 0) return
    const key = event.entry.key
    for (let end = this.tableLength; end > 0; end = key.indexOf('/', end) + 1) {
      const group = this.groups.get(key.slice(0, end))
      if (group?.add(event)) due.push(group)
    }
  }

  watch(prefix: string, seen: number, listener: WatchListener): Watch {
    const group = this.groups.get(prefix) ?? new WatchGroup()
    this.groups.set(prefix, group)
    const watcher: Watcher = { listener, seen }
    group.watchers.add(watcher)
    return {
      stop: () => {
        group.watchers.delete(watcher)
        if (group.watchers.size === 0 && this.groups.get(prefix) === group) this.groups.delete(prefix)
      },
    }
  }
}

/** A listener that throws is a bug: the process hears of it, and the other watchers get their events all the same. */
export function call(listener: WatchListener, events: readonly StoreEvent[], revision: number): void {
  try {
    listener(events, revision)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
