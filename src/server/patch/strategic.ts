/**
 * Strategic merge patch (apimachinery `strategicpatch`): like a merge patch, but lists of things with a name are merged by that
 * name, and directives say what a plain value cannot: `$patch`, `$retainKeys`, `$deleteFromPrimitiveList`, `$setElementOrder`.
 */
import { child } from '../../api/schema/lookup.ts'
import type { Field, Schema } from '../../api/schema/schema.ts'
import { custom } from '../../api/status.ts'
import { copyJson, equalJson, isRecord } from '../objects/json.ts'

type JsonObject = Record<string, unknown>

const PATCH = '$patch'
const RETAIN = '$retainKeys'
const DELETE_PREFIX = '$deleteFromPrimitiveList/'
const ORDER_PREFIX = '$setElementOrder/'

/** Edits `target` in place and returns it. Throws a 500 with Kubernetes' words for a bad directive or an element without its key. */
export function strategicMerge(target: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  return mergeObject(target, patch, schema)
}

function mergeObject(target: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
  const directive = patch[PATCH]
  if (directive === 'replace') return withoutDirectives(patch) as JsonObject
  if (directive === 'delete') return {}
  if (directive !== undefined && directive !== 'merge') throw unknownDirective(directive, patch)
  retainKeys(target, patch)
  const before = { ...target }
  for (const key of Object.keys(patch)) {
    if (key === '__proto__') continue
    if (key.startsWith(DELETE_PREFIX)) deleteFromList(target, key.slice(DELETE_PREFIX.length), patch[key])
    else if (!key.startsWith('$')) mergeMember(target, key, patch[key], schema)
  }
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ORDER_PREFIX)) continue
    const name = key.slice(ORDER_PREFIX.length)
    orderList(target, name, patch, schema, before[name])
  }
  return target
}

function mergeMember(target: JsonObject, key: string, value: unknown, schema: Schema | undefined): void {
  if (value === null) {
    delete target[key]
    return
  }
  const known = schema && child(schema, key)
  const current = target[key]
  if (isRecord(value) && isRecord(current)) {
    target[key] =
      known?.field?.patchStrategy === 'replace' ? withoutDirectives(value) : mergeObject(current, value, known?.schema)
  } else if (Array.isArray(value)) {
    target[key] = mergeList(Array.isArray(current) ? current : [], value, known?.schema, known?.field)
  } else target[key] = isRecord(value) ? fromNothing(value, known?.schema) : value
}

/** What a patch makes of an absent object. */
function fromNothing(patch: JsonObject, schema: Schema | undefined): unknown {
  return patch[PATCH] === 'delete' ? {} : mergeObject({}, patch, schema)
}

/** Keeps only the listed keys of the stored object; all keys of the patch must be among them. */
function retainKeys(target: JsonObject, patch: JsonObject): void {
  const retained = patch[RETAIN]
  if (retained === undefined) return
  if (!Array.isArray(retained)) throw plain(`${RETAIN} must be a list`)
  for (const key of Object.keys(patch)) {
    if (key.startsWith('$') || retained.includes(key) || patch[key] === null) continue
    throw plain(`invalid ${RETAIN} directive: the ${RETAIN} list doesn't contain all the fields of the patch`)
  }
  for (const key of Object.keys(target)) if (!retained.includes(key)) delete target[key]
}

function mergeList(current: unknown[], patch: unknown[], schema: Schema | undefined, field: Field | undefined): unknown[] {
  const element = schema?.kind === 'list' ? schema.element : undefined
  if (field?.patchStrategy !== 'merge') return patch.filter((item) => !isDirective(item)).map(withoutDirectives)
  const mergeKey = field.patchMergeKey
  if (!mergeKey)
    return ordered(
      [...current, ...patch.filter((item) => !current.some((one) => equalJson(one, item)))],
      patch,
      current,
      undefined,
    )
  return mergeKeyed(current, patch, mergeKey, element)
}

/** An element that is only a directive about the whole list. */
function isDirective(item: unknown): boolean {
  return isRecord(item) && item[PATCH] !== undefined && Object.keys(item).length === 1
}

