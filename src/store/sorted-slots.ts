/**
 * The keys of one table in order: an array of sorted chunks, which inserts and removes in O(log n) comparisons and one
 * short move, counts in steps of whole chunks and reads ranges at the speed of an array. Knows nothing of revisions.
 */
import type { Entry } from './store.ts'

/** Where the newest version of a key lies. An update replaces `entry`; order is only touched by creates and deletes. */
export interface Slot {
  readonly key: string
  entry: Entry
}

/** A chunk above this length is split in two. */
const MAX_CHUNK_LENGTH = 512

export class SortedSlots {
  size = 0
  /** None is empty; the last key of each is below the first of the next. */
  private readonly chunks: Slot[][] = []

  /** The key must not be there yet. */
  insert(slot: Slot): void {
    this.size += 1
    const index = this.chunkOf(slot.key)
    const chunk = this.chunks[index]
    if (!chunk) {
      this.chunks.push([slot])
      return
    }
    const position = lowerBound(chunk, slot.key)
    if (chunk.length < MAX_CHUNK_LENGTH) chunk.splice(position, 0, slot)
    else if (position === chunk.length && index === this.chunks.length - 1) this.chunks.push([slot])
    else {
      const upper = chunk.splice(MAX_CHUNK_LENGTH / 2)
      this.chunks.splice(index + 1, 0, upper)
      if (position <= chunk.length) chunk.splice(position, 0, slot)
      else upper.splice(position - chunk.length, 0, slot)
    }
  }

  /** The key must be there. */
  remove(key: string): void {
    this.size -= 1
    const index = this.chunkOf(key)
    const chunk = this.chunks[index]!
    chunk.splice(lowerBound(chunk, key), 1)
    const next = this.chunks[index + 1]
    if (chunk.length === 0) this.chunks.splice(index, 1)
    else if (next && chunk.length + next.length <= MAX_CHUNK_LENGTH / 2) {
      chunk.push(...next)
      this.chunks.splice(index + 1, 1)
    }
  }

  /** How many keys are below `key`. */
  rank(key: string): number {
    const index = this.chunkOf(key)
    let below = 0
    for (let i = 0; i < index; i++) below += this.chunks[i]!.length
    const chunk = this.chunks[index]
    return chunk ? below + lowerBound(chunk, key) : below
  }

  /** The entries at positions `from` up to, not including, `to`. */
  entries(from: number, to: number): Entry[] {
    const found: Entry[] = []
    let start = 0
    for (const chunk of this.chunks) {
      if (start >= to) break
      const end = Math.min(chunk.length, to - start)
      for (let i = Math.max(0, from - start); i < end; i++) found.push(chunk[i]!.entry)
      start += chunk.length
    }
    return found
  }

  /** The last chunk that begins at or below `key`; the first one when none does. */
  private chunkOf(key: string): number {
    let low = 0
    let high = this.chunks.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (this.chunks[middle]![0]!.key <= key) low = middle
      else high = middle
    }
    return low
  }
}

/** The position of the first slot whose key is not below `key`. */
function lowerBound(chunk: readonly Slot[], key: string): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (chunk[middle]!.key < key) low = middle + 1
    else high = middle
  }
  return low
}
