/** The strategic merge patch that turns one pod status into another; conditions of others are not touched. Pure. */
import type { PodCondition, PodStatus } from '../../api/types.ts'

/** `undefined` when there is nothing to change. Fields the node knows nothing of stay as they are. */
export function statusPatch(before: PodStatus, after: PodStatus): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(after)) {
    const old = before[field as keyof PodStatus]
    if (value === undefined || same(old, value)) continue
    patch[field] = field === 'conditions' ? changedConditions(before.conditions, value as PodCondition[]) : value
    if (field === 'podIPs' || field === 'hostIPs')
      patch[field] = replaced(old as { ip: string }[] | undefined, value as { ip: string }[])
  }
  if (Array.isArray(patch.conditions) && patch.conditions.length === 0) delete patch.conditions
  return Object.keys(patch).length > 0 ? patch : undefined
}

function changedConditions(
  before: readonly PodCondition[] | undefined,
  after: readonly PodCondition[],
): Record<string, unknown>[] {
  const changed: Record<string, unknown>[] = []
  for (const wanted of after) {
    const old = before?.find((c) => c.type === wanted.type)
    const condition = sinceBefore(wanted, old)
    if (same(old, condition)) continue
    // Merging keeps what is not named, so what fell away is named as null.
    const gone = Object.keys(old ?? {}).filter((key) => !(key in condition) && key !== 'lastProbeTime')
    changed.push({ ...condition, ...Object.fromEntries(gone.map((key) => [key, null])) })
  }
  return changed
}

/**
 * A condition that is as it was has been so since then. What is wanted may have been decided before an own write came back, in
 * another second: written as it is, two answers could replace each other for ever.
 */
function sinceBefore(wanted: PodCondition, old: PodCondition | undefined): PodCondition {
  if (old?.status !== wanted.status || !old.lastTransitionTime) return wanted
  return { ...wanted, lastTransitionTime: old.lastTransitionTime }
}

/** Addresses are merged by their `ip`: those that are no more are deleted by name. */
function replaced(before: readonly { ip: string }[] | undefined, after: readonly { ip: string }[]): object[] {
  const gone = (before ?? []).filter((old) => !after.some(({ ip }) => ip === old.ip))
  return [...after, ...gone.map(({ ip }) => ({ ip, $patch: 'delete' }))]
}

/** Equal as the API sees it: what is null or undefined is not there. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? undefined) === (b ?? undefined)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  for (const key in left) if (!same(left[key], right[key])) return false
  for (const key in right) if (!(key in left) && (right[key] ?? undefined) !== undefined) return false
  return true
}
