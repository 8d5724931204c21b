/** The extensions that are built in, in the order their admission runs. */
import type { Extension } from './extension.ts'
import { fields } from './fields/fields.ts'

export function builtinExtensions(): Extension[] {
  return [fields]
}
