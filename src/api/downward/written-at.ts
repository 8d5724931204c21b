/** When a field of an object was last written, by what its managed fields say. Pure. */
import type { KubeObject } from '../object.ts'

/** Milliseconds; undefined where nobody manages the field. `path` are names, without the `f:`. */
export function writtenAt({ metadata }: KubeObject, path: readonly string[]): number | undefined {
  let latest: number | undefined
  for (const { time, fieldsV1, subresource } of metadata.managedFields ?? []) {
    if (subresource || time === undefined || !owns(fieldsV1, path)) continue
    const at = Date.parse(time)
    if (latest === undefined || at > latest) latest = at
  }
  return latest
}

function owns(fields: unknown, path: readonly string[]): boolean {
  let at = fields
  for (const name of path) {
    if (typeof at !== 'object' || at === null) return false
    at = (at as Record<string, unknown>)[`f:${name}`]
  }
  return at !== undefined
}
