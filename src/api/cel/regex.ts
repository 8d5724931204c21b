/** Regular expressions within expressions: a pattern that is none is an error of the evaluation. */
import type { RE2JS } from 're2js'
import * as regex from '../regex.ts'
import { EvaluationError } from './values.ts'

/** Throws EvaluationError. */
export function regexOf(pattern: string): RE2JS {
  try {
    return regex.regexOf(pattern)
  } catch (error) {
    if (error instanceof regex.PatternError) throw new EvaluationError(error.message, { cause: error })
    throw error
  }
}

/** Whether the pattern is found anywhere in the text. Throws EvaluationError. */
export function matches(text: string, pattern: string): boolean {
  return regexOf(pattern).matcher(text).find()
}
