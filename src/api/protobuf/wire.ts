/** Protobuf's wire format: varints, fixed numbers, length-delimited bytes. Knows no schema. */

/** Bytes that are not the message they claim to be; `message` says what is wrong, for the client. */
export class ProtobufError extends Error {
  override name = 'ProtobufError'
}

export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

const TWO_32 = 2 ** 32

/** Reads a message between two positions of a buffer. Throws ProtobufError at whatever ends early or makes no sense. */
export class Reader {
  readonly buffer: Buffer
  position: number
  readonly end: number
  constructor(buffer: Buffer, position = 0, end: number = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  get done(): boolean {
    return this.position >= this.end
  }

  /** A signed 64-bit number; beyond 2⁵³ the nearest double. */
  int64(): number {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= this.end) throw new ProtobufError('unexpected end of message within a number')
      const byte = this.buffer[this.position++]!
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) return high * TWO_32 + (low >>> 0)
    }
    throw new ProtobufError('a number is longer than ten bytes')
  }

  /** A field's number and wire type. */
  tag(): { number: number; type: number } {
    const tag = this.int64()
    const number = Math.floor(tag / 8)
    if (number <= 0 || number > 536_870_911) throw new ProtobufError(`illegal field number ${number}`)
    return { number, type: tag % 8 }
  }

  double(): number {
    const at = this.#take(8)
    return this.buffer.readDoubleLE(at)
  }

  string(): string {
    const length = this.#length()
    const at = this.#take(length)
    return this.buffer.toString('utf8', at, at + length)
  }

  base64(): string {
    const length = this.#length()
    const at = this.#take(length)
    return this.buffer.toString('base64', at, at + length)
  }

  /** A reader of the message that follows. */
  message(): Reader {
    const length = this.#length()
    const at = this.#take(length)
    return new Reader(this.buffer, at, at + length)
  }

  /** Passes over a field that is not known. */
  skip(type: number): void {
    if (type === VARINT) this.int64()
    else if (type === FIXED64) this.#take(8)
    else if (type === BYTES) this.#take(this.#length())
    else if (type === FIXED32) this.#take(4)
    else throw new ProtobufError(`illegal wire type ${type}`)
  }

  #length(): number {
    const length = this.int64()
    if (length < 0) throw new ProtobufError('a length is negative')
    return length
  }

  #take(length: number): number {
    const at = this.position
    if (length > this.end - at)
      throw new ProtobufError(`unexpected end of message: ${length} bytes wanted, ${this.end - at} left`)
    this.position = at + length
    return at
  }
}

/** Collects a message. Nested messages are written by a callback and get their length in front. */
export class Writer {
  #buffer = Buffer.allocUnsafe(1024)
  #length = 0

  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length))
  }

  tag(number: number, type: number): void {
    this.#varint(BigInt(number * 8 + type))
  }

  int64(value: number): void {
    if (value >= 0 && value < TWO_32) {
      this.#room(5)
      let rest = value
      while (rest > 127) {
        this.#buffer[this.#length++] = (rest % 128) | 0x80
        rest = Math.floor(rest / 128)
      }
      this.#buffer[this.#length++] = rest
    } else this.#varint(BigInt.asUintN(64, BigInt(value)))
  }

  double(value: number): void {
    this.#room(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  bytes(value: Buffer): void {
    this.int64(value.length)
    this.#room(value.length)
    value.copy(this.#buffer, this.#length)
    this.#length += value.length
  }

  string(value: string): void {
    this.bytes(Buffer.from(value, 'utf8'))
  }

  message(write: (inner: Writer) => void): void {
    const inner = new Writer()
    write(inner)
    this.bytes(inner.finish())
  }

  #varint(value: bigint): void {
    this.#room(10)
    let rest = value
    while (rest > 127n) {
      this.#buffer[this.#length++] = Number(rest & 127n) | 0x80
      rest >>= 7n
    }
    this.#buffer[this.#length++] = Number(rest)
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
