/**
 * Who wrote what of an object, from its managedFields and from what `kubectl apply` noted of the manifest. What was applied is known
 * exactly. Who creates or updates comes to own what the server filled in as well: that part is only known to hold what was written.
 */
import type { KubeObject, ManagedFieldsEntry } from '../../api/object.ts'

/** A set of fields as managedFields have it: `f:name`, `k:{…}` and `v:…` lead further, `.` is the value itself, `{}` a leaf. */
export type Fields = { readonly [element: string]: Fields }

/** What is claimed of one value. */
export interface Claims {
  /** Written like this, defaults or not. */
  readonly exact: readonly Fields[]
  /** Written, or filled in for who wrote the rest. */
  readonly loose: readonly Fields[]
  /** What was applied here, in values; undefined when nothing was. */
  readonly applied: unknown
}

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Parts of a control plane: what they write, nobody wrote. A client without a name is one of them. */
const SYSTEM =
  /^(kube-controller-manager|kube-scheduler|kube-apiserver|kubelet|cloud-controller-manager|clusterrole-aggregation-controller|.*-controller|horizontal-pod-autoscaler|unknown|ancient-changes)$/
/** An update through one of these changes what was written. */
const WRITTEN_THROUGH = new Set(['', 'scale', 'resize', 'ephemeralcontainers'])

/** Undefined when the object does not say who wrote it. */
export function claimsOf({ metadata }: KubeObject): Claims | undefined {
  const entries = (metadata.managedFields ?? []).filter(
    ({ subresource = '', fieldsV1 }) => fieldsV1 !== undefined && WRITTEN_THROUGH.has(subresource),
  )
  const applied = lastApplied(metadata.annotations?.[LAST_APPLIED])
  const byPeople = entries.filter(({ manager = '' }) => !SYSTEM.test(manager))
  // What a controller made, it wrote.
  const writers = byPeople.length > 0 ? byPeople : entries
  if (writers.length === 0) return undefined
  const fieldsOf = (operation: string) =>
    writers.filter((entry: ManagedFieldsEntry) => entry.operation === operation).map(({ fieldsV1 }) => fieldsV1 as Fields)
  return { exact: fieldsOf('Apply'), loose: fieldsOf('Update'), applied }
}

/** An annotation that is not what it should be says nothing. */
function lastApplied(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isClaimed({ exact, loose, applied }: Claims): boolean {
  return exact.length > 0 || loose.length > 0 || applied !== undefined
}

/** Whether what is there was written like this, and not filled in. */
export function isExact({ exact, applied }: Claims): boolean {
  return exact.length > 0 || applied !== undefined
}

/** Of what is claimed of a struct or map, what is of one member. */
export function claimsOfMember({ exact, loose, applied }: Claims, name: string): Claims {
  const step = (all: readonly Fields[]) => all.flatMap((fields) => fields[`f:${name}`] ?? [])
  const member = typeof applied === 'object' && applied !== null ? (applied as Record<string, unknown>)[name] : undefined
  return { exact: step(exact), loose: step(loose), applied: member }
}

/** Of what is claimed of a list that is a map by `keys`, or a set, what is of one element. */
export function claimsOfElement({ exact, loose, applied }: Claims, element: unknown, keys: readonly string[]): Claims {
  const step = (all: readonly Fields[]) => all.flatMap((fields) => elementOf(fields, element))
  const same = (other: unknown) =>
    keys.length === 0 ? other === element : keys.every((key) => isAlike(member(other, key), member(element, key)))
  return { exact: step(exact), loose: step(loose), applied: Array.isArray(applied) ? applied.find(same) : undefined }
}

function elementOf(fields: Fields, element: unknown): Fields[] {
  return Object.entries(fields).flatMap(([name, inner]) => {
    if (name.startsWith('v:')) return JSON.parse(name.slice(2)) === element ? [inner] : []
    if (!name.startsWith('k:')) return []
    const keys = Object.entries(JSON.parse(name.slice(2)) as Record<string, unknown>)
    return keys.every(([key, value]) => member(element, key) === value) ? [inner] : []
  })
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

/** A key that was left out has its default in what the server has. */
function isAlike(applied: unknown, stored: unknown): boolean {
  return applied === undefined || applied === stored
}
