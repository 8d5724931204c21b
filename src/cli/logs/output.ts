/** Where logs are written to: one after the other, and no faster than they are read there. */
import { once } from 'node:events'
import type { Writable } from 'node:stream'

export class Output {
  readonly #stream: Writable
  readonly #signal: AbortSignal
  #drained: Promise<unknown> | undefined

  constructor(stream: Writable, signal: AbortSignal) {
    this.#stream = stream
    this.#signal = signal
  }

  /** Resolves when there is room for more. Rejects when the signal aborts before that. */
  async write(bytes: Buffer): Promise<void> {
    while (this.#drained) await this.#drained
    if (bytes.length === 0 || this.#stream.write(bytes)) return
    this.#drained = once(this.#stream, 'drain', { signal: this.#signal }).finally(() => {
      this.#drained = undefined
    })
    await this.#drained
  }
}
