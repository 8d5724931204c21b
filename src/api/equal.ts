/**
 * Whether two pieces of an object mean the same, as Kubernetes' `Semantic.DeepEqual` sees it: absent, null and empty lists or
 * maps are one, the order of keys does not count. Objects are expected in canonical form (quantities, times).
 */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (isEmpty(a)) return isEmpty(b)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]))
  if (Array.isArray(b)) return false
  return equalMembers(a as Record<string, unknown>, b as Record<string, unknown>)
}

function equalMembers(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  for (const key in a) if (!equal(a[key], b[key])) return false
  for (const key in b) if (!(key in a) && !isEmpty(b[key])) return false
  return true
}

/**
 * An empty object counts as empty too: on the wire it can't be told from an absent struct, which Go would write as `{}`.
 * Where presence itself is a statement (`emptyDir: {}`), compare the names of the members as well.
 */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.length === 0
  for (const _ in value) return false
  return true
}

/** As many changes as a message lists. */
const MAX_LISTED = 20

/** What changed, one hunk for each path, for messages to people. Empty when nothing did. */
export function listChanges(path: string, before: unknown, after: unknown): string {
  const hunks: string[] = []
  collect(path, before, after, hunks)
  return hunks.slice(0, MAX_LISTED).join('')
}

function collect(path: string, before: unknown, after: unknown, hunks: string[]): void {
  if (hunks.length >= MAX_LISTED || equal(before, after)) return
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let i = 0; i < Math.max(before.length, after.length); i++) collect(`${path}[${i}]`, before[i], after[i], hunks)
  } else if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      collect(`${path}.${key}`, before[key], after[key], hunks)
  } else {
    const line = (mark: string, value: unknown) =>
      value === undefined || value === null ? '' : `${mark}${JSON.stringify(value)}\n`
    hunks.push(`@@ ${path} @@\n${line('-', before)}${line('+', after)}`)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
