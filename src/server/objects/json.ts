/** Copies and compares plain JSON values. Faster than structuredClone and knows nothing of Kubernetes. */

/** A deep copy of plain JSON data; `undefined` members are left out, as JSON would. */
export function copyJson<T>(value: T): T {
  return copy(value) as T
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const length = value.length
    const items = new Array(length)
    for (let i = 0; i < length; i++) items[i] = copy(value[i])
    return items
  }
  const source = value as Record<string, unknown>
  const target: Record<string, unknown> = {}
  for (const key in source) {
    const member = source[key]
    if (member !== undefined) target[key] = typeof member === 'object' ? copy(member) : member
  }
  return target
}

/** Whether two JSON values are the same, whatever the order of their keys; a member that is `undefined` is absent. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!equalJson(a[i], b[i])) return false
    return true
  }
  return equalMembers(a as Record<string, unknown>, b as Record<string, unknown>)
}

function equalMembers(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  let count = 0
  for (const key in a) {
    if (a[key] === undefined) continue
    if (!equalJson(a[key], b[key])) return false
    count += 1
  }
  for (const key in b) if (b[key] !== undefined) count -= 1
  return count === 0
}

/** A JSON object, neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
