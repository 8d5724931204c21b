/** RFC 7396. */
import { copyJson, isRecord } from '../objects/json.ts'

/** Edits `target` in place and returns it, or what takes its place. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const merged = isRecord(target) ? target : {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (key === '__proto__') continue
    if (value === null) delete merged[key]
    else if (isRecord(value)) merged[key] = mergePatch(merged[key], value)
    else merged[key] = copyJson(value)
  }
  return merged
}
