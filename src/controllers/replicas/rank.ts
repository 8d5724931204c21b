/**
 * Which pods to lose first when there are too many, in the order Kubernetes documents: unassigned, pending, not ready, cheap to
 * delete, doubled up on a node, ready for a short time, often restarted, young. Pure.
 */
import type { Pod } from '../../api/types.ts'
import { mostRestarts, readySinceMs, timeMs } from '../parts/pods.ts'

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const PHASE_RANK: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 }

/** Everything the order depends on, read once per pod. Compared from the first to the last; smaller goes first. */
interface Standing {
  pod: Pod
  keys: readonly number[]
}

/**
 * The `count` pods to delete. `related` are the pods that share the work (those of all ReplicaSets of a Deployment): a node that
 * runs many of them can spare one most easily.
 */
export function pickPodsToDelete(pods: readonly Pod[], related: readonly Pod[], count: number, nowMs: number): Pod[] {
  if (count >= pods.length) return [...pods]
  const onNode = new Map<string, number>()
  for (const pod of related) {
    const node = pod.spec?.nodeName
    if (node) onNode.set(node, (onNode.get(node) ?? 0) + 1)
  }
  const standings = pods.map((pod) => standingOf(pod, onNode, nowMs))
  standings.sort(compareStandings)
  return standings.slice(0, count).map(({ pod }) => pod)
}

function standingOf(pod: Pod, onNode: ReadonlyMap<string, number>, nowMs: number): Standing {
  const node = pod.spec?.nodeName
  const readyAt = readySinceMs(pod)
  return {
    pod,
    keys: [
      node ? 1 : 0,
      PHASE_RANK[pod.status?.phase ?? 'Pending'] ?? 1,
      readyAt === undefined ? 0 : 1,
      deletionCost(pod),
      -((node && onNode.get(node)) || 0),
      ageClass(readyAt, nowMs),
      -mostRestarts(pod),
      ageClass(timeMs(pod.metadata.creationTimestamp), nowMs),
    ],
  }
}

/** Ages are compared by order of magnitude, so that among pods of about one age chance (the uid) picks, not the second of their start. */
function ageClass(sinceMs: number | undefined, nowMs: number): number {
  if (sinceMs === undefined) return -1
  const seconds = Math.floor((nowMs - sinceMs) / 1000)
  return seconds <= 0 ? 0 : Math.floor(Math.log2(seconds)) + 1
}

/** An unreadable cost counts as none: the API server has refused it where it validates. */
function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST]
  return text !== undefined && /^(0|[+-]?[1-9][0-9]*)$/.test(text) ? Number(text) : 0
}

function compareStandings(a: Standing, b: Standing): number {
  for (let i = 0; i < a.keys.length; i++) {
    const difference = (a.keys[i] ?? 0) - (b.keys[i] ?? 0)
    if (difference !== 0) return difference
  }
  const [left = '', right = ''] = [a.pod.metadata.uid, b.pod.metadata.uid]
  return left < right ? -1 : left > right ? 1 : 0
}
