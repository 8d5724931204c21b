/** Taints that follow from a node's conditions, and how long pods put up with them. Pure. */
import type { Node, Pod, Taint, Toleration } from '../../api/types.ts'
import { sameJson } from '../parts/json.ts'
import { timeMs } from '../parts/pods.ts'

const NOT_READY = 'node.kubernetes.io/not-ready'
const UNREACHABLE = 'node.kubernetes.io/unreachable'
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'
/** Conditions that keep new pods away while they hold. */
const PRESSURES: Record<string, string> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
}
/** Taints this controller owns, by effect: others on a node are left alone. */
const OWNED: Record<string, ReadonlySet<string>> = {
  NoSchedule: new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURES)]),
  NoExecute: new Set([NOT_READY, UNREACHABLE]),
}

/** `True`, `False`, `Unknown`, or undefined for a node that never said. */
export function readyStatus(node: Node): string | undefined {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status
}

/**
 * The node's taints as its conditions want them. `evict: false` leaves out those that drive pods away: when no node at all is
 * ready, it is more likely that this program was asleep than that all are lost.
 */
export function taintsFor(node: Node, options: { evict: boolean; now: string }): Taint[] {
  const wanted: { key: string; effect: string }[] = []
  const ready = readyStatus(node)
  // A node that has not reported yet is not lost: it is kept free, not emptied.
  const reported = ready !== undefined
  const lost = ready === 'True' ? undefined : ready === 'Unknown' ? UNREACHABLE : NOT_READY
  if (lost) wanted.push({ key: lost, effect: 'NoSchedule' })
  if (lost && reported && options.evict) wanted.push({ key: lost, effect: 'NoExecute' })
  for (const { type, status } of node.status?.conditions ?? []) {
    const key = PRESSURES[type]
    if (key && status === 'True') wanted.push({ key, effect: 'NoSchedule' })
  }
  if (node.spec?.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' })

  const isWanted = (taint: Taint) => wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect)
  const kept = (node.spec?.taints ?? []).filter((taint) => !OWNED[taint.effect]?.has(taint.key) || isWanted(taint))
  const missing = wanted.filter(({ key, effect }) => !kept.some((taint) => taint.key === key && taint.effect === effect))
  return [...kept, ...missing.map((taint) => ({ ...taint, timeAdded: options.now }))]
}

export function sameTaints(node: Node, taints: readonly Taint[]): boolean {
  return sameJson(node.spec?.taints ?? [], taints)
}

/** When a pod has to leave its node: `never`, or milliseconds since the epoch (the past means now). */
export function evictionTime(pod: Pod, node: Node, nowMs: number): number | 'never' {
  let earliest: number | 'never' = 'never'
  for (const taint of node.spec?.taints ?? []) {
    if (taint.effect !== 'NoExecute') continue
    const seconds = toleratedSeconds(pod.spec?.tolerations ?? [], taint)
    if (seconds === 'always') continue
    const since = timeMs(taint.timeAdded) ?? nowMs
    const leave = since + seconds * 1000
    if (earliest === 'never' || leave < earliest) earliest = leave
  }
  return earliest
}

/** The shortest time any matching toleration gives; none gives no time at all. */
function toleratedSeconds(tolerations: readonly Toleration[], taint: Taint): number | 'always' {
  let seconds: number | 'always' | undefined
  for (const toleration of tolerations) {
    if (!tolerates(toleration, taint)) continue
    const given = toleration.tolerationSeconds
    if (given === undefined) seconds ??= 'always'
    else seconds = seconds === undefined || seconds === 'always' ? Math.max(0, given) : Math.min(seconds, Math.max(0, given))
  }
  return seconds ?? 0
}

/** As Kubernetes matches them: an empty key with Exists is every taint, an empty effect every effect. */
export function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false
  if (key && key !== taint.key) return false
  switch (operator || 'Equal') {
    case 'Exists':
      return true
    case 'Equal':
      return Boolean(key) && (value ?? '') === (taint.value ?? '')
    case 'Lt':
    case 'Gt':
      return Boolean(key) && comparesAs(operator as 'Lt' | 'Gt', value, taint.value)
    default:
      return false
  }
}

/** Numeric tolerations: the taint's value must be less, or greater, than the toleration's. */
function comparesAs(operator: 'Lt' | 'Gt', tolerated: string | undefined, tainted: string | undefined): boolean {
  const [limit, actual] = [Number(tolerated ?? Number.NaN), Number(tainted ?? Number.NaN)]
  return operator === 'Lt' ? actual < limit : actual > limit
}
