/** SPDY/3.1 frames as bytes. Knows no stream and no state. */
import { uint32 } from './header-codec.ts'

export const FRAME = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const

export const FLAG_FIN = 1
/** RST_STREAM and GOAWAY codes that are used here. */
export const PROTOCOL_ERROR = 1
export const INVALID_STREAM = 2
export const CANCEL = 5

const VERSION = 3
const HEADER_BYTES = 8
const STREAM_ID_MASK = 0x7fffffff
/** No client of Kubernetes sends frames nearly as large; one that does is cut off. */
const MAX_FRAME_BYTES = 1024 * 1024

export type Frame =
  | { readonly type: 'data'; readonly streamId: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly type: 'control'; readonly kind: number; readonly flags: number; readonly body: Buffer }

/** Cuts a byte stream into frames. Throws for another version of SPDY and for frames that are too large. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0)

  /** The frames that are complete with this chunk. */
  read(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    while (this.#pending.length >= HEADER_BYTES) {
      const length = this.#pending.readUIntBE(5, 3)
      if (length > MAX_FRAME_BYTES) throw new Error(`a SPDY frame of ${length} bytes is too large`)
      if (this.#pending.length < HEADER_BYTES + length) break
      frames.push(
        parseFrame(this.#pending.subarray(0, HEADER_BYTES), this.#pending.subarray(HEADER_BYTES, HEADER_BYTES + length)),
      )
      this.#pending = this.#pending.subarray(HEADER_BYTES + length)
    }
    return frames
  }
}

function parseFrame(header: Buffer, body: Buffer): Frame {
  const first = header.readUInt32BE(0)
  const flags = header[4]!
  if (first <= STREAM_ID_MASK) return { type: 'data', streamId: first, fin: (flags & FLAG_FIN) !== 0, data: body }
  const version = (first >>> 16) & 0x7fff
  if (version !== VERSION) throw new Error(`SPDY version ${version} is not spoken here`)
  return { type: 'control', kind: first & 0xffff, flags, body }
}

export function streamIdOf(body: Buffer, at = 0): number {
  return body.readUInt32BE(at) & STREAM_ID_MASK
}

export function dataFrame(streamId: number, data: Buffer, fin: boolean): Buffer {
  return Buffer.concat([uint32(streamId), flagsAndLength(fin ? FLAG_FIN : 0, data.length), data])
}

export function controlFrame(kind: number, flags: number, ...body: Buffer[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([uint32(((0x8000 | VERSION) << 16) | kind), flagsAndLength(flags, length), ...body])
}

function flagsAndLength(flags: number, length: number): Buffer {
  return uint32(flags * 0x1000000 + length)
}
