/**
 * Writes what containers say into log files as CRI has them: `<RFC 3339 time> stdout F text`, one line for each line, `P`
 * in place of `F` for a piece that its line goes on after. Knows no container and no runtime; whoever owns a container's
 * output makes one writer for each of its runs. Writes are synchronous: what was handed over is in the file.
 */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writevSync } from 'node:fs'
import { dirname } from 'node:path'

/** A log file is rotated when it has grown to this size. */
export const MAX_LOG_BYTES = 10 * 1024 * 1024
/** The current file and the rotated ones (`.1` is the newest of these) together. */
export const MAX_LOG_FILES = 5
/** A longer line is written in pieces. */
const MAX_LINE_BYTES = 16 * 1024

const NEWLINE = 0x0a

export interface LogWriterOptions {
  path: string
  /** Milliseconds since the epoch. */
  now: () => number
  maxBytes?: number
  maxFiles?: number
}

export class LogWriter {
  private readonly options: LogWriterOptions
  private readonly maxBytes: number
  private file: number | undefined
  private size = 0
  private readonly pending: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  private stampedMs = Number.NaN
  private stamp = ''

  /** Appends to the file if it exists. Throws the system's error when it cannot be opened. */
  constructor(options: LogWriterOptions) {
    this.options = options
    this.maxBytes = options.maxBytes ?? MAX_LOG_BYTES
    mkdirSync(dirname(options.path), { recursive: true })
    this.open()
  }

  /** Takes bytes as they come; a line is written once its end has come. */
  write(stream: 'stdout' | 'stderr', chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const pieces: Buffer[] = []
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.takeLine(stream, bytes.subarray(start, end), pieces)
      start = end + 1
    }
    if (start < bytes.length) this.keep(stream, bytes.subarray(start), pieces)
    this.flush(pieces)
  }

  /** Writes what is left of unfinished lines, and closes. Idempotent. */
  close(): void {
    if (this.file === undefined) return
    const pieces: Buffer[] = []
    for (const stream of ['stdout', 'stderr'] as const) {
      const rest = Buffer.concat(this.pending[stream])
      this.pending[stream] = []
      if (rest.length > 0) this.format(stream, rest, 'P', pieces)
    }
    this.flush(pieces)
    closeSync(this.file)
    this.file = undefined
  }

  private takeLine(stream: 'stdout' | 'stderr', line: Buffer, pieces: Buffer[]): void {
    const kept = this.pending[stream]
    const whole = kept.length > 0 ? Buffer.concat([...kept, line]) : line
    this.pending[stream] = []
    let at = 0
    for (; whole.length - at > MAX_LINE_BYTES; at += MAX_LINE_BYTES) {
      this.format(stream, whole.subarray(at, at + MAX_LINE_BYTES), 'P', pieces)
    }
    this.format(stream, whole.subarray(at), 'F', pieces)
  }

  /** Remembers the beginning of a line (a copy: the chunk is the caller's), and lets go of what is too long to keep. */
  private keep(stream: 'stdout' | 'stderr', rest: Buffer, pieces: Buffer[]): void {
    const whole = Buffer.concat([...this.pending[stream], rest])
    let at = 0
    for (; whole.length - at >= MAX_LINE_BYTES; at += MAX_LINE_BYTES) {
      this.format(stream, whole.subarray(at, at + MAX_LINE_BYTES), 'P', pieces)
    }
    this.pending[stream] = at < whole.length ? [whole.subarray(at)] : []
  }

  private format(stream: 'stdout' | 'stderr', text: Buffer, tag: 'P' | 'F', pieces: Buffer[]): void {
    const ms = this.options.now()
    if (ms !== this.stampedMs) {
      this.stampedMs = ms
      this.stamp = `${new Date(ms).toISOString().slice(0, 23)}000000Z`
    }
    pieces.push(Buffer.from(`${this.stamp} ${stream} ${tag} `), text, LINE_END)
  }

  private flush(pieces: Buffer[]): void {
    if (pieces.length === 0 || this.file === undefined) return
    this.size += writeAll(this.file, pieces)
    if (this.size >= this.maxBytes) this.rotate()
  }

  private open(): void {
    this.file = openSync(this.options.path, 'a', 0o640)
    this.size = fstatSync(this.file).size
  }

  private rotate(): void {
    const { path, maxFiles = MAX_LOG_FILES } = this.options
    if (this.file !== undefined) closeSync(this.file)
    rmSync(rotatedName(path, maxFiles - 1), { force: true })
    for (let age = maxFiles - 2; age >= 1; age -= 1) {
      if (existsSync(rotatedName(path, age))) renameSync(rotatedName(path, age), rotatedName(path, age + 1))
    }
    if (maxFiles > 1) renameSync(path, rotatedName(path, 1))
    else rmSync(path, { force: true })
    this.open()
  }
}

const LINE_END = Buffer.from('\n')
/** The kernel takes this many buffers in one call. */
const MAX_VECTOR = 1024

function writeAll(file: number, pieces: Buffer[]): number {
  let written = 0
  for (let at = 0; at < pieces.length; at += MAX_VECTOR) {
    const some = pieces.slice(at, at + MAX_VECTOR)
    const length = some.reduce((sum, piece) => sum + piece.length, 0)
    let done = writevSync(file, some)
    // A short write happens when a disk is nearly full; the rest then fails with the reason.
    for (const whole = done < length ? Buffer.concat(some) : undefined; whole && done < length; ) {
      done += writevSync(file, [whole.subarray(done)])
    }
    written += length
  }
  return written
}

/** The name of a rotated file: age 1 is the newest. */
export function rotatedName(path: string, age: number): string {
  return `${path}.${age}`
}
