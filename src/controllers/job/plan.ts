/** One step of a Job: what to create, delete and count, and the status that says so. Pure. */
import type { Job, JobCondition, JobStatus, Pod } from '../../api/types.ts'
import { isActive, isReady, isTerminating, timeMs } from '../parts/pods.ts'
import { pickPodsToDelete } from '../replicas/rank.ts'
import { deadlineMs, type Outcome, outcomeOf } from './outcome.ts'
import { endedMs, hasFailed, hasSucceeded, indexOf, isIndexed, replacesOnlyFailed } from './pods.ts'
import { failuresBefore, isOver, type Tally, tallyPods, tallyStatus } from './tally.ts'

/** Pods created in one step. */
const MAX_CREATED = 500
const BACKOFF_INITIAL_MS = 10_000
const BACKOFF_MAX_MS = 600_000

interface JobObserved {
  job: Job
  pods: readonly Pod[]
  /** Uids whose finalizer was removed, though the cache may still show it. */
  released: ReadonlySet<string>
  nowMs: number
  now: string
}

export interface PodToCreate {
  /** The completion index, for an indexed Job. */
  index?: number
  /** How often the index failed before. */
  failures?: number
}

export interface JobPlan {
  create: PodToCreate[]
  /** Not needed any more: these do not count as failures. */
  drop: Pod[]
  /** To be stopped because the Job's end is decided: these count. */
  stop: Pod[]
  /** May lose their finalizer once `status` is stored. */
  release: Pod[]
  status: JobStatus
  /** The status once `release` is done. */
  statusAfter: JobStatus
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[]
  nextLookMs: number | undefined
}

export function planJob(observed: JobObserved): JobPlan {
  const { job, nowMs } = observed
  const tally = tallyPods(job, observed.pods, observed.released)
  const active = observed.pods.filter((pod) => isActive(pod))
  const plan: JobPlan = {
    ...{ create: [], drop: [], stop: [], release: tally.release, events: [] },
    ...{ status: {}, statusAfter: {}, nextLookMs: undefined },
  }
  const settled = isOver(job)
  const outcome = settled ? undefined : outcomeOf(job, tally, active, nowMs)
  const suspended = job.spec?.suspend === true
  const startMs = suspended ? undefined : (timeMs(job.status?.startTime) ?? nowMs)
  if (settled || outcome) plan.stop = settled && job.metadata.deletionTimestamp !== undefined ? [] : active
  else if (suspended) plan.drop = active
  else planPods(observed, tally, active, plan)

  const conditions = conditionsAfter(observed, outcome, plan)
  const base = statusBase(observed, plan, conditions, startMs)
  const listed = tally.uncounted
  plan.status = { ...base, ...tallyStatus(job, tally, listed) }
  plan.statusAfter = conclude(observed, tally, { ...base, ...tallyStatus(job, tally, {}) }, plan)
  plan.nextLookMs = nextLook(plan.nextLookMs, { ...job, status: plan.statusAfter }, tally, nowMs)
  return plan
}

/** How many pods should run now, and which. */
function planPods({ job, pods, nowMs }: JobObserved, tally: Tally, active: readonly Pod[], plan: JobPlan): void {
  const { parallelism = 1, completions } = job.spec ?? {}
  const done = isIndexed(job) ? tally.completedIndexes.size + tally.failedIndexes.size : tally.succeeded
  const needed = completions === undefined ? (done > 0 ? active.length : parallelism) : Math.max(0, completions - done)
  const wanted = Math.min(parallelism, needed)
  const terminating = replacesOnlyFailed(job) ? pods.filter(isTerminating).length : 0
  if (active.length > wanted) {
    plan.drop = pickPodsToDelete(active, active, active.length - wanted, nowMs)
    return
  }
  const count = Math.min(MAX_CREATED, wanted - active.length - terminating)
  if (count <= 0) return
  const waitMs = backoffMs(job, pods, nowMs)
  if (waitMs > 0) {
    plan.nextLookMs = waitMs
    return
  }
  plan.create = isIndexed(job) ? nextIndexes(job, pods, tally, active, count) : Array.from({ length: count }, () => ({}))
}

/** After a failure the next try waits, twice as long each time, until one succeeds. */
function backoffMs(job: Job, pods: readonly Pod[], nowMs: number): number {
  const successMs = Math.max(0, ...pods.filter(hasSucceeded).map((pod) => endedMs(pod, nowMs)))
  const failures = pods
    .filter((pod) => hasFailed(pod, job) && pod.metadata.deletionTimestamp === undefined)
    .map((pod) => endedMs(pod, nowMs))
    .filter((endMs) => endMs > successMs)
  if (failures.length === 0) return 0
  const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** (failures.length - 1))
  return Math.max(...failures) + delayMs - nowMs
}

