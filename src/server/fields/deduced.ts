/** Schemas for what a schema leaves open: maps by key, lists as a whole. */
import { child, isAtomic } from '../../api/schema/lookup.ts'
import type { Field, ListSchema, MapSchema, ScalarSchema, Schema } from '../../api/schema/schema.ts'
import { isRecord } from '../objects/json.ts'

const SCALAR: ScalarSchema = { kind: 'json', goType: '', enum: undefined, nullable: true }
const MAP: MapSchema = { kind: 'map', goType: '', element: SCALAR, atomic: false, nullable: true }

/** The schema of a member, and whether it is owned as a whole. */
export interface Place {
  readonly schema: Schema
  readonly field: Field | undefined
  readonly atomic: boolean
}

const DEDUCED_MAP: Place = { schema: MAP, field: undefined, atomic: false }
const DEDUCED_SCALAR: Place = { schema: SCALAR, field: undefined, atomic: true }
const places = new WeakMap<Field, Place>()

/** Where a member stands; what the schema does not know is deduced from a value. */
export function placeOf(schema: Schema, name: string, value: unknown): Place {
  const known = child(schema, name)
  if (!known || known.schema === SCALAR) return isRecord(value) ? DEDUCED_MAP : DEDUCED_SCALAR
  if (!known.field) return { schema: known.schema, field: undefined, atomic: isAtomic(known.schema, undefined) }
  let place = places.get(known.field)
  if (!place) {
    place = { ...known, atomic: isAtomic(known.schema, known.field) }
    places.set(known.field, place)
  }
  return place
}

/** Where an item of a list stands. */
export function itemPlace(schema: ListSchema): Place {
  return { schema: schema.element, field: undefined, atomic: isAtomic(schema.element, undefined) }
}

export function rootPlace(schema: Schema): Place {
  return { schema, field: undefined, atomic: false }
}
