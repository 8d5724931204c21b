/** What a pod's status says, as controllers ask it. Pure. */
import type { Pod, PodCondition } from '../../api/types.ts'

export function conditionOf(pod: Pod, type: string): PodCondition | undefined {
  const conditions = pod.status?.conditions
  if (conditions) for (const condition of conditions) if (condition.type === type) return condition
  return undefined
}

export function isTerminal(pod: Pod): boolean {
  const phase = pod.status?.phase
  return phase === 'Succeeded' || phase === 'Failed'
}

/** Not finished and not on its way out: what counts as a replica. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined
}

/** On its way out, still running. */
export function isTerminating(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod, 'Ready')?.status === 'True'
}

/** Milliseconds since the epoch at which the pod last became ready; undefined when it is not, or does not say. */
export function readySinceMs(pod: Pod): number | undefined {
  const ready = conditionOf(pod, 'Ready')
  return ready?.status === 'True' ? timeMs(ready.lastTransitionTime) : undefined
}

/** Ready for at least `minReadySeconds`: 0 is available, more is the time until then, undefined is not ready. */
export function msUntilAvailable(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  if (!isReady(pod)) return undefined
  if (minReadySeconds <= 0) return 0
  const since = readySinceMs(pod)
  return since === undefined ? undefined : Math.max(0, since + minReadySeconds * 1000 - nowMs)
}

/** A wire time as milliseconds since the epoch; undefined for an absent or unreadable one. */
export function timeMs(time: string | undefined): number | undefined {
  if (!time) return undefined
  const parsed = Date.parse(time)
  return Number.isNaN(parsed) ? undefined : parsed
}

/** The most restarts any of its containers had. */
export function mostRestarts(pod: Pod): number {
  let most = 0
  for (const status of pod.status?.containerStatuses ?? []) most = Math.max(most, status.restartCount)
  for (const status of pod.status?.initContainerStatuses ?? []) most = Math.max(most, status.restartCount)
  return most
}
