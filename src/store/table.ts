/** One table: the newest entry of each key in order, the events still remembered, and who watches. Never refuses; checks are made before. */
import { EventLog } from './event-log.ts'
import { endOfPrefix } from './keys.ts'
import { type Slot, SortedSlots } from './sorted-slots.ts'
import type { Entry, StoreEvent } from './store.ts'
import { Watchers } from './watchers.ts'

export interface Page {
  entries: readonly Entry[]
  remaining: number
}

interface Range {
  prefix: string
  after: string | undefined
  limit: number
}

export class Table {
  readonly history = new EventLog()
  readonly watchers: Watchers
  private readonly name: string
  private readonly slots = new Map<string, Slot>()
  private readonly sorted = new SortedSlots()
  /** The whole table as it was last listed; dropped by every write. */
  private whole: readonly Entry[] | undefined

  constructor(name: string) {
    this.name = name
    this.watchers = new Watchers(name)
  }

  get(key: string): Entry | undefined {
    return this.slots.get(key)?.entry
  }

  put(entry: Entry): void {
    this.whole = undefined
    const slot = this.slots.get(entry.key)
    if (slot) slot.entry = entry
    else {
      const fresh = { key: entry.key, entry }
      this.slots.set(entry.key, fresh)
      this.sorted.insert(fresh)
    }
  }

  remove(key: string): void {
    this.whole = undefined
    this.slots.delete(key)
    this.sorted.remove(key)
  }

  apply(event: StoreEvent): void {
    if (event.type === 'deleted') this.remove(event.entry.key)
    else this.put(event.entry)
    this.history.push(event)
  }

  /** The newest state. */
  list(range: Range): Page {
    const { after, limit } = range
    if (after === undefined && range.prefix === this.name && limit >= this.sorted.size) {
      this.whole ??= this.sorted.entries(0, this.sorted.size)
      return { entries: this.whole, remaining: 0 }
    }
    const [from, to] = this.positions(range)
    const end = Math.min(to, from + limit)
    return { entries: this.sorted.entries(from, end), remaining: to - end }
  }

  /** The state as of `revision`: the newest one, with what was written since under the prefix undone. */
  listAt(range: Range, revision: number): Page {
    const written = this.writtenSince(range.prefix, revision)
    if (written.size === 0) return this.list(range)
    const [from, to] = this.positions(range)
    const missing: Entry[] = []
    let total = to - from
    for (const [key, entry] of written) {
      if (range.after !== undefined && key <= range.after) continue
      const present = this.slots.has(key)
      total += Number(entry !== undefined) - Number(present)
      if (entry && !present) missing.push(entry)
    }
    missing.sort((a, b) => (a.key < b.key ? -1 : 1))
    const entries: Entry[] = []
    const size = Math.min(range.limit, total)
    let next = 0
    // At most `written.size` of the current entries are left out, so that many more than `size` are enough to look at.
    for (const current of this.sorted.entries(from, Math.min(to, from + size + written.size))) {
      while (entries.length < size && next < missing.length && missing[next]!.key < current.key) entries.push(missing[next++]!)
      if (entries.length >= size) break
      const entry = written.has(current.key) ? written.get(current.key) : current
      if (entry) entries.push(entry)
    }
    while (entries.length < size) entries.push(missing[next++]!)
    return { entries, remaining: total - size }
  }

  /** The keys under `prefix` that were written above `revision`, each with its entry at that revision. */
  private writtenSince(prefix: string, revision: number): Map<string, Entry | undefined> {
    const written = new Map<string, Entry | undefined>()
    for (const event of this.history.after(revision)) {
      const key = event.entry.key
      if (key.startsWith(prefix) && !written.has(key)) written.set(key, event.previous)
    }
    return written
  }

  /** Where the range begins and ends among the sorted keys, without regard to its limit. */
  private positions(range: Range): [from: number, to: number] {
    const { prefix, after } = range
    const whole = prefix === this.name
    const to = whole ? this.sorted.size : this.sorted.rank(endOfPrefix(prefix))
    // No key lies between `after` and `after` followed by NUL.
    const from = after === undefined || after < prefix ? (whole ? 0 : this.sorted.rank(prefix)) : this.sorted.rank(`${after}\0`)
    return [Math.min(from, to), to]
  }
}