function nextIndexes(job: Job, pods: readonly Pod[], tally: Tally, active: readonly Pod[], count: number): PodToCreate[] {
  const taken = new Set<number | undefined>(active.map(indexOf))
  if (replacesOnlyFailed(job)) for (const pod of pods.filter(isTerminating)) taken.add(indexOf(pod))
  const next: PodToCreate[] = []
  for (let index = 0; index < (job.spec?.completions ?? 0) && next.length < count; index++) {
    if (taken.has(index) || tally.completedIndexes.has(index) || tally.failedIndexes.has(index)) continue
    const failed = pods.filter((pod) => indexOf(pod) === index && hasFailed(pod, job)).map((pod) => failuresBefore(pod) + 1)
    next.push({ index, ...(job.spec?.backoffLimitPerIndex !== undefined && { failures: Math.max(0, ...failed) }) })
  }
  return next
}

function conditionsAfter({ job, now }: JobObserved, outcome: Outcome | undefined, plan: JobPlan): JobCondition[] {
  let conditions = [...(job.status?.conditions ?? [])]
  if (outcome) return withCondition(conditions, outcome.type, 'True', outcome.reason, outcome.message, now)
  if (isOver(job)) return conditions
  const known = conditions.find(({ type }) => type === 'Suspended')?.status === 'True'
  if (job.spec?.suspend && !known) {
    conditions = withCondition(conditions, 'Suspended', 'True', 'JobSuspended', 'Job suspended', now)
    plan.events.push({ type: 'Normal', reason: 'Suspended', message: 'Job suspended' })
  } else if (!job.spec?.suspend && known) {
    conditions = withCondition(conditions, 'Suspended', 'False', 'JobResumed', 'Job resumed', now)
    plan.events.push({ type: 'Normal', reason: 'Resumed', message: 'Job resumed' })
  }
  return conditions
}

function withCondition(
  conditions: readonly JobCondition[],
  type: string,
  status: string,
  reason: string | undefined,
  message: string | undefined,
  now: string,
): JobCondition[] {
  const rest = conditions.filter((one) => one.type !== type)
  return [...rest, { type, status, reason, message, lastProbeTime: now, lastTransitionTime: now }]
}

/** What does not depend on the count. A Job that is resumed starts anew. */
function statusBase(
  { job, pods }: JobObserved,
  plan: JobPlan,
  conditions: JobCondition[],
  startMs: number | undefined,
): JobStatus {
  const leaving = new Set([...plan.drop, ...plan.stop])
  const active = pods.filter((pod) => isActive(pod) && !leaving.has(pod))
  const count = active.length + plan.create.length
  const { startTime, completionTime } = job.status ?? {}
  const began = startMs === undefined ? undefined : (startTime ?? `${new Date(startMs).toISOString().slice(0, 19)}Z`)
  return {
    ...(conditions.length > 0 && { conditions }),
    ...(began && { startTime: began }),
    ...(completionTime && { completionTime }),
    ...(count > 0 && { active: count }),
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length + leaving.size,
  }
}

/** Once all pods have ended and are counted, the decided end becomes the Job's condition. */
function conclude({ job, pods, now }: JobObserved, tally: Tally, status: JobStatus, plan: JobPlan): JobStatus {
  const conditions = status.conditions ?? []
  const has = (type: string) => conditions.find((one) => one.type === type && one.status === 'True')
  const decided = has('SuccessCriteriaMet') ?? has('FailureTarget')
  const running = pods.some((pod) => isActive(pod) || isTerminating(pod))
  if (!decided || has('Complete') || has('Failed') || running || tally.more || job.metadata.deletionTimestamp !== undefined)
    return status
  const succeeded = decided.type === 'SuccessCriteriaMet'
  plan.events.push(
    succeeded
      ? { type: 'Normal', reason: 'Completed', message: 'Job completed' }
      : { type: 'Warning', reason: decided.reason ?? 'Failed', message: decided.message ?? '' },
  )
  return {
    ...status,
    conditions: withCondition(conditions, succeeded ? 'Complete' : 'Failed', 'True', decided.reason, decided.message, now),
    ...(succeeded && { completionTime: now }),
  }
}

function nextLook(soonMs: number | undefined, job: Job, tally: Tally, nowMs: number): number | undefined {
  if (tally.more) return 0
  if (isOver(job)) return undefined
  const endMs = deadlineMs(job)
  if (endMs === undefined) return soonMs
  return Math.min(soonMs ?? Number.POSITIVE_INFINITY, Math.max(0, endMs - nowMs))
}
