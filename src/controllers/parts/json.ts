/** Plain JSON values: a deep copy to hand over to a write, and equality that ignores key order and absent members. */

/** A deep copy; members that are `undefined` are left out, as JSON would. */
export function copyOf<T>(value: T): Mutable<T> {
  return copy(value) as Mutable<T>
}

/** What a copy may be treated as: the same shape, nothing of it shared. */
type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copy)
  const target: Record<string, unknown> = {}
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined) target[key] = copy(member)
  }
  return target
}

/** Whether two values say the same. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  let members = 0
  for (const key in left) {
    if (left[key] === undefined) continue
    if (!sameJson(left[key], right[key])) return false
    members += 1
  }
  for (const key in right) if (right[key] !== undefined) members -= 1
  return members === 0
}
