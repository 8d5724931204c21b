/** What of a log is wanted, and how it is written out: the options of `kubectl logs`. Knows no file. */
import type { LogOptions } from '../../api/streams.ts'
import type { CriLine } from './line.ts'

/** Made for one reading: counts bytes and remembers whether a line is under way. */
export interface LogFilter {
  wants(stream: string): boolean
  /** What this line adds to the answer; nothing when it is not wanted. */
  take(line: CriLine): Buffer[]
  /** The limit is used up: nothing more will come. */
  readonly full: boolean
}

const NEWLINE = Buffer.from('\n')

export function createLogFilter(options: LogOptions, nowMs: number): LogFilter {
  const stream = options.stream && options.stream !== 'All' ? options.stream.toLowerCase() : undefined
  const sinceMs = sinceOf(options, nowMs)
  let reached = sinceMs === undefined
  let newLine = true
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY

  const limited = (pieces: Buffer[]): Buffer[] => {
    const taken: Buffer[] = []
    for (const piece of pieces) {
      if (left <= 0) break
      taken.push(piece.length <= left ? piece : piece.subarray(0, left))
      left -= piece.length
    }
    return taken
  }
  const wants = (name: string) => stream === undefined || stream === name
  return {
    wants,
    take(line) {
      if (!wants(line.stream)) return []
      if (!reached && Date.parse(line.time) < (sinceMs ?? 0)) return []
      reached = true
      const pieces: Buffer[] = []
      if (options.timestamps && newLine) pieces.push(Buffer.from(`${line.time} `))
      pieces.push(line.text)
      if (!line.partial) pieces.push(NEWLINE)
      newLine = !line.partial
      return limited(pieces)
    },
    get full() {
      return left <= 0
    },
  }
}

function sinceOf(options: LogOptions, nowMs: number): number | undefined {
  if (options.sinceTime) return Date.parse(options.sinceTime)
  return options.sinceSeconds === undefined ? undefined : nowMs - options.sinceSeconds * 1000
}
