/** Objects whose versions a program elsewhere converts: what is about to be read is converted first, all of it with one question. */
import type { Entry } from '../../store/store.ts'
import type { Resource } from '../registry.ts'
import { decoded } from './codec.ts'

/** Undefined when there is nothing to wait for, as for nearly every resource. Rejects with a StatusError. */
export function prepareEntries(resource: Resource, entries: readonly (Entry | undefined)[]): Promise<void> | undefined {
  const { converter } = resource.definition
  if (!converter) return undefined
  return converter.prepare(entries.flatMap((entry) => (entry ? [decoded(entry)] : [])))
}
