/** One line of a CRI log file: `<time> <stream> <tag> <text>`. Pure. */
export interface CriLine {
  /** RFC 3339, as written. */
  time: string
  stream: string
  /** The line goes on in the next piece. */
  partial: boolean
  text: Buffer
}

const SPACE = 0x20
const PARTIAL = 0x50

/** Answers `undefined` for bytes that are no such line. */
export function parseLine(bytes: Buffer): CriLine | undefined {
  const first = bytes.indexOf(SPACE)
  const second = first < 0 ? -1 : bytes.indexOf(SPACE, first + 1)
  if (second < 0) return undefined
  const third = bytes.indexOf(SPACE, second + 1)
  const tagEnd = third < 0 ? bytes.length : third
  return {
    time: bytes.toString('latin1', 0, first),
    stream: bytes.toString('latin1', first + 1, second),
    partial: bytes[second + 1] === PARTIAL,
    text: bytes.subarray(Math.min(tagEnd + 1, bytes.length)),
  }
}
