/** Taints and tolerations. */
import type { Node, Pod, Taint, Toleration } from '../api/types.ts'

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  if (!toleration.key && toleration.operator !== 'Exists') return false
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '')
}

/** The first taint with one of the effects that the pod does not tolerate. */
export function untoleratedTaint(pod: Pod, node: Node, effects: readonly string[]): Taint | undefined {
  const tolerations = pod.spec?.tolerations ?? []
  return taintsOf(node).find((taint) => effects.includes(taint.effect) && !tolerations.some((t) => tolerates(t, taint)))
}

/** Cordoned nodes count as tainted, whether or not the taint has been written yet. */
function taintsOf(node: Node): readonly Taint[] {
  const taints = node.spec?.taints ?? []
  const key = 'node.kubernetes.io/unschedulable'
  return node.spec?.unschedulable && !taints.some((t) => t.key === key) ? [...taints, { key, effect: 'NoSchedule' }] : taints
}
