/** What a Job sees in its pods. Pure. */
import type { Job, Pod } from '../../api/types.ts'
import { conditionOf, timeMs } from '../parts/pods.ts'

/** Keeps a finished pod until it has been counted. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'
export const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index'
/** How often pods of this index failed before this one. */
export const FAILURES_ANNOTATION = 'batch.kubernetes.io/job-index-failure-count'

export function isTracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false
}

export function isIndexed(job: Job): boolean {
  return job.spec?.completionMode === 'Indexed'
}

export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[INDEX_ANNOTATION]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Under the policy `Failed`, a pod on its way out is replaced only once it has really ended. */
export function replacesOnlyFailed(job: Job): boolean {
  return job.spec?.podReplacementPolicy === 'Failed'
}

export function hasFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true
  if (pod.metadata.deletionTimestamp === undefined || pod.status?.phase === 'Succeeded') return false
  // A pending pod that is deleted will never run.
  return replacesOnlyFailed(job) ? (pod.status?.phase ?? 'Pending') === 'Pending' : true
}

export function hasSucceeded(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded'
}

/** When the pod ended, as well as it can be told. */
export function endedMs(pod: Pod, nowMs: number): number {
  let ended: number | undefined
  for (const { state } of pod.status?.containerStatuses ?? []) {
    const finished = timeMs(state?.terminated?.finishedAt)
    if (finished !== undefined) ended = Math.max(ended ?? 0, finished)
  }
  return ended ?? timeMs(conditionOf(pod, 'Ready')?.lastTransitionTime) ?? timeMs(pod.metadata.deletionTimestamp) ?? nowMs
}
