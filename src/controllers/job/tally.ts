/**
 * Counts a Job's finished pods exactly once, whatever is deleted meanwhile: a finished pod is first listed as uncounted in the
 * status, then loses its finalizer, and only then moves into the count. Pure.
 */
import type { Job, Pod, UncountedTerminatedPods } from '../../api/types.ts'
import { judgeFailure } from './failure-policy.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'
import { FAILURES_ANNOTATION, hasFailed, hasSucceeded, indexOf, isIndexed, isTracked } from './pods.ts'

/** Pods taken up in one step: their uids are written into the status. */
const MAX_UNCOUNTED = 500

export interface Tally {
  /** Counted, those of the list included. */
  succeeded: number
  failed: number
  uncounted: { succeeded: string[]; failed: string[] }
  /** Pods that may lose their finalizer once the status is stored. */
  release: Pod[]
  completedIndexes: Set<number>
  failedIndexes: Set<number>
  /** The message of a rule that fails the whole Job. */
  failJob: string | undefined
  /** More pods have finished than one step takes up. */
  more: boolean
}

/** `released`: uids whose finalizer this controller has removed, though the cache may still show it. */
export function tallyPods(job: Job, pods: readonly Pod[], released: ReadonlySet<string>): Tally {
  const tally = startTally(job, pods, released)
  const ended = isOver(job)
  for (const pod of pods) {
    const uid = pod.metadata.uid ?? ''
    const tracked = isTracked(pod) && !released.has(uid)
    const listed = tally.uncounted.succeeded.includes(uid) || tally.uncounted.failed.includes(uid)
    if (!tracked) continue
    if (listed) tally.release.push(pod)
    else if (hasSucceeded(pod)) takeSucceeded(job, pod, uid, tally)
    else if (hasFailed(pod, job) || (ended && pod.metadata.deletionTimestamp !== undefined)) takeFailed(job, pod, uid, tally)
  }
  return tally
}

/** Those listed whose finalizer is gone are counted. */
function startTally(job: Job, pods: readonly Pod[], released: ReadonlySet<string>): Tally {
  const { succeeded = 0, failed = 0, uncountedTerminatedPods: listed = {} } = job.status ?? {}
  const waiting = new Set(
    pods.filter((pod) => isTracked(pod) && !released.has(pod.metadata.uid ?? '')).map(({ metadata }) => metadata.uid),
  )
  const still = (uids: string[] | undefined) => (uids ?? []).filter((uid) => waiting.has(uid))
  return {
    succeeded: succeeded + (listed.succeeded ?? []).length,
    failed: failed + (listed.failed ?? []).length,
    uncounted: { succeeded: still(listed.succeeded), failed: still(listed.failed) },
    release: [],
    completedIndexes: parseIndexes(job.status?.completedIndexes),
    failedIndexes: parseIndexes(job.status?.failedIndexes),
    failJob: undefined,
    more: false,
  }
}

function takeSucceeded(job: Job, pod: Pod, uid: string, tally: Tally): void {
  if (isFull(tally)) return
  tally.release.push(pod)
  if (isIndexed(job)) {
    const index = indexOf(pod)
    // An index counts once, and only if the Job still has it.
    if (index === undefined || index >= (job.spec?.completions ?? 0) || tally.completedIndexes.has(index)) return
    tally.completedIndexes.add(index)
  }
  tally.succeeded += 1
  tally.uncounted.succeeded.push(uid)
}

function takeFailed(job: Job, pod: Pod, uid: string, tally: Tally): void {
  if (isFull(tally)) return
  const verdict = judgeFailure(job.spec?.podFailurePolicy, pod)
  tally.release.push(pod)
  if (verdict.action === 'FailJob') tally.failJob ??= verdict.message
  noteFailedIndex(job, pod, verdict.action, tally)
  if (verdict.action === 'Ignore') return
  tally.failed += 1
  tally.uncounted.failed.push(uid)
}

function noteFailedIndex(job: Job, pod: Pod, action: string, tally: Tally): void {
  const limit = job.spec?.backoffLimitPerIndex
  const index = indexOf(pod)
  if (limit === undefined || index === undefined || action === 'Ignore' || tally.completedIndexes.has(index)) return
  if (action === 'FailIndex' || failuresBefore(pod) + 1 > limit) tally.failedIndexes.add(index)
}

export function failuresBefore(pod: Pod): number {
  return Number(pod.metadata.annotations?.[FAILURES_ANNOTATION] ?? 0) || 0
}

function isFull(tally: Tally): boolean {
  const { succeeded, failed } = tally.uncounted
  if (succeeded.length + failed.length < MAX_UNCOUNTED) return false
  tally.more = true
  return true
}

/** The Job's end has been decided, or the Job is being deleted. */
export function isOver(job: Job): boolean {
  const ends = ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet']
  return (
    job.metadata.deletionTimestamp !== undefined ||
    (job.status?.conditions ?? []).some(({ type, status }) => status === 'True' && ends.includes(type))
  )
}

/** The tally as status fields. `uncounted` is empty once everything listed was released. */
export function tallyStatus(
  job: Job,
  tally: Tally,
  uncounted: UncountedTerminatedPods,
): {
  succeeded?: number
  failed?: number
  completedIndexes?: string
  failedIndexes?: string
  uncountedTerminatedPods: UncountedTerminatedPods
} {
  const [listedSucceeded, listedFailed] = [uncounted.succeeded ?? [], uncounted.failed ?? []]
  const succeeded = tally.succeeded - listedSucceeded.length
  const failed = tally.failed - listedFailed.length
  return {
    ...(succeeded > 0 && { succeeded }),
    ...(failed > 0 && { failed }),
    ...(isIndexed(job) && tally.completedIndexes.size > 0 && { completedIndexes: formatIndexes(tally.completedIndexes) }),
    ...(job.spec?.backoffLimitPerIndex !== undefined && { failedIndexes: formatIndexes(tally.failedIndexes) }),
    uncountedTerminatedPods: {
      ...(listedSucceeded.length > 0 && { succeeded: listedSucceeded }),
      ...(listedFailed.length > 0 && { failed: listedFailed }),
    },
  }
}
