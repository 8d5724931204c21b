/** A text that is read from left to right, and knows where it is when something is wrong. */
import { FieldPathError } from './source.ts'

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r' }

export class TextReader {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  get done(): boolean {
    return this.at >= this.text.length
  }

  /** The next character; undefined at the end. */
  get next(): string | undefined {
    return this.text[this.at]
  }

  rest(length: number): string {
    return this.text.slice(this.at, this.at + length)
  }

  skipSpace(): void {
    while (this.next === ' ' || this.next === '\t') this.at++
  }

  /** Takes the token when it comes next. */
  take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false
    this.at += token.length
    return true
  }

  /** Takes letters and digits; empty when none come next. */
  word(): string {
    return this.match(/[A-Za-z0-9]*/y) ?? ''
  }

  /** Takes what a sticky expression matches. */
  match(expression: RegExp): string | undefined {
    expression.lastIndex = this.at
    const found = expression.exec(this.text)
    if (!found) return undefined
    this.at += found[0].length
    return found[0]
  }

  /** Takes a text in single or double quotes, with backslashes before quotes; undefined when none comes next. */
  quoted(): string | undefined {
    const quote = this.next
    if (quote !== '"' && quote !== "'") return undefined
    const start = this.at++
    let value = ''
    for (; !this.done; this.at++) {
      const letter = this.next!
      if (letter === quote) {
        this.at++
        return value
      }
      if (letter !== '\\') value += letter
      else {
        this.at++
        value += ESCAPES[this.next ?? ''] ?? this.next ?? ''
      }
    }
    throw new FieldPathError(start, 'the quotes are not closed')
  }

  /** What is wrong here. */
  error(why: string, possible: readonly string[] = []): FieldPathError {
    return new FieldPathError(this.at, this.done ? `the path ends too early: ${why}` : why, possible)
  }
}
