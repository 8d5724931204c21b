/** Job. */
import type { Job } from '../types.ts'
import { ageColumn, column, humanDuration, selectorColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'

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
  const end = job.status?.completionTime ?? failedAt(job)
  return humanDuration((end ? Date.parse(end) : now) - Date.parse(started))
}

function failedAt(job: Job): string | undefined {
  return job.status?.conditions?.find((c) => c.type === 'Failed' && c.status === 'True')?.lastTransitionTime
}

export const job: DefinitionInput = {
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  status: true,
  columns: [
    column('Status', (object) => status(object as Job)),
    column('Completions', (object) => completions(object as Job)),
    column('Duration', (object, { now }) => duration(object as Job, now)),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    selectorColumn((object) => object.spec?.selector),
  ],
  selectableFields: { 'status.successful': (object) => String(object.status?.succeeded ?? 0) },
  unknownField: (field) => `field label "${field}" not supported for Job`,
  strategy: statusStrategy(() => ({}), {
    defaultPropagation: 'Orphan',
    openPropagationWarning:
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  }),
}
