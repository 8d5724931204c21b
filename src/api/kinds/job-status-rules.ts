/**
 * Rules for the status of a Job, whoever writes it: what has ended stays ended, counts agree with each other, times follow in
 * order. A status that was wrong already may stay so as long as the write does not touch what is wrong.
 */
import { equal } from '../equal.ts'
import { duplicate, type Errors, invalid, invalidWhole, required } from '../field-errors.ts'
import type { Job, JobStatus } from '../types.ts'
import { countIndexes } from './job-success-rules.ts'
import { nonNegative } from './rules.ts'

type Condition = 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet'

const has = (status: JobStatus, type: Condition) =>
  status.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
const isFinished = (status: JobStatus) => has(status, 'Complete') || has(status, 'Failed')

/** Both statuses, and what differs between them. */
interface Change {
  readonly job: Job
  readonly status: JobStatus
  readonly before: JobStatus
  readonly changed: (field: keyof JobStatus) => boolean
  readonly turned: (type: Condition) => boolean
  readonly finished: boolean
  /** It has just finished, or is no longer. */
  readonly turnedFinished: boolean
}

export function checkJobStatus(job: Job, old: Job, errors: Errors): void {
  const [status, before] = [job.status ?? {}, old.status ?? {}]
  const change: Change = {
    ...{ job, status, before },
    changed: (field) => !equal(status[field], before[field]),
    turned: (type) => has(status, type) !== has(before, type),
    finished: isFinished(status),
    turnedFinished: isFinished(status) !== isFinished(before),
  }
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
    nonNegative(status[field], `status.${field}`, errors)
  }
  checkUncounted(change, errors)
  checkConditions(change, errors)
  checkTimes(change, errors)
  checkCounts(change, errors)
  checkIndexes(change, errors)
  checkKept(change, errors)
}

function checkUncounted({ status }: Change, errors: Errors): void {
  for (const list of ['succeeded', 'failed'] as const) {
    const seen = new Set<string>()
    status.uncountedTerminatedPods?.[list]?.forEach((uid, index) => {
      const path = `status.uncountedTerminatedPods.${list}[${index}]`
      if (uid === '') errors.push(invalid(path, uid, 'must not be empty'))
      else if (seen.has(uid)) errors.push(duplicate(path, uid))
      seen.add(uid)
    })
  }
}

function checkConditions({ job, status, turned, changed }: Change, errors: Errors): void {
  const refuse = (detail: string) => errors.push(invalidWhole('status.conditions', detail))
  const [complete, failed] = [has(status, 'Complete'), has(status, 'Failed')]
  const [failing, met] = [has(status, 'FailureTarget'), has(status, 'SuccessCriteriaMet')]
  if ((turned('Complete') || turned('Failed')) && complete && failed)
    refuse('cannot set Complete=True and Failed=true conditions')
  if ((turned('Complete') || turned('FailureTarget')) && complete && failing) {
    refuse('cannot set Complete=True and FailureTarget=true conditions')
  }
  if ((turned('Failed') || changed('failedIndexes')) && failed && !failing) {
    refuse('cannot set Failed=True condition without the FailureTarget=true condition')
  }
  if ((turned('Complete') || turned('SuccessCriteriaMet')) && complete && !met) {
    refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
  }
  if (met && failed) refuse('cannot set SuccessCriteriaMet=True and Failed=true conditions')
  if (met && failing) refuse('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions')
  if (job.spec?.successPolicy && !met && complete) {
    refuse('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True')
  }
}

function checkTimes({ status, turned, turnedFinished, changed, finished }: Change, errors: Errors): void {
  const { startTime, completionTime } = status
  const path = 'status.completionTime'
  const complete = has(status, 'Complete')
  if (turned('Complete') || changed('completionTime')) {
    const detail = 'cannot set completionTime when there is no Complete=True condition'
    if (completionTime && !complete) errors.push(invalid(path, completionTime, detail))
    if (!completionTime && complete) errors.push(required(path, 'completionTime is required for Complete jobs'))
  }
  const moved = changed('startTime') || changed('completionTime')
  if (moved && startTime && completionTime && Date.parse(completionTime) < Date.parse(startTime)) {
    errors.push(invalid(path, completionTime, 'must be equal to or after `startTime`'))
  }
  if ((turnedFinished || changed('startTime')) && !startTime && finished) {
    errors.push(required('status.startTime', 'startTime is required for finished job'))
  }
}

