/** The extensions that are built in, in the order their admission runs. */
import type { Extension } from './extension.ts'

export function builtinExtensions(): Extension[] {
  return []
}
