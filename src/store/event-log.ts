/** Events in revision order, appended at the end and forgotten from the front. Has no opinion on when to forget. */
import type { StoreEvent } from './store.ts'

/** The emptied front of the array is cut off when it is this long and makes up half of it. */
const MIN_CUT = 256

export class EventLog {
  private events: (StoreEvent | undefined)[] = []
  private head = 0

  get length(): number {
    return this.events.length - this.head
  }

  push(event: StoreEvent): void {
    this.events.push(event)
  }

  /** The event that was pushed `ago` events before the newest one. */
  recent(ago: number): StoreEvent | undefined {
    return ago < this.length ? this.events[this.events.length - 1 - ago] : undefined
  }

  get oldest(): StoreEvent | undefined {
    return this.events[this.head]
  }

  shift(): StoreEvent | undefined {
    const event = this.events[this.head]
    if (!event) return undefined
    this.events[this.head] = undefined
    this.head += 1
    if (this.head >= MIN_CUT && this.head * 2 >= this.events.length) {
      this.events = this.events.slice(this.head)
      this.head = 0
    }
    return event
  }

  /** The events above `revision`, oldest first. */
  after(revision: number): StoreEvent[] {
    let low = this.head
    let high = this.events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.events[middle]!.entry.revision <= revision) low = middle + 1
      else high = middle
    }
    return this.events.slice(low) as StoreEvent[]
  }
}
