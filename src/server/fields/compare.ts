/** Which fields two versions of an object differ in. */
import type { ListSchema, Schema } from '../../api/schema/schema.ts'
import { equalJson, isRecord } from '../objects/json.ts'
import { itemPlace, type Place, placeOf, rootPlace } from './deduced.ts'
import { elementOf, indexList } from './elements.ts'
import { EMPTY, type FieldSet, LEAF, nodeOf } from './field-set.ts'

export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/** What a part of the object differs in, as nodes of the three sets. */
interface Difference {
  added?: FieldSet | undefined
  modified?: FieldSet | undefined
  removed?: FieldSet | undefined
}

type Collected = { added?: Record<string, FieldSet>; modified?: Record<string, FieldSet>; removed?: Record<string, FieldSet> }

const ADDED: Difference = { added: LEAF }
const MODIFIED: Difference = { modified: LEAF }
const REMOVED: Difference = { removed: LEAF }

export function compare(schema: Schema, before: object, after: object): Comparison {
  const found = compareValues(rootPlace(schema), before, after)
  return { added: found?.added ?? EMPTY, modified: found?.modified ?? EMPTY, removed: found?.removed ?? EMPTY }
}

function compareValues(place: Place, before: unknown, after: unknown): Difference | undefined {
  if (before === after) return undefined
  if (before === undefined) return { added: whole(place, after) }
  if (place.atomic) return compareLeaves(before, after)
  if (Array.isArray(before) || Array.isArray(after)) {
    return place.schema.kind === 'list' ? compareLists(place.schema, before, after) : compareLeaves(before, after)
  }
  if (isRecord(before) || isRecord(after)) return compareRecords(place.schema, before, after)
  return compareLeaves(before, after)
}

/** All of a part that was not there before. */
function whole({ schema, atomic }: Place, value: unknown): FieldSet {
  if (atomic || typeof value !== 'object' || value === null) return LEAF
  const node: Record<string, FieldSet> = { '.': LEAF }
  let isLeaf = true
  if (!Array.isArray(value)) {
    const record = value as Record<string, unknown>
    for (const key in record) {
      const member = record[key]
      if (member === undefined) continue
      node[`f:${key}`] = whole(placeOf(schema, key, member), member)
      isLeaf = false
    }
  } else if (schema.kind === 'list') {
    const place = itemPlace(schema)
    for (const item of value) {
      node[elementOf(schema, item)] = whole(place, item)
      isLeaf = false
    }
  }
  return isLeaf ? LEAF : node
}

function compareLeaves(before: unknown, after: unknown): Difference | undefined {
  if (before === undefined) return ADDED
  if (after === undefined) return REMOVED
  return equalJson(before, after) ? undefined : MODIFIED
}

function compareRecords(schema: Schema, before: unknown, after: unknown): Difference | undefined {
  const old = isRecord(before) ? before : undefined
  const now = isRecord(after) ? after : undefined
  if (isEmptyRecord(old) && isEmptyRecord(now)) return compareLeaves(before, after)
  const found: Collected = {}
  for (const key in now) {
    const value = now[key]
    const previous = old?.[key]
    if (value === previous || value === undefined) continue
    collect(found, `f:${key}`, compareValues(placeOf(schema, key, value), previous, value))
  }
  for (const key in old) {
    if (old[key] === undefined || (now !== undefined && now[key] !== undefined)) continue
    collect(found, `f:${key}`, compareValues(placeOf(schema, key, old[key]), old[key], undefined))
  }
  return finish(found, before, after)
}

function compareLists(schema: ListSchema, before: unknown, after: unknown): Difference | undefined {
  const old = Array.isArray(before) ? before : []
  const now = Array.isArray(after) ? after : []
  if (old.length === 0 && now.length === 0) return compareLeaves(before, after)
  const place = itemPlace(schema)
  const found: Collected = {}
  const oldItems = indexList(schema, old)
  for (const item of now) {
    const element = elementOf(schema, item)
    const previous = oldItems.get(element)
    oldItems.delete(element)
    collect(found, element, compareValues(place, previous, item))
  }
  for (const [element, item] of oldItems) collect(found, element, compareValues(place, item, undefined))
  return finish(found, before, after)
}

function collect(found: Collected, element: string, difference: Difference | undefined): void {
  if (!difference) return
  const { added, modified, removed } = difference
  if (added) {
    found.added ??= {}
    found.added[element] = added
  }
  if (modified) {
    found.modified ??= {}
    found.modified[element] = modified
  }
  if (removed) {
    found.removed ??= {}
    found.removed[element] = removed
  }
}

/** A map, struct or list that was not there before is itself among the added, one that is gone among the removed. */
function finish(found: Collected, before: unknown, after: unknown): Difference {
  return {
    added: nodeOf(before === undefined, found.added),
    modified: found.modified,
    removed: nodeOf(after === undefined, found.removed),
  }
}

function isEmptyRecord(value: Record<string, unknown> | undefined): boolean {
  for (const key in value) if (value[key] !== undefined) return false
  return true
}
