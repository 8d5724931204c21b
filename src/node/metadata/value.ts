/**
 * What the metadata service knows as a tree of values, and the ways it is shown: a path into it, a directory listing, text,
 * JSON. Names are written with hyphens in paths and in camel case in JSON, as GCE's metadata server has them. Pure.
 */

/**
 * A directory is a plain object (fixed names), a Map (names that somebody chose: labels, containers) or a list of
 * directories; everything else is a leaf. What is undefined is not there.
 */
export type Value = string | number | boolean | readonly Value[] | ReadonlyMap<string, Value> | Fields
export interface Fields {
  readonly [name: string]: Value | undefined
}

export function isDirectory(value: Value): value is ReadonlyMap<string, Value> | Fields | readonly Value[] {
  if (Array.isArray(value)) return value.some((item) => typeof item === 'object')
  return typeof value === 'object'
}

/** Segments are as in the path, still percent-encoded: a label's name may hold a slash. */
export function find(root: Value, segments: readonly string[]): Value | undefined {
  let value: Value | undefined = root
  for (const segment of segments) {
    if (value === undefined || !isDirectory(value)) return undefined
    value = entries(value).find(([name]) => name === segment)?.[1]
  }
  return value
}

/** The names in a directory as paths have them, directories with a slash at their end. */
export function listing(value: Value): string[] {
  return entries(value).map(([name, inner]) => (isDirectory(inner) ? `${name}/` : name))
}

/** A leaf as text: a list has a line for each item. */
export function leafText(value: Value): string {
  return Array.isArray(value) ? value.join('\n') : String(value)
}

/** Every leaf below, as `path value` lines. */
export function deepText(value: Value, prefix = ''): string {
  if (!isDirectory(value)) return `${prefix} ${leafText(value)}\n`
  return entries(value)
    .map(([name, inner]) => deepText(inner, prefix === '' ? name : `${prefix}/${name}`))
    .join('')
}

export function toJson(value: Value): unknown {
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(toJson)
  const pairs = value instanceof Map ? [...value] : Object.entries(value as Fields)
  return Object.fromEntries(pairs.flatMap(([name, inner]) => (inner === undefined ? [] : [[name, toJson(inner)]])))
}

function entries(value: Value): [string, Value][] {
  if (Array.isArray(value)) return value.map((item: Value, index) => [String(index), item])
  if (value instanceof Map) return [...(value as ReadonlyMap<string, Value>)].map(([name, inner]) => [encodeName(name), inner])
  return Object.entries(value as Fields).flatMap(([name, inner]) => (inner === undefined ? [] : [[hyphenated(name), inner]]))
}

/** What a path's segment cannot hold is escaped; `skiff.dev%2Fnotify` is one name. */
function encodeName(name: string): string {
  return encodeURIComponent(name)
}

function hyphenated(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** A path's segment in the one spelling that listings have. Throws URIError for a broken escape. */
export function normalSegment(segment: string): string {
  return encodeName(decodeURIComponent(segment))
}

/** Names that somebody chose, in the order of the alphabet. */
export function stringMap(map: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)))
}
