/** Whether a Job has succeeded or failed, and why. Pure. */
import type { Job, Pod } from '../../api/types.ts'
import { mostRestarts, timeMs } from '../parts/pods.ts'
import { parseIndexes } from './indexes.ts'
import { isIndexed } from './pods.ts'
import type { Tally } from './tally.ts'

export interface Outcome {
  type: 'SuccessCriteriaMet' | 'FailureTarget'
  reason: string
  message: string
}

/** `active` are the pods that still run. Undefined while the Job goes on. */
export function outcomeOf(job: Job, tally: Tally, active: readonly Pod[], nowMs: number): Outcome | undefined {
  return failureOf(job, tally, active, nowMs) ?? successOf(job, tally, active.length)
}

function failureOf(job: Job, tally: Tally, active: readonly Pod[], nowMs: number): Outcome | undefined {
  const fail = (reason: string, message: string): Outcome => ({ type: 'FailureTarget', reason, message })
  if (tally.failJob !== undefined) return fail('PodFailurePolicy', tally.failJob)
  if (tally.failed > (job.spec?.backoffLimit ?? 6) || restartedTooOften(job, active))
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  const endMs = deadlineMs(job)
  if (endMs !== undefined && nowMs >= endMs) return fail('DeadlineExceeded', 'Job was active longer than specified deadline')
  if (job.spec?.backoffLimitPerIndex === undefined) return undefined
  if (tally.failedIndexes.size > (job.spec.maxFailedIndexes ?? Number.POSITIVE_INFINITY))
    return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  const all = job.spec.completions ?? 0
  const finished = tally.failedIndexes.size + tally.completedIndexes.size >= all
  return finished && tally.failedIndexes.size > 0 ? fail('FailedIndexes', 'Job has failed indexes') : undefined
}

/** When the Job has been active for too long, in milliseconds since the epoch; undefined for no deadline. */
export function deadlineMs(job: Job): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds
  const started = timeMs(job.status?.startTime)
  return seconds === undefined || started === undefined || job.spec?.suspend ? undefined : started + seconds * 1000
}

/** Containers that restart in place count as failures, too. */
function restartedTooOften(job: Job, active: readonly Pod[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false
  const restarts = active.reduce((total, pod) => total + mostRestarts(pod), 0)
  const limit = job.spec.backoffLimit ?? 6
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function successOf(job: Job, tally: Tally, active: number): Outcome | undefined {
  const met = (reason: string, message: string): Outcome => ({ type: 'SuccessCriteriaMet', reason, message })
  const rule = successRule(job, tally)
  if (rule !== undefined) return met('SuccessPolicy', `Matched rules at index ${rule}`)
  const { completions } = job.spec ?? {}
  const done = isIndexed(job) ? tally.completedIndexes.size : tally.succeeded
  const reached = completions === undefined ? tally.succeeded > 0 && active === 0 : done >= completions
  return reached ? met('CompletionsReached', 'Reached expected number of succeeded pods') : undefined
}

function successRule(job: Job, tally: Tally): number | undefined {
  const rules = job.spec?.successPolicy?.rules ?? []
  const found = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    const asked = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes)
    const done = [...tally.completedIndexes].filter((index) => !asked || asked.has(index)).length
    return done >= (succeededCount ?? asked?.size ?? Number.POSITIVE_INFINITY)
  })
  return found < 0 ? undefined : found
}
