/** Takes fields out of an object, and answers two questions about sets that only the schema can: see each function. */
import type { ListSchema, Schema } from '../../api/schema/schema.ts'
import { isRecord } from '../objects/json.ts'
import { itemPlace, type Place, placeOf, rootPlace } from './deduced.ts'
import { elementOf } from './elements.ts'
import { below, type FieldSet, isEmpty, isMember, nodeOf } from './field-set.ts'

/** The object without the set's members; a map or list that loses everything becomes null. Shares what stays. */
export function removeFields(schema: Schema, value: object, set: FieldSet): Record<string, unknown> {
  if (isEmpty(set)) return value as Record<string, unknown>
  return (removeMembers(schema, value as Record<string, unknown>, set) ?? {}) as Record<string, unknown>
}

function removeBelow(place: Place, value: unknown, set: FieldSet): unknown {
  if (Array.isArray(value)) return place.schema.kind === 'list' && !place.atomic ? removeItems(place.schema, value, set) : value
  return isRecord(value) ? removeMembers(place.schema, value, set) : value
}

function removeMembers(schema: Schema, value: Record<string, unknown>, set: FieldSet): Record<string, unknown> | null {
  const kept: Record<string, unknown> = {}
  let count = 0
  for (const key in value) {
    const node = set[`f:${key}`]
    if (node !== undefined && isMember(node)) continue
    const children = node && below(node)
    kept[key] = children && !isEmpty(children) ? removeBelow(placeOf(schema, key, value[key]), value[key], children) : value[key]
    count += 1
  }
  return count > 0 ? kept : null
}

function removeItems(schema: ListSchema, items: readonly unknown[], set: FieldSet): unknown[] | null {
  const place = itemPlace(schema)
  const kept: unknown[] = []
  for (const item of items) {
    const node = set[elementOf(schema, item)]
    if (node !== undefined && isMember(node)) continue
    const children = node && below(node)
    kept.push(children && !isEmpty(children) ? removeBelow(place, item, children) : item)
  }
  return kept.length > 0 ? kept : null
}

/** The set with every struct field on its paths among its members. */
export function withNamedParents(schema: Schema, set: FieldSet): FieldSet {
  return namedParents(rootPlace(schema), set)
}

function namedParents(place: Place, set: FieldSet): FieldSet {
  const named: Record<string, FieldSet> = {}
  for (const element in set) {
    if (element === '.') continue
    const node = set[element]!
    const isField = element.startsWith('f:')
    const name = element.slice(2)
    const children = below(node)
    const next = isField ? placeOf(place.schema, name, isEmpty(children) ? null : {}) : nextItem(place)
    const isNamed = isField && place.schema.kind === 'struct' && place.schema.fields.has(name)
    const inner = isEmpty(children) ? undefined : (namedParents(next, children) as Record<string, FieldSet>)
    named[element] = nodeOf(isMember(node) || isNamed, inner) ?? node
  }
  return named
}

function nextItem(place: Place): Place {
  return place.schema.kind === 'list' ? itemPlace(place.schema) : place
}
