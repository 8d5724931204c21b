/** Regular expressions in Go's syntax, matched in linear time whatever the pattern: what an object's owner wrote may be hostile. */
import { RE2JS } from 're2js'

const REMEMBERED = 1000
const compiled = new Map<string, RE2JS>()

/** A pattern that is none; the message is Go's. */
export class PatternError extends Error {
  override name = 'PatternError'
}

/** Throws PatternError. */
export function regexOf(pattern: string): RE2JS {
  let expression = compiled.get(pattern)
  if (!expression) {
    try {
      expression = RE2JS.compile(pattern)
    } catch (cause) {
      throw new PatternError((cause as Error).message, { cause })
    }
    if (compiled.size >= REMEMBERED) compiled.clear()
    compiled.set(pattern, expression)
  }
  return expression
}

/** Whether the pattern is found anywhere in the text. Throws PatternError. */
export function matches(text: string, pattern: string): boolean {
  return regexOf(pattern).matcher(text).find()
}
