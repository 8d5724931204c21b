/** Rules for paths of files that must stay where they begin. */
import { type Errors, invalid } from '../field-errors.ts'

/** A path that stays below where it starts. */
export function checkDescendingPath(value: string, path: string, errors: Errors): void {
  if (value.startsWith('/')) errors.push(invalid(path, value, 'must be a relative path'))
  checkNoBacksteps(value, path, errors)
}

export function checkNoBacksteps(value: string, path: string, errors: Errors): void {
  if (value.split('/').includes('..')) errors.push(invalid(path, value, "must not contain '..'"))
}
