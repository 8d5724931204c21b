/** What a command may touch of the world, given to it by its caller: no command knows `process` or `console`. */
import type { Readable, Writable } from 'node:stream'

export interface Io {
  readonly stdout: Writable
  readonly stderr: Writable
  readonly stdin: Readable
  readonly env: NodeJS.ProcessEnv
  /** Whether stdout is a terminal. */
  readonly isTty: boolean
  /** Width of the output, in characters. */
  readonly columns: number
  /** Aborts when the user interrupts (Ctrl-C); commands end what they began and return. */
  readonly signal: AbortSignal
  /** The terminal behind stdin, for `exec -t`; absent when stdin is none. */
  readonly terminal?: Terminal | undefined
}

export interface Terminal {
  size(): { columns: number; rows: number }
  /** Raw: keys arrive one by one and Ctrl-C is a byte. */
  setRaw(raw: boolean): void
  /** Calls `listener` at every change of size; the returned function ends that. */
  onResize(listener: () => void): () => void
}

/** Why a command cannot go on, in one line, and the exit code that says so. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly exitCode: number
  constructor(message: string, exitCode = 1, options?: { cause?: unknown }) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** Exit code of a command that was interrupted, as shells have it. */
export const INTERRUPTED = 130

export function writeLine(stream: Writable, line: string): void {
  stream.write(`${line}\n`)
}
