/** The part of an object that somebody wrote, and which of that was written exactly like this. Decides, reads nothing. */
import { child, elementKeys, isAtomic } from '../../api/schema/lookup.ts'
import type { Field, Schema } from '../../api/schema/schema.ts'
import { type Claims, claimsOfElement, claimsOfMember, isClaimed, isExact } from './owners.ts'

export interface Written {
  readonly value: unknown
  /** What was written exactly, and everything around it: places in `value`. */
  readonly exact: ReadonlySet<string>
}

/** The place of a member or element within another. */
export function placeIn(place: string, name: string | number): string {
  return `${place}\n${name}`
}

export function writtenPart(object: unknown, schema: Schema | undefined, claims: Claims): Written {
  const exact = new Set<string>()
  return { value: partOf(object, { schema, field: undefined, claims, place: '', around: [] }, exact), exact }
}

interface At {
  readonly schema: Schema | undefined
  readonly field: Field | undefined
  readonly claims: Claims
  readonly place: string
  /** The places that it lies in. */
  readonly around: readonly string[]
}

function partOf(value: unknown, at: At, exact: Set<string>): unknown {
  const isWhole = typeof value !== 'object' || value === null || isOne(value, at)
  if (isWhole || Object.keys(value).length === 0) {
    if (isExact(at.claims)) for (const place of [...at.around, at.place]) exact.add(place)
    return value
  }
  return Array.isArray(value) ? elementsOf(value, at, exact) : membersOf(value as Record<string, unknown>, at, exact)
}

/** Owned as a whole: atomic, or nobody knows better. */
function isOne(value: object, { schema, field, claims }: At): boolean {
  if (schema && schema.kind !== 'json' && schema.kind !== 'raw') return isAtomic(schema, field)
  const hasParts = [...claims.exact, ...claims.loose].some((fields) => Object.keys(fields).some((name) => name !== '.'))
  return Array.isArray(value) || (!hasParts && (claims.applied === undefined || claims.loose.length > 0))
}

function membersOf(value: Record<string, unknown>, at: At, exact: Set<string>): Record<string, unknown> | undefined {
  const part: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const claims = claimsOfMember(at.claims, name)
    const known = at.schema && child(at.schema, name)
    if (!isClaimed(claims) && !isSelectorOfAll(member, known?.schema)) continue
    const inner = partOf(member, within(at, claims, name, known?.schema, known?.field), exact)
    if (inner !== undefined) part[name] = inner
  }
  // What has lost all its members was not what somebody wrote.
  return Object.keys(part).length > 0 ? part : undefined
}

/** Nobody comes to own an empty one, and yet it says something. */
function isSelectorOfAll(value: unknown, schema: Schema | undefined): boolean {
  const isSelector = schema?.kind === 'struct' && schema.name === 'LabelSelector'
  return isSelector && typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function elementsOf(value: readonly unknown[], at: At, exact: Set<string>): unknown[] | undefined {
  const keys = (at.schema && elementKeys(at.schema)) ?? []
  const schema = at.schema?.kind === 'list' ? at.schema.element : undefined
  const part: unknown[] = []
  for (const element of value) {
    const claims = claimsOfElement(at.claims, element, keys)
    if (!isClaimed(claims)) continue
    const inner = partOf(element, within(at, claims, part.length, schema, undefined), exact)
    if (inner !== undefined) part.push(inner)
  }
  return part.length > 0 ? part : undefined
}

function within(at: At, claims: Claims, name: string | number, schema: Schema | undefined, field: Field | undefined): At {
  return { schema, field, claims, place: placeIn(at.place, name), around: [...at.around, at.place] }
}
