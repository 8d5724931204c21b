/** The JSON of a list around the stored bytes of its items: as a whole, or copied piece by piece into memory that is used again. */
import type { Entry } from '../../store/store.ts'
import { bytesOf } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import type { LongBody } from '../request/request.ts'

/** As a whole it is made in buffers of this size: large enough to make few writes, small enough not to be one huge allocation. */
const CHUNK_BYTES = 1 << 20
const CLOSING = Buffer.from(']}\n')

export class ListBody implements LongBody {
  readonly length: number
  readonly #items: readonly Buffer[]
  readonly #opening: Buffer
  readonly #separator: Buffer
  /** Where in an item's bytes that which the list shows of it begins. */
  readonly #skipped: number
  /** The part that is copied next (the opening, an item, a separator, …, the closing), and from where. */
  #part = 0
  #offset = 0

  /** `metadata` is what the list says of itself. */
  constructor(resource: Resource, entries: readonly Entry[], metadata: object) {
    const { itemsCarryKind, definition, apiVersion, head } = resource
    const items = entries.map((entry) => bytesOf(entry, resource))
    const brace = itemsCarryKind ? '' : '{'
    const opening = `{"kind":"${definition.kind}List","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`
    this.#items = items
    this.#opening = Buffer.from(items.length > 0 ? opening + brace : opening)
    this.#separator = Buffer.from(`,${brace}`)
    this.#skipped = itemsCarryKind ? 0 : head.length
    let length = this.#opening.length + CLOSING.length + Math.max(0, items.length - 1) * this.#separator.length
    // Each ends with a line feed, which the list leaves out.
    for (const item of items) length += item.length - 1 - this.#skipped
    this.length = length
  }

  fill(target: Buffer): number {
    const last = Math.max(1, this.#items.length * 2)
    let at = 0
    while (at < target.length && this.#part <= last) {
      const isItem = this.#part % 2 === 1 && this.#part < last
      const bytes = isItem ? this.#items[this.#part >> 1]! : this.#between(last)
      const from = isItem ? this.#skipped : 0
      const end = isItem ? bytes.length - 1 : bytes.length
      const copied = bytes.copy(target, at, from + this.#offset, end)
      at += copied
      this.#offset += copied
      if (from + this.#offset < end) break
      this.#part++
      this.#offset = 0
    }
    return at
  }

  /** All of it. Call it on a body that nothing was taken from. */
  chunks(): Buffer[] {
    const chunks: Buffer[] = []
    for (let left = this.length; left > 0; left -= CHUNK_BYTES) {
      const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES))
      this.fill(chunk)
      chunks.push(chunk)
    }
    return chunks
  }

  #between(last: number): Buffer {
    if (this.#part === last) return CLOSING
    return this.#part === 0 ? this.#opening : this.#separator
  }
}
