/**
 * The lines of a container's log with the times that a server writes before them (`timestamps=true`), in batches as they arrive.
 * No more is read than is asked for, and no more than one line is held back.
 */

/** A moment, as precise as logs tell it. */
export interface Time {
  /** Since 1970. */
  readonly seconds: number
  readonly nanos: number
}

export interface Line extends Time {
  /** The time as the server wrote it and a space; empty where the line before was too long and goes on. */
  readonly time: Buffer
  /** With its newline. */
  readonly text: Buffer
}

/** What is longer goes on in a line of its own. */
export const MAX_LINE_BYTES = 1024 * 1024

const NEWLINE = 10
const SPACE = 32
const MAX_TIME_BYTES = 40
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/

export async function* timedLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  const reader = new LineReader()
  for await (const chunk of stream) {
    const lines = reader.read(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    if (lines.length > 0) yield lines
  }
  const last = reader.end()
  if (last) yield [last]
}

/** Negative when `a` is earlier. */
export function compareTimes(a: Time, b: Time): number {
  return a.seconds - b.seconds || a.nanos - b.nanos
}

/** Cuts out what is asked for: most lines are only compared and passed on. */
class WholeLine implements Line {
  readonly seconds: number
  readonly nanos: number
  readonly #bytes: Buffer
  readonly #textAt: number

  constructor(bytes: Buffer, textAt: number, { seconds, nanos }: Time) {
    this.seconds = seconds
    this.nanos = nanos
    this.#bytes = bytes
    this.#textAt = textAt
  }

  get time(): Buffer {
    return this.#bytes.subarray(0, this.#textAt)
  }

  get text(): Buffer {
    return this.#bytes.subarray(this.#textAt)
  }
}

/** The first one where a time may end; -1 when there is none. */
function spaceIn(bytes: Buffer): number {
  const end = Math.min(bytes.length, MAX_TIME_BYTES)
  for (let at = 0; at < end; at++) if (bytes[at] === SPACE) return at
  return -1
}

class LineReader {
  #parts: Buffer[] = []
  #held = 0
  /** The beginning of the line under way has been handed out already. */
  #goesOn = false
  /** Of the last line: what has no time of its own has the one before it. */
  #time: Time = { seconds: 0, nanos: 0 }
  #secondText = ''

  read(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#line(this.#take(chunk.subarray(start, end + 1))))
      this.#goesOn = false
      start = end + 1
    }
    if (start < chunk.length) {
      this.#parts.push(chunk.subarray(start))
      this.#held += chunk.length - start
    }
    if (this.#held >= MAX_LINE_BYTES) {
      lines.push(this.#line(this.#take(Buffer.of(NEWLINE))))
      this.#goesOn = true
    }
    return lines
  }

  end(): Line | undefined {
    return this.#held > 0 ? this.#line(this.#take(Buffer.of(NEWLINE))) : undefined
  }

  #take(last: Buffer): Buffer {
    const whole = this.#parts.length > 0 ? Buffer.concat([...this.#parts, last]) : last
    this.#parts = []
    this.#held = 0
    return whole
  }

  #line(bytes: Buffer): Line {
    const space = this.#goesOn ? -1 : spaceIn(bytes)
    const isTimed = space > 0 && this.#readTime(bytes.toString('latin1', 0, space))
    return new WholeLine(bytes, isTimed ? space + 1 : 0, this.#time)
  }

  #readTime(text: string): boolean {
    const [, moment, fraction = '', zone] = TIME.exec(text) ?? []
    if (moment === undefined) return false
    const secondText = `${moment}${zone}`
    // Lines come many in a second: its text is read once.
    const seconds = secondText === this.#secondText ? this.#time.seconds : Date.parse(secondText) / 1000
    this.#secondText = secondText
    this.#time = { seconds, nanos: Number(fraction.padEnd(9, '0')) }
    return true
  }
}
