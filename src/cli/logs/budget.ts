/** `--limit-bytes` of one log: what a server would have sent of it, counted here, because the times in between are skiff's own wish. */
import type { Line } from './lines.ts'

export class Budget {
  #left: number
  readonly #countsTimes: boolean

  constructor(limitBytes: number | undefined, countsTimes: boolean) {
    this.#left = limitBytes ?? Number.POSITIVE_INFINITY
    this.#countsTimes = countsTimes
  }

  get isUsedUp(): boolean {
    return this.#left <= 0
  }

  /** Ends at the limit, in the midst of a line where it falls there. */
  async *limited(batches: AsyncIterable<readonly Line[]>): AsyncGenerator<readonly Line[]> {
    for await (const lines of batches) {
      const taken = this.#left === Number.POSITIVE_INFINITY ? lines : lines.flatMap((line) => this.#take(line))
      if (taken.length > 0) yield taken
      if (this.isUsedUp) return
    }
  }

  #take(line: Line): Line[] {
    if (this.isUsedUp) return []
    const wanted = line.text.length + (this.#countsTimes ? line.time.length : 0)
    const left = this.#left
    this.#left -= wanted
    if (wanted <= left) return [line]
    const text = line.text.subarray(0, Math.max(0, left - (wanted - line.text.length)))
    const { seconds, nanos, time } = line
    return [{ seconds, nanos, time, text: Buffer.concat([text, NEWLINE]) }]
  }
}

const NEWLINE = Buffer.from('\n')
