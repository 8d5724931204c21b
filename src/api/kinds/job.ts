/** Job: pods that run until so many of them have succeeded. */

import { humanDuration } from '../human-duration.ts'
import type { KubeObject } from '../object.ts'
import type { Job, JobSpec } from '../types.ts'
import { ageColumn, column, selectorColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { checkJob, checkJobUpdate } from './job-rules.ts'
import { checkJobStatus } from './job-status-rules.ts'
import { defaultTemplate } from './pod-defaults.ts'
import { warnOfName } from './pod-warnings.ts'
import { collect } from './rules.ts'
import { IN_PODS, isReplaced, warnOfJobSpec } from './workload-warnings.ts'

const job_ = (object: KubeObject) => object as Job
const is = (job: Job, condition: string) =>
  job.status?.conditions?.some((c) => c.type === condition && c.status === 'True') ?? false

/** The one word of a job's state. */
function status(job: Job): string {
  if (is(job, 'Complete')) return 'Complete'
  if (is(job, 'Failed')) return 'Failed'
  if (job.metadata.deletionTimestamp) return 'Terminating'
  if (is(job, 'Suspended')) return 'Suspended'
  if (is(job, 'FailureTarget')) return 'FailureTarget'
  if (is(job, 'SuccessCriteriaMet')) return 'SuccessCriteriaMet'
  return 'Running'
}

function completions(job: Job): string {
  const succeeded = job.status?.succeeded ?? 0
  const wanted = job.spec?.completions
  if (wanted !== undefined) return `${succeeded}/${wanted}`
  const parallelism = job.spec?.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function duration(job: Job, now: number): string {
  const started = job.status?.startTime
  if (!started) return ''
  const end = job.status?.completionTime
  return humanDuration((end ? Date.parse(end) : now) - Date.parse(started))
}

const NO_LIMIT = 2147483647

function setDefaults(job: Job): void {
  job.spec ??= {} as JobSpec
  const { spec } = job
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : NO_LIMIT
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.manualSelector ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  defaultJobTemplate(spec)
  const labels = spec.template.metadata?.labels
  if (labels && Object.keys(labels).length > 0 && Object.keys(job.metadata.labels ?? {}).length === 0) {
    job.metadata.labels = { ...labels }
  }
}

/** What a job and the template of one in a CronJob have in common. */
export function defaultJobTemplate(spec: JobSpec): void {
  spec.template ??= {}
  defaultTemplate(spec.template)
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True'
  }
}

/** A selector and labels that only this job's pods have: its uid, in an old and a new spelling. */
function generateSelector(job: Job): void {
  const spec = job.spec as JobSpec
  const uid = job.metadata.uid ?? ''
  const name = job.metadata.name ?? ''
  spec.template.metadata ??= {}
  // What the user put there stays, and is refused if it is wrong.
  spec.template.metadata.labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
    ...spec.template.metadata.labels,
  }
  spec.selector ??= {}
  spec.selector.matchLabels = { 'batch.kubernetes.io/controller-uid': uid, ...spec.selector.matchLabels }
}

export const job: DefinitionInput = {
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  status: true,
  columns: [
    column('Status', (object) => status(job_(object))),
    column('Completions', (object) => completions(job_(object))),
    column('Duration', (object, { now }) => duration(job_(object), now)),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    selectorColumn((object) => object.spec?.selector),
  ],
  selectableFields: { 'status.successful': (object) => String(object.status?.succeeded ?? 0) },
  unknownField: (field) => `field label "${field}" not supported for Job`,
  strategy: statusStrategy(() => ({}), {
    defaults: (object) => setDefaults(job_(object)),
    prepareForCreate: (object) => {
      const job = job_(object)
      job.status = {}
      if (!job.spec?.manualSelector) generateSelector(job)
      if (Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...job.spec?.template.metadata?.labels }
    },
    validate: (object) => collect((errors) => checkJob(job_(object), errors)),
    validateUpdate: (object, old) => collect((errors) => checkJobUpdate(job_(object), job_(old), errors)),
    validateStatusUpdate: (object, old) => collect((errors) => checkJobStatus(job_(object), job_(old), errors)),
    warnings: (object, old) => {
      const warnings: string[] = []
      if (!old) warnOfName(object.metadata.name, IN_PODS, warnings)
      if (isReplaced(object, old)) warnOfJobSpec(object.spec, 'spec', warnings)
      return warnings
    },
    defaultPropagation: 'Orphan',
    openPropagationWarning:
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  }),
}
