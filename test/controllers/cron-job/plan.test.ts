import { describe, expect, test } from 'vitest'
import type { CronJob, Job } from '../../../src/api/types.ts'
import { planCronJob } from '../../../src/controllers/cron-job/plan.ts'
import { parseSchedule } from '../../../src/controllers/cron-job/schedule.ts'
import { ago, cases, NOW_MS } from '../table.ts'

interface Case {
  name: string
  cron: {
    schedule: string
    last?: string
    age?: string
    suspend?: boolean
    deadline?: number
    concurrency?: string
    keep?: number
    keepFailed?: number
    active?: string[]
  }
  jobs?: [string, string, string][]
  create?: string
  remove?: string[]
  active?: string[]
  events?: string[]
  nextLookMs?: number
}

function cronJob({ cron }: Case): CronJob {
  return {
    metadata: { name: 'cron', namespace: 'default', uid: 'cron', creationTimestamp: ago(cron.age ?? '30d') },
    spec: {
      schedule: cron.schedule,
      timeZone: 'Etc/UTC',
      suspend: cron.suspend,
      startingDeadlineSeconds: cron.deadline,
      concurrencyPolicy: cron.concurrency ?? 'Allow',
      successfulJobsHistoryLimit: cron.keep,
      failedJobsHistoryLimit: cron.keepFailed,
      jobTemplate: { metadata: { labels: { app: 'cron' } }, spec: { template: { spec: { containers: [] } } } },
    },
    status: {
      ...(cron.last && { lastScheduleTime: ago(cron.last) }),
      ...(cron.active && { active: cron.active.map((name) => ({ name, uid: name })) }),
    },
  }
}

function job([name, state, age]: [string, string, string]): Job {
  const type = { s: 'Complete', f: 'Failed' }[state]
  const conditions = type ? [{ type, status: 'True' }] : []
  return {
    metadata: { name, namespace: 'default', uid: name, creationTimestamp: ago(age) },
    status: { startTime: ago(age), conditions, ...(state === 's' && { completionTime: ago(age) }) },
  }
}

describe('a step of a CronJob', () => {
  test.each(cases<Case>(import.meta.url, './plan.yaml'))('$name', (given) => {
    const schedule = parseSchedule(given.cron.schedule, 'Etc/UTC')
    const plan = planCronJob(cronJob(given), (given.jobs ?? []).map(job), schedule, NOW_MS)
    expect(plan.create?.metadata.name).toBe(given.create)
    expect(plan.remove.map(({ metadata }) => metadata.name)).toEqual(given.remove ?? [])
    expect(plan.events.map(({ reason }) => reason)).toEqual(given.events ?? [])
    if (given.active) expect((plan.status.active ?? []).map(({ name }) => name)).toEqual(given.active)
    if (given.nextLookMs !== undefined) expect(plan.nextLookMs).toBe(given.nextLookMs)
  })
})

test.each([['61 * * * *'], ['* * * * * *'], ['TZ=UTC * * * * *'], ['@every soon'], ['@often']])('%s is no schedule', (text) => {
  expect(() => parseSchedule(text, 'Etc/UTC')).toThrow()
})

test('a schedule has its time zone', () => {
  expect(new Date(parseSchedule('0 0 * * *', 'Europe/Berlin').next(NOW_MS) ?? 0).toISOString()).toBe('2030-01-01T23:00:00.000Z')
  expect(() => parseSchedule('0 0 * * *', 'Mars/Olympus')).toThrow()
})
