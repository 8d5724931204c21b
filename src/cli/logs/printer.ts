/** Prints the lines of several logs, each log in its own look, and says what happens to them. */
import type { Writable } from 'node:stream'
import { writeLine } from '../io.ts'
import type { Line } from './lines.ts'
import { type Look, prefixOf, showLines } from './look.ts'
import type { Output } from './output.ts'
import type { Log } from './read.ts'

/** What is printed at once, in bytes, where it lies ready. */
const PAGE_BYTES = 64 * 1024

export class Printer {
  readonly look: Look
  readonly #output: Output
  readonly #stderr: Writable
  readonly #prefixes = new Map<string, Buffer>()
  #page: Buffer[] = []
  #pageBytes = 0
  #hasFailed = false

  constructor(look: Look, output: Output, stderr: Writable) {
    this.look = look
    this.#output = output
    this.#stderr = stderr
  }

  /** Whether something could not be read. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Kept until there is a page of it, or `flush`. */
  async add(log: Log, lines: readonly Line[]): Promise<void> {
    const shown = showLines(lines, this.#prefix(log), this.look)
    if (shown.length === 0) return
    this.#page.push(shown)
    this.#pageBytes += shown.length
    if (this.#pageBytes >= PAGE_BYTES) await this.flush()
  }

  async flush(): Promise<void> {
    const page = this.#page.length === 1 ? this.#page[0]! : Buffer.concat(this.#page)
    this.#page = []
    this.#pageBytes = 0
    await this.#output.write(page)
  }

  /** At once: for lines that come while others are awaited. */
  async print(log: Log, lines: readonly Line[]): Promise<void> {
    await this.#output.write(showLines(lines, this.#prefix(log), this.look))
  }

  /** On standard error, beside the lines. */
  say(text: string): void {
    writeLine(this.#stderr, text)
  }

  fail(error: unknown): void {
    this.#hasFailed = true
    this.say(`error: ${(error as Error).message.trim().replaceAll(/\s*\n\s*/g, '; ')}`)
  }

  /** Colours are given in the order in which logs first speak. */
  #prefix(log: Log): Buffer {
    const pod = log.pod.metadata.name ?? ''
    const key = `${pod}/${log.container}`
    const known = this.#prefixes.get(key) ?? prefixOf({ pod, container: log.container }, this.#prefixes.size, this.look)
    this.#prefixes.set(key, known)
    return known
  }
}
