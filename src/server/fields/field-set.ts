/**
 * Sets of field paths, in the form that managedFields have on the wire (`FieldsV1`): a node's keys are path elements
 * (`f:name`, `k:{"name":"c"}`, `v:"x"`, `i:0`), `.` says that the node itself is in the set, and a node without keys is in it.
 * Sets are immutable and share their nodes.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet
}

/** A node that is in the set and has nothing below it; as a whole set, the empty one. */
export const LEAF: FieldSet = Object.freeze({})
export const EMPTY: FieldSet = LEAF
const SELF = '.'

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

/** Whether the node itself is in the set. */
export function isMember(node: FieldSet): boolean {
  return SELF in node || isEmpty(node)
}

/** A node of its membership and children; undefined when neither is there. */
export function nodeOf(member: boolean, children: Record<string, FieldSet> | undefined): FieldSet | undefined {
  if (children === undefined || isEmpty(children)) return member ? LEAF : undefined
  return member ? { [SELF]: LEAF, ...children } : children
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a
  if (isEmpty(a)) return b
  const merged: Record<string, FieldSet> = { ...a }
  for (const key in b) merged[key] = key in merged ? unionNodes(merged[key]!, b[key]!) : b[key]!
  return merged
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  const member = isMember(a) || isMember(b)
  return nodeOf(member, below(union(below(a), below(b)))) ?? LEAF
}

/** What is in `a` and not in `b`, path by path. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, true, (member, other) => member && !other)
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, false, (member, other) => member && other)
}

/** What is in `a` and not at or below anything in `b`. */
export function without(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a
  let kept: Record<string, FieldSet> | undefined
  for (const key in b) {
    const node = a[key]
    if (node === undefined || key === SELF) continue
    kept ??= { ...a }
    const rest = isMember(b[key]!) ? undefined : nodeOf(isMember(node), below(without(below(node), below(b[key]!))))
    if (rest === undefined) delete kept[key]
    else kept[key] = rest
  }
  return kept ?? a
}

function combine(a: FieldSet, b: FieldSet, keepsUnshared: boolean, member: (a: boolean, b: boolean) => boolean): FieldSet {
  if (isEmpty(a) || (keepsUnshared && isEmpty(b))) return a
  const kept: Record<string, FieldSet> = {}
  for (const key in a) {
    if (key === SELF) continue
    const node = a[key]!
    const other = b[key]
    if (other === undefined) {
      if (keepsUnshared) kept[key] = node
      continue
    }
    const children = combine(below(node), below(other), keepsUnshared, member)
    const result = nodeOf(member(isMember(node), isMember(other)), children)
    if (result) kept[key] = result
  }
  return kept
}

/** A node's children as a set of their own. */
export function below(node: FieldSet): FieldSet {
  if (!(SELF in node)) return node
  const { [SELF]: _, ...children } = node
  return children
}

/** Calls `visit` with the elements down to every member. */
export function eachPath(set: FieldSet, visit: (path: readonly string[]) => void, path: string[] = []): void {
  for (const key of Object.keys(set).sort()) {
    if (key === SELF) continue
    path.push(key)
    const node = set[key]!
    if (isMember(node)) visit(path)
    eachPath(below(node), visit, path)
    path.pop()
  }
}

/** A path as conflicts name it: `.spec.containers[name="c"].image`. */
export function formatPath(path: readonly string[]): string {
  return path.map(formatElement).join('')
}

function formatElement(element: string): string {
  const kind = element.slice(0, 2)
  const rest = element.slice(2)
  if (kind === 'f:') return `.${rest}`
  if (kind === 'v:') return `[=${rest}]`
  if (kind === 'i:') return `[${rest}]`
  const keys = JSON.parse(rest) as Record<string, unknown>
  const pairs = Object.keys(keys).sort()
  return `[${pairs.map((key) => `${key}=${JSON.stringify(keys[key])}`).join(',')}]`
}

/** How many different sets are kept for sharing. Objects made from one template have the same. */
const MAX_INTERNED = 4096
const interned = new Map<string, FieldSet>()
const known = new WeakSet<FieldSet>()

/** One shared copy of equal sets: thousands of pods own the same fields. */
export function intern(set: FieldSet): FieldSet {
  if (known.has(set)) return set
  const text = JSON.stringify(set)
  const shared = interned.get(text)
  if (shared) return shared
  if (interned.size >= MAX_INTERNED) interned.clear()
  interned.set(text, set)
  known.add(set)
  return set
}
