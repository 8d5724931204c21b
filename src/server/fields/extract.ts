/** Which fields a value sets: what an applied configuration will own. */
import type { ListSchema, Schema } from '../../api/schema/schema.ts'
import { isRecord } from '../objects/json.ts'
import { itemPlace, type Place, placeOf } from './deduced.ts'
import { elementOf } from './elements.ts'
import { type FieldSet, LEAF, nodeOf } from './field-set.ts'

/** The set of leaves, of elements of keyed lists, and of entries of maps. */
export function fieldsOf(schema: Schema, value: object): FieldSet {
  return fieldsOfMembers(schema, value as Record<string, unknown>)
}

function fieldsBelow(place: Place, value: unknown): FieldSet | 'leaf' {
  if (place.atomic) return 'leaf'
  if (Array.isArray(value)) return place.schema.kind === 'list' ? fieldsOfItems(place.schema, value) : 'leaf'
  return isRecord(value) ? fieldsOfMembers(place.schema, value) : {}
}

function fieldsOfMembers(schema: Schema, value: Record<string, unknown>): FieldSet {
  const set: Record<string, FieldSet> = {}
  for (const key in value) {
    const member = value[key]
    if (member === undefined) continue
    const found = fieldsBelow(placeOf(schema, key, member), member)
    const named = schema.kind === 'struct' && schema.fields.has(key)
    const isLeaf = found === 'leaf' || member === null || isEmptyRecord(member) || !named
    const node = nodeOf(isLeaf, found === 'leaf' ? undefined : (found as Record<string, FieldSet>))
    if (node) set[`f:${key}`] = node
  }
  return set
}

function fieldsOfItems(schema: ListSchema, items: readonly unknown[]): FieldSet {
  const set: Record<string, FieldSet> = {}
  const place = itemPlace(schema)
  for (const item of items) {
    const found = fieldsBelow(place, item)
    set[elementOf(schema, item)] = nodeOf(true, found === 'leaf' ? undefined : (found as Record<string, FieldSet>)) ?? LEAF
  }
  return set
}

function isEmptyRecord(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0
}
