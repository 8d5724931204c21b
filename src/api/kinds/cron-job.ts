/** CronJob: Jobs by the clock. */
import type { Errors } from '../field-errors.ts'
import { invalid, notSupported, required } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { CronJob, CronJobSpec, JobSpec } from '../types.ts'
import { ageColumn, column, selectorColumn, since, templateColumns } from './columns.ts'
import { scheduleComplaint } from './cron-schedule.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { defaultJobTemplate } from './job.ts'
import { checkJobSpec } from './job-rules.ts'
import { warnOfName } from './pod-warnings.ts'
import { collect, nonNegative, oneOf } from './rules.ts'
import { IN_PODS, isReplaced, warnOfJobSpec } from './workload-warnings.ts'

/** The controller puts eleven characters behind it to name a Job, whose name may have 63. */
const MAX_NAME_LENGTH = 52

const cron = (object: KubeObject) => object as CronJob

function setDefaults(cron: CronJob): void {
  cron.spec ??= {} as CronJobSpec
  const { spec } = cron
  spec.concurrencyPolicy ||= 'Allow'
  spec.suspend ??= false
  spec.successfulJobsHistoryLimit ??= 3
  spec.failedJobsHistoryLimit ??= 1
  spec.jobTemplate ??= {}
  spec.jobTemplate.metadata ??= {}
  spec.jobTemplate.spec ??= {} as JobSpec
  defaultJobTemplate(spec.jobTemplate.spec)
}

function check(cron: CronJob, errors: Errors): void {
  const spec = cron.spec as CronJobSpec
  checkSchedule(spec, errors)
  nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds', errors)
  nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit', errors)
  nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit', errors)
  oneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy', errors, true)
  const template = spec.jobTemplate?.spec ?? ({} as JobSpec)
  checkJobSpec(template, 'spec.jobTemplate.spec', errors)
  if (template.selector)
    errors.push(invalid('spec.jobTemplate.spec.selector', template.selector, '`selector` will be auto-generated'))
  if (template.manualSelector)
    errors.push(notSupported('spec.jobTemplate.spec.manualSelector', template.manualSelector, ['nil', 'false']))
}

function checkSchedule(spec: CronJobSpec, errors: Errors): void {
  const path = 'spec.schedule'
  const { schedule, timeZone } = spec
  if (!schedule) errors.push(required(path))
  else {
    if (schedule.includes('TZ')) {
      const detail =
        timeZone === undefined
          ? 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
          : 'cannot use both timeZone field and TZ or CRON_TZ in schedule'
      errors.push(invalid(path, schedule, detail))
    }
    const complaint = scheduleComplaint(schedule)
    if (complaint) errors.push(invalid(path, schedule, complaint))
  }
  if (timeZone === undefined) return
  const refuse = (detail: string) => errors.push(invalid('spec.timeZone', timeZone, detail))
  if (timeZone === '') refuse('timeZone must be nil or non-empty string')
  else if (timeZone.toLowerCase() === 'local') {
    refuse('timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')
  } else if (!isTimeZone(timeZone)) refuse(`unknown time zone ${timeZone}`)
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

function checkNew(cron: CronJob, errors: Errors): void {
  check(cron, errors)
  const name = cron.metadata.name ?? ''
  if (name.length > MAX_NAME_LENGTH)
    errors.push(invalid('metadata.name', name, `must be no more than ${MAX_NAME_LENGTH} characters`))
}

function warningsOf(job: CronJob, old: CronJob | undefined): string[] {
  const warnings: string[] = []
  if (!old) warnOfName(job.metadata?.name, IN_PODS, warnings)
  if (isReplaced(job, old)) warnOfJobSpec(job.spec?.jobTemplate?.spec, 'spec.jobTemplate.spec', warnings)
  const schedule = job.spec?.schedule ?? ''
  if (old && schedule.includes('TZ')) {
    const more = 'see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones for more details'
    warnings.push(`cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, ${more}`)
  }
  return warnings
}

export const cronJob: DefinitionInput = {
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  status: true,
  columns: [
    column('Schedule', (object) => object.spec?.schedule ?? ''),
    column('Timezone', (object) => object.spec?.timeZone ?? '<none>'),
    column(
      'Suspend',
      (object) => (object.spec?.suspend === undefined ? '<unset>' : object.spec.suspend ? 'True' : 'False'),
      'boolean',
    ),
    column('Active', (object) => object.status?.active?.length ?? 0, 'integer'),
    column('Last Schedule', (object, { now }) =>
      object.status?.lastScheduleTime ? since(object.status.lastScheduleTime, now) : '<none>',
    ),
    ageColumn,
    ...templateColumns((object) => object.spec?.jobTemplate?.spec?.template?.spec),
    selectorColumn((object) => object.spec?.jobTemplate?.spec?.selector),
  ],
  strategy: statusStrategy(() => ({}), {
    defaults: (object) => setDefaults(cron(object)),
    validate: (object) => collect((errors) => checkNew(cron(object), errors)),
    validateUpdate: (object) => collect((errors) => check(cron(object), errors)),
    warnings: (object, old) => warningsOf(cron(object), old && cron(old)),
  }),
}
