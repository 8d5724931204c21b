/**
 * What an applied configuration makes of an object and of its owners (structured-merge-diff's `Apply`): merge, take away what
 * this applier no longer wants, and find those it would overrule. Pure.
 */
import type { StructSchema } from '../../api/schema/schema.ts'
import { compare } from '../fields/compare.ts'
import { fieldsOf } from '../fields/extract.ts'
import { difference, eachPath, type FieldSet, formatPath, intersection, isEmpty, union, without } from '../fields/field-set.ts'
import { type Manager, sameManager, strip } from '../fields/managers.ts'
import { mergeConfiguration } from '../fields/merge.ts'
import { removeFields, withNamedParents } from '../fields/remove.ts'
import { equalJson } from '../objects/json.ts'

export interface ApplyInput {
  schema: StructSchema
  live: object
  configuration: object
  managers: readonly Manager[]
  self: Omit<Manager, 'time' | 'fields'>
  /** What the subresource cannot change. */
  ignored: FieldSet
  force: boolean
  now: string
}

export interface Conflict {
  with: Manager
  path: string
}

export interface Applied {
  object: Record<string, unknown>
  managers: Manager[]
  /** Not empty only without force; then nothing else of the result counts. */
  conflicts: Conflict[]
}

export function applyConfiguration(input: ApplyInput): Applied {
  const { schema, live, configuration, self, ignored } = input
  const last = input.managers.find((manager) => sameManager(manager, self))
  const others = input.managers.filter((manager) => manager !== last)
  const applied = without(fieldsOf(schema, configuration), ignored)
  const fields = strip(applied)
  const merged = mergeConfiguration(schema, live, configuration)
  const owned = others.reduce((all, manager) => union(all, manager.fields), applied)
  const object = last ? prune(schema, merged, last.fields, owned) : merged
  const found = compare(schema, live, object)
  const changed = without(union(found.modified, found.added), ignored)
  const removed = without(found.removed, ignored)
  const conflicts = findConflicts(others, changed)
  if (conflicts.length > 0 && !input.force) return { object, managers: [], conflicts }
  const managers: Manager[] = []
  for (const manager of others) {
    const left = difference(difference(manager.fields, changed), removed)
    if (!isEmpty(left)) managers.push({ ...manager, fields: left })
  }
  // An apply that changes nothing leaves no time: for a new owner as for an old one.
  const time = equalJson(object, live) ? last?.time : input.now
  if (!isEmpty(fields)) managers.push({ ...self, time, fields })
  return { object, managers, conflicts: [] }
}

function findConflicts(others: readonly Manager[], changed: FieldSet): Conflict[] {
  const conflicts: Conflict[] = []
  for (const manager of others) {
    const overruled = intersection(manager.fields, changed)
    eachPath(overruled, (path) => conflicts.push({ with: manager, path: formatPath(path) }))
  }
  return conflicts
}

/**
 * Removes what this applier owned before and does not apply now, unless somebody else owns it. Removing a map or an element
 * takes everything below along; so what others own below is put back, and what nobody here ever owned stays.
 */
function prune(
  schema: StructSchema,
  merged: Record<string, unknown>,
  lastFields: FieldSet,
  owned: FieldSet,
): Record<string, unknown> {
  if (isEmpty(lastFields)) return merged
  const last = withNamedParents(schema, lastFields)
  const removed = removeFields(schema, merged, last)
  if (removed === merged) return merged
  const mergedSet = withNamedParents(schema, fieldsOf(schema, merged))
  const kept = union(withNamedParents(schema, fieldsOf(schema, removed)), withNamedParents(schema, owned))
  const restored = removeFields(schema, merged, difference(mergedSet, kept))
  const restoredSet = withNamedParents(schema, fieldsOf(schema, restored))
  return removeFields(schema, merged, intersection(difference(mergedSet, restoredSet), last))
}
