/** The CronJob controller: makes a Job when its time has come. */

import { isAlreadyExists, isNotFound } from '../../api/status.ts'
import type { CronJob, CronJobStatus, Job } from '../../api/types.ts'
import { cronJobs, jobs } from '../../client/resources.ts'
import type { ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import { inParallel } from '../parts/batches.ts'
import { isNamespaceTerminating, messageOf } from '../parts/failures.ts'
import { createFreshness, type Freshness } from '../parts/freshness.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import { controllerKey, indexByController, isControlledBy, ownedBy } from '../parts/owners.ts'
import { type CronPlan, planCronJob, referenceTo } from './plan.ts'
import type { Schedule } from './schedule.ts'

/** Wire times are cut to seconds: a look this much later surely sees that the time has come. */
const SLACK_MS = 10

export function cronJobController(): Reconciler {
  const written = createFreshness()
  return {
    name: 'cronjob-controller',
    setup(context, enqueue) {
      const store = context.informer(cronJobs).store
      indexByController(context.informer(jobs).store)
      context.informer(cronJobs).subscribe(({ key, object }) => {
        if (object) enqueue(key)
      })
      context.informer(jobs).subscribe(({ object, old }) => {
        const job = object ?? old
        const key = job && controllerKey(job, cronJobs, store)
        if (key) enqueue(key)
      })
    },
    async reconcile(key, context) {
      const cronJob = context.informer(cronJobs).store.get(key)
      if (!cronJob || written.isStale(cronJob)) return undefined
      const schedule = await scheduleOf(context, cronJob)
      if (!schedule) return undefined
      const owned = ownedBy(context.informer(jobs).store, cronJob.metadata.uid)
      const plan = planCronJob(cronJob, owned, schedule, context.clock.now())
      return perform(context, cronJob, plan, written)
    },
  }
}

/** Undefined, with an Event, for a schedule nobody can read: it has to be changed first. */
async function scheduleOf(context: ReconcileContext, cronJob: CronJob): Promise<Schedule | undefined> {
  const { parseSchedule } = await import('./schedule.ts')
  const { schedule = '', timeZone } = cronJob.spec ?? {}
  try {
    return parseSchedule(schedule, timeZone)
  } catch (error) {
    const message = `unparseable schedule: ${JSON.stringify(schedule)}: ${messageOf(error)}`
    context.event(cronJob, { type: 'Warning', reason: 'UnparseableSchedule', message })
    return undefined
  }
}

async function perform(
  context: ReconcileContext,
  cronJob: CronJob,
  plan: CronPlan,
  written: Freshness,
): Promise<ReconcileResult | undefined> {
  await inParallel([...new Set(plan.remove)], (job) => remove(context, cronJob, job))
  const status = { ...plan.status }
  if (plan.create) {
    const created = await create(context, cronJob, plan.create)
    if (created)
      status.active = [...(status.active ?? []).filter(({ uid }) => uid !== created.metadata.uid), referenceTo(created)]
  }
  for (const event of plan.events) context.event(cronJob, event)
  await writeStatus(context, cronJob, status, written)
  return plan.nextLookMs === undefined ? undefined : { requeueAfterMs: plan.nextLookMs + SLACK_MS }
}

async function remove({ client, event }: ReconcileContext, cronJob: CronJob, job: Job): Promise<void> {
  const { name = '', namespace, uid = '' } = job.metadata
  try {
    await client.delete(jobs, name, { namespace, propagationPolicy: 'Background', preconditions: { uid } })
    event(cronJob, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted job ${name}` })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Undefined when the Job of this time was made before and has ended since, or cannot be made at all. */
async function create({ client, event }: ReconcileContext, cronJob: CronJob, job: Job): Promise<Job | undefined> {
  const { name = '', namespace } = job.metadata
  try {
    const created = await client.create(jobs, job)
    event(cronJob, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created job ${name}` })
    return created
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined
    if (isAlreadyExists(error)) {
      const taken = await client.get(jobs, name, { namespace })
      if (isControlledBy(taken, cronJob)) return taken.status?.completionTime ? undefined : taken
    }
    event(cronJob, { type: 'Warning', reason: 'FailedCreate', message: `Error creating job: ${messageOf(error)}` })
    throw error
  }
}

async function writeStatus(
  { client }: ReconcileContext,
  cronJob: CronJob,
  status: CronJobStatus,
  written: Freshness,
): Promise<void> {
  // The version of a Job in the list is that of the moment it was listed.
  const withoutVersions = ({ active, ...rest }: CronJobStatus) => ({ ...rest, active: (active ?? []).map(({ uid }) => uid) })
  if (sameJson(withoutVersions(status), withoutVersions(cronJob.status ?? {}))) return
  try {
    written.wrote(await client.updateStatus(cronJobs, { ...copyOf(cronJob), status }))
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
