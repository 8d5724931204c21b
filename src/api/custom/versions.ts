/** The order of versions: `v2`, `v1`, `v2beta1`, `v1beta2`, `v1alpha1`, then whatever else, by name. */

const PATTERN = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/
const STAGES: Record<string, number> = { alpha: 1, beta: 2 }

/** Negative when `a` comes first: it is the more stable or the newer one. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [PATTERN.exec(a), PATTERN.exec(b)]
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0
  const stage = (match: RegExpExecArray) => STAGES[match[2] ?? ''] ?? 3
  return stage(right) - stage(left) || Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0)
}