function mergeKeyed(current: unknown[], patch: unknown[], mergeKey: string, element: Schema | undefined): unknown[] {
  if (patch.some((item) => isDirective(item) && (item as JsonObject)[PATCH] === 'replace')) {
    return patch.filter((item) => !isDirective(item)).map(withoutDirectives)
  }
  let merged = [...current]
  for (const item of patch) {
    if (!isRecord(item)) throw plain(`expected a map in a list merged by ${mergeKey}, got ${goText(item)}`)
    const value = item[mergeKey]
    if (value === undefined) throw plain(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`)
    const matches = (one: unknown) => isRecord(one) && equalJson(one[mergeKey], value)
    const directive = item[PATCH]
    if (directive === 'delete') {
      merged = merged.filter((one) => !matches(one))
      continue
    }
    if (directive !== undefined && directive !== 'replace' && directive !== 'merge') throw unknownDirective(directive, item)
    const index = merged.findIndex(matches)
    if (index >= 0 && directive !== 'replace') merged[index] = mergeObject(merged[index] as JsonObject, item, element)
    else if (index >= 0) merged[index] = withoutDirectives(item)
    else merged.push(mergeObject({}, item, element))
  }
  return ordered(merged, patch, current, mergeKey)
}

function deleteFromList(target: JsonObject, key: string, values: unknown): void {
  if (!Array.isArray(values)) throw plain(`${DELETE_PREFIX}${key} must be a list`)
  const current = target[key]
  if (!Array.isArray(current)) return
  target[key] = current.filter((item) => !values.some((value) => equalJson(value, item)))
}

/** Applies `$setElementOrder`: the listed elements come in that order, those the list does not name stay near their neighbours. */
function orderList(target: JsonObject, key: string, patch: JsonObject, schema: Schema | undefined, before: unknown): void {
  const order = patch[ORDER_PREFIX + key]
  const list = target[key]
  if (!Array.isArray(order) || !Array.isArray(list)) return
  const mergeKey = schema && child(schema, key)?.field?.patchMergeKey
  target[key] = ordered(list, order, Array.isArray(before) ? before : [], mergeKey)
}

/**
 * The elements that `order` names, in its order, with the others put in between: each before the first named one that stood
 * behind it in the stored list.
 */
function ordered(
  list: readonly unknown[],
  order: readonly unknown[],
  stored: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const identity = (item: unknown) => (mergeKey && isRecord(item) ? item[mergeKey] : item)
  const placeIn = (items: readonly unknown[], item: unknown) => items.findIndex((one) => equalJson(identity(one), identity(item)))
  const named = list.filter((item) => placeIn(order, item) >= 0).sort((a, b) => placeIn(order, a) - placeIn(order, b))
  const others = list.filter((item) => placeIn(order, item) < 0)
  const result: unknown[] = []
  for (let i = 0, j = 0; i < others.length || j < named.length; ) {
    const other = i < others.length ? placeIn(stored, others[i]) : -1
    const next = j < named.length ? placeIn(stored, named[j]) : -1
    const otherFirst = j >= named.length || (i < others.length && other >= 0 && next >= 0 && other < next)
    result.push(otherFirst ? others[i++] : named[j++])
  }
  return result
}

/** A copy without `$` keys and without nulls, as it is stored. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isDirective(item)).map(withoutDirectives)
  if (!isRecord(value)) return value
  const kept: JsonObject = {}
  for (const key of Object.keys(value)) {
    if (!key.startsWith('$') && value[key] !== null) kept[key] = withoutDirectives(value[key])
  }
  return copyJson(kept)
}

function unknownDirective(directive: unknown, item: JsonObject): Error {
  return plain(`unknown patch type: ${String(directive)} in map: ${goText(item)}`)
}

function plain(message: string): Error {
  const error = custom(500, '', message)
  delete error.status.reason
  return error
}

/** A value as Go's `%v` prints it. */
function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isRecord(value)) return value === null ? '<nil>' : String(value)
  const pairs = Object.keys(value).sort()
  return `map[${pairs.map((key) => `${key}:${goText(value[key])}`).join(' ')}]`
}
