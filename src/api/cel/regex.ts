/** Regular expressions in Go's syntax, matched in linear time whatever the pattern: what an object's owner wrote may be hostile. */
import { RE2JS } from 're2js'
import { EvaluationError } from './values.ts'

const REMEMBERED = 1000
const compiled = new Map<string, RE2JS>()

/** Throws EvaluationError. */
export function regexOf(pattern: string): RE2JS {
  let expression = compiled.get(pattern)
  if (!expression) {
    try {
      expression = RE2JS.compile(pattern)
    } catch (error) {
      throw new EvaluationError((error as Error).message)
    }
    if (compiled.size >= REMEMBERED) compiled.clear()
    compiled.set(pattern, expression)
  }
  return expression
}

/** Whether the pattern is found anywhere in the text. */
export function matches(text: string, pattern: string): boolean {
  return regexOf(pattern).matcher(text).find()
}