function checkCounts({ status, turnedFinished, changed, finished }: Change, errors: Errors): void {
  const { active = 0, ready, terminating = 0, uncountedTerminatedPods: uncounted } = status
  if ((turnedFinished || changed('active')) && active > 0 && finished) {
    errors.push(invalid('status.active', active, 'active>0 is invalid for finished job'))
  }
  const waiting = (uncounted?.failed?.length ?? 0) + (uncounted?.succeeded?.length ?? 0)
  if ((turnedFinished || changed('uncountedTerminatedPods')) && finished && waiting > 0) {
    errors.push(invalid('status.uncountedTerminatedPods', uncounted, 'must be empty for finished job'))
  }
  if ((turnedFinished || changed('terminating')) && terminating > 0 && finished) {
    errors.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'))
  }
  if ((changed('ready') || changed('active')) && ready !== undefined && ready > active) {
    errors.push(invalid('status.ready', ready, 'cannot set more ready pods than active'))
  }
}

function checkIndexes({ job, status, changed }: Change, errors: Errors): void {
  const { completedIndexes = '', failedIndexes } = status
  const { completions, completionMode, backoffLimitPerIndex } = job.spec ?? {}
  const check = (field: 'completedIndexes' | 'failedIndexes', text: string) => {
    const complaint = countIndexes(text, completions ?? 0)
    if (typeof complaint === 'string') {
      errors.push(invalid(`status.${field}`, text, `error parsing ${field}: ${complaint}`))
    }
  }
  if (changed('completedIndexes')) {
    if (completions !== undefined) check('completedIndexes', completedIndexes)
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode'
    const indexed = completionMode === 'Indexed'
    if (completedIndexes !== '' && !indexed) errors.push(invalid('status.completedIndexes', completedIndexes, detail))
  }
  if (!changed('failedIndexes') || failedIndexes === undefined) return
  if (completions !== undefined && backoffLimitPerIndex !== undefined) check('failedIndexes', failedIndexes)
  if (backoffLimitPerIndex === undefined) {
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'
    errors.push(invalid('status.failedIndexes', failedIndexes, detail))
  }
}

/** What was said once and does not become untrue. */
function checkKept({ job, status, before }: Change, errors: Errors): void {
  const refuse = (detail: string) => errors.push(invalidWhole('status.conditions', detail))
  for (const type of ['Failed', 'Complete', 'FailureTarget'] as const) {
    if (has(before, type) && !has(status, type)) refuse(`cannot disable the terminal ${type}=True condition`)
  }
  if (has(before, 'SuccessCriteriaMet') && !has(status, 'SuccessCriteriaMet')) {
    refuse('cannot disable the SuccessCriteriaMet=True condition')
  }
  const late = has(before, 'Complete') && !has(before, 'SuccessCriteriaMet') && has(status, 'SuccessCriteriaMet')
  if (late) refuse('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions')
  const { completions, completionMode, parallelism, suspend } = job.spec ?? {}
  // An indexed job that follows its parallelism may shrink.
  const shrinks = completionMode === 'Indexed' && completions === parallelism
  for (const field of shrinks ? (['failed'] as const) : (['failed', 'succeeded'] as const)) {
    const count = status[field] ?? 0
    if (count < (before[field] ?? 0)) errors.push(invalid(`status.${field}`, count, `cannot decrease the ${field} counter`))
  }
  const { completionTime, startTime } = status
  if (completionTime && before.completionTime && completionTime !== before.completionTime) {
    errors.push(invalid('status.completionTime', completionTime, 'field is immutable'))
  }
  if (before.startTime && startTime !== before.startTime && !suspend) {
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'))
  }
}
