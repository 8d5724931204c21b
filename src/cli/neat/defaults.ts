/**
 * Takes away what a server would fill in again: whatever can go without a change to what the object is with its defaults. So nothing is
 * lost, whichever rules made them. What was written exactly stays.
 */
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../api/object.ts'
import { child } from '../../api/schema/lookup.ts'
import type { Schema } from '../../api/schema/schema.ts'
import type { Kind } from './kind.ts'
import { placeIn } from './written.ts'

/** What is never a default. */
const KEPT = new Set(['apiVersion', 'kind', 'metadata'])

/** Edits the object in place. `exact` are places that must stay. */
export function takeDefaults(object: KubeObject, kind: Kind, exact: ReadonlySet<string>): void {
  dropUnwritten(object, kind.schema, '', exact)
  const filled = () => {
    const copy = structuredClone(object)
    kind.fill(copy)
    return copy
  }
  const whole = filled()
  const isNoChange = () => isDeepStrictEqual(filled(), whole)
  // What depends on another field may go when that has gone.
  for (let before = -1; before !== sizeOf(object); ) {
    before = sizeOf(object)
    for (const name of Object.keys(object))
      if (!KEPT.has(name)) tryWithout(object, name, { schema: kind.schema, place: placeIn('', name) }, exact, isNoChange)
  }
}

function sizeOf(object: KubeObject): number {
  return JSON.stringify(object).length
}

/** Of a member: the schema of what it is in, and its place. */
interface At {
  readonly schema: Schema | undefined
  readonly place: string
}

function tryWithout(
  holder: Record<string, unknown>,
  name: string,
  { schema, place }: At,
  exact: ReadonlySet<string>,
  isNoChange: () => boolean,
): void {
  const value = holder[name]
  const known = schema && child(schema, name)
  // What every object of the kind must have is not left to a default: whoever reads it may expect it.
  if (!exact.has(place) && !known?.field?.required && !isSelector(known?.schema)) {
    delete holder[name]
    if (isNoChange()) return
    holder[name] = value
  }
  tryWithin(value, { schema: known?.schema, place }, exact, isNoChange)
}

/** Elements of lists stay; what is in them may go. */
function tryWithin(value: unknown, { schema, place }: At, exact: ReadonlySet<string>, isNoChange: () => boolean): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    const element = schema?.kind === 'list' ? schema.element : undefined
    for (const [index, one] of value.entries())
      tryWithin(one, { schema: element, place: placeIn(place, index) }, exact, isNoChange)
    return
  }
  for (const name of Object.keys(value))
    tryWithout(value as Record<string, unknown>, name, { schema, place: placeIn(place, name) }, exact, isNoChange)
}

/** Servers write some structs that are empty, though nobody did (`resources: {}`, `status: {}`). */
function dropUnwritten(value: unknown, schema: Schema | undefined, place: string, exact: ReadonlySet<string>): void {
  if (typeof value !== 'object' || value === null || !schema) return
  if (Array.isArray(value)) {
    const element = schema.kind === 'list' ? schema.element : undefined
    for (const [index, one] of value.entries()) dropUnwritten(one, element, placeIn(place, index), exact)
    return
  }
  const always = schema.kind === 'struct' ? new Set(schema.always.map((field) => field.name)) : undefined
  const members = value as Record<string, unknown>
  for (const [name, member] of Object.entries(members)) {
    const inner = placeIn(place, name)
    const known = child(schema, name)?.schema
    dropUnwritten(member, known, inner, exact)
    if (always?.has(name) && isEmpty(member) && !isSelector(known) && !exact.has(inner)) delete members[name]
  }
}

/** An empty one says something: all. */
function isSelector(schema: Schema | undefined): boolean {
  return schema?.kind === 'struct' && schema.name === 'LabelSelector'
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0)
}
