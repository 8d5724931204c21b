/** Merges an applied configuration into an object: maps by key, keyed lists by element, everything else as the configuration has it. */
import type { ListSchema, Schema } from '../../api/schema/schema.ts'
import { isRecord } from '../objects/json.ts'
import { itemPlace, type Place, placeOf, rootPlace } from './deduced.ts'
import { elementOf, indexList } from './elements.ts'

/** A new object that shares parts with both. */
export function mergeConfiguration(schema: Schema, live: object, configuration: object): Record<string, unknown> {
  return mergeValues(rootPlace(schema), live, configuration) as Record<string, unknown>
}

function mergeValues(place: Place, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live
  if (live === undefined || place.atomic) return applied
  if (place.schema.kind === 'list') {
    if (!Array.isArray(applied)) return Array.isArray(live) && live.length > 0 ? live : applied
    return Array.isArray(live) ? mergeLists(place.schema, live, applied) : applied
  }
  if (isRecord(live) && isRecord(applied)) return mergeRecords(place.schema, live, applied)
  return isRecord(live) && applied === null && Object.keys(live).length > 0 ? live : applied
}

function mergeRecords(schema: Schema, live: Record<string, unknown>, applied: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...live }
  for (const key in applied) {
    const value = applied[key]
    merged[key] = mergeValues(placeOf(schema, key, value ?? live[key]), live[key], value)
  }
  return merged
}

/** The applied order wins among shared elements; elements only the object has keep their place relative to these. */
function mergeLists(schema: ListSchema, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const place = itemPlace(schema)
  const liveItems = indexList(schema, live)
  const appliedItems = indexList(schema, applied)
  const liveElements = live.map((item) => elementOf(schema, item))
  const appliedElements = [...appliedItems.keys()]
  const shared = appliedElements.filter((element) => liveItems.has(element))
  const taken = new Set<string>()
  const merged: unknown[] = []
  const take = (element: string) => {
    taken.add(element)
    merged.push(mergeValues(place, liveItems.get(element), appliedItems.get(element)))
    if (shared[0] === element) shared.shift()
  }
  let l = 0
  let a = 0
  while (l < liveElements.length || a < appliedElements.length) {
    const mine = liveElements[l]
    const theirs = appliedElements[a]
    if (mine !== undefined && theirs !== undefined) {
      if (mine === theirs) {
        take(mine)
        l += 1
        a += 1
        continue
      }
      if (appliedItems.has(mine) && shared[0] !== undefined && shared[0] !== mine) {
        l += 1
        continue
      }
    }
    if (mine !== undefined) {
      if (!appliedItems.has(mine)) {
        merged.push(live[l])
        l += 1
        continue
      }
      if (taken.has(mine)) l += 1
    }
    if (theirs !== undefined) {
      if (!taken.has(theirs)) take(theirs)
      a += 1
    }
  }
  return merged
}
