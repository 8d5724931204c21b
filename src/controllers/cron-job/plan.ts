/** One step of a CronJob: whether a Job is due, what its concurrency policy allows, and which old Jobs go. Pure. */
import type { CronJob, CronJobStatus, Job } from '../../api/types.ts'
import { cronJobs, jobs as jobResource } from '../../client/resources.ts'
import { copyOf } from '../parts/json.ts'
import { apiVersionOf, controllerReference } from '../parts/owners.ts'
import { timeMs } from '../parts/pods.ts'
import type { Schedule } from './schedule.ts'

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
/** Leaves room for the number that is put behind the name. */
const MAX_NAME_LENGTH = 52

export interface CronPlan {
  create: Job | undefined
  remove: Job[]
  status: CronJobStatus
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[]
  nextLookMs: number | undefined
}

/** `jobs` are those it controls. */
export function planCronJob(cronJob: CronJob, jobs: readonly Job[], schedule: Schedule, nowMs: number): CronPlan {
  const plan: CronPlan = { create: undefined, remove: [], status: {}, events: [], nextLookMs: undefined }
  const running = jobs.filter((job) => !endOf(job))
  noteEnded(cronJob, jobs, plan)
  plan.remove.push(...historyToDrop(cronJob, jobs))
  const stays = running.filter((job) => job.metadata.deletionTimestamp === undefined)
  let active = stays
  let { lastScheduleTime } = cronJob.status ?? {}
  if (cronJob.metadata.deletionTimestamp === undefined && !cronJob.spec?.suspend) {
    const nextMs = schedule.next(nowMs)
    plan.nextLookMs = nextMs === undefined ? undefined : nextMs - nowMs
    const dueMs = dueTime(cronJob, schedule, nowMs, plan)
    if (dueMs !== undefined && mayStart(cronJob, active, plan)) {
      if (cronJob.spec?.concurrencyPolicy === 'Replace') {
        plan.remove.push(...active)
        active = []
      }
      plan.create = jobOf(cronJob, dueMs)
      lastScheduleTime = wireTime(dueMs)
    }
  }
  plan.status = statusOf(cronJob, jobs, active, lastScheduleTime)
  return plan
}

/** `Complete`, `Failed`, or undefined while it runs. */
function endOf(job: Job): string | undefined {
  return job.status?.conditions?.find(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'))?.type
}

function noteEnded(cronJob: CronJob, jobs: readonly Job[], plan: CronPlan): void {
  for (const { name, uid } of cronJob.status?.active ?? []) {
    const job = jobs.find(({ metadata }) => metadata.uid === uid)
    const end = job && endOf(job)
    if (end)
      plan.events.push({ type: 'Normal', reason: 'SawCompletedJob', message: `Saw completed job: ${name}, condition: ${end}` })
    else if (!job) plan.events.push({ type: 'Normal', reason: 'MissingJob', message: `Active job went missing: ${name}` })
  }
}

/** Ended Jobs beyond the limits, oldest first. */
function historyToDrop(cronJob: CronJob, jobs: readonly Job[]): Job[] {
  const limits = { Complete: cronJob.spec?.successfulJobsHistoryLimit ?? 3, Failed: cronJob.spec?.failedJobsHistoryLimit ?? 1 }
  return (['Complete', 'Failed'] as const).flatMap((end) => {
    const ended = jobs.filter((job) => endOf(job) === end && job.metadata.deletionTimestamp === undefined)
    ended.sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1))
    return ended.slice(0, Math.max(0, ended.length - limits[end]))
  })
}

function startOf(job: Job): string {
  return `${job.status?.startTime ?? job.metadata.creationTimestamp ?? ''} ${job.metadata.name}`
}

/** The last time that is due and was not started yet. */
function dueTime(cronJob: CronJob, schedule: Schedule, nowMs: number, plan: CronPlan): number | undefined {
  const sinceMs = timeMs(cronJob.status?.lastScheduleTime) ?? timeMs(cronJob.metadata.creationTimestamp) ?? nowMs
  const deadline = cronJob.spec?.startingDeadlineSeconds
  const afterMs = deadline === undefined ? sinceMs : Math.max(sinceMs, nowMs - deadline * 1000)
  const { dueMs, missedMany } = schedule.last(afterMs, nowMs)
  if (missedMany) {
    const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'
    plan.events.push({ type: 'Warning', reason: 'TooManyMissedTimes', message })
  }
  if (dueMs === undefined && deadline !== undefined && afterMs > sinceMs) {
    const missed = schedule.last(sinceMs, nowMs).dueMs
    if (missed !== undefined)
      plan.events.push({
        type: 'Warning',
        reason: 'MissSchedule',
        message: `Missed scheduled time to start a job: ${wireTime(missed)}`,
      })
  }
  return dueMs
}

function mayStart(cronJob: CronJob, active: readonly Job[], plan: CronPlan): boolean {
  if (cronJob.spec?.concurrencyPolicy !== 'Forbid' || active.length === 0) return true
  const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
  plan.events.push({ type: 'Normal', reason: 'JobAlreadyActive', message })
  return false
}

/** Named by its time, so that one time makes one Job whoever makes it. */
function jobOf(cronJob: CronJob, dueMs: number): Job {
  const { metadata, spec } = copyOf(cronJob.spec?.jobTemplate ?? {}) as Job
  const name = `${(cronJob.metadata.name ?? '').slice(0, MAX_NAME_LENGTH)}-${Math.floor(dueMs / 60_000)}`
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...metadata,
      name,
      namespace: cronJob.metadata.namespace,
      annotations: { ...metadata?.annotations, [SCHEDULED_AT]: wireTime(dueMs) },
      ownerReferences: [controllerReference(cronJob, cronJobs)],
    },
    ...(spec && { spec }),
  }
}

function wireTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function statusOf(
  cronJob: CronJob,
  jobs: readonly Job[],
  active: readonly Job[],
  lastScheduleTime: string | undefined,
): CronJobStatus {
  const completions = jobs.filter((job) => endOf(job) === 'Complete').map(({ status }) => status?.completionTime ?? '')
  const lastSuccessfulTime = [cronJob.status?.lastSuccessfulTime ?? '', ...completions].sort().at(-1)
  return {
    ...(active.length > 0 && { active: active.map(referenceTo) }),
    ...(lastScheduleTime && { lastScheduleTime }),
    ...(lastSuccessfulTime && { lastSuccessfulTime }),
  }
}

export function referenceTo({ metadata }: Job): NonNullable<CronJobStatus['active']>[number] {
  const { name, namespace, uid, resourceVersion } = metadata
  return { apiVersion: apiVersionOf(jobResource), kind: jobResource.kind, name, namespace, uid, resourceVersion }
}
