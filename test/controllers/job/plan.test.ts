import { describe, expect, test } from 'vitest'
import type { Job, Pod } from '../../../src/api/types.ts'
import { formatIndexes, parseIndexes } from '../../../src/controllers/job/indexes.ts'
import { planJob } from '../../../src/controllers/job/plan.ts'
import { INDEX_ANNOTATION, TRACKING_FINALIZER } from '../../../src/controllers/job/pods.ts'
import { ago, cases, NOW, NOW_MS } from '../table.ts'

interface ShortJob {
  completions?: number
  parallelism?: number
  backoffLimit?: number
  deadline?: number
  started?: string
  suspend?: boolean
  succeeded?: number
  failed?: number
  listed?: { succeeded?: string[]; failed?: string[] }
  replacement?: string
  indexed?: boolean
  completedIndexes?: string
  limitPerIndex?: number
}

type ShortPod = string | { phase: string; index: number; name?: string }

interface Case {
  name: string
  job: ShortJob
  pods: ShortPod[]
  released?: string[]
  ended?: string
  create: number | number[]
  drop?: string[]
  stop?: string[]
  release?: string[]
  listed?: object
  status?: object
  conditions?: string[]
  events?: string[]
  nextLookMs?: number
}

function job(short: ShortJob): Job {
  return {
    metadata: { name: 'j', namespace: 'default', uid: 'j' },
    spec: {
      completions: short.completions,
      parallelism: short.parallelism ?? 1,
      backoffLimit: short.limitPerIndex === undefined ? (short.backoffLimit ?? 6) : 2 ** 31 - 1,
      backoffLimitPerIndex: short.limitPerIndex,
      activeDeadlineSeconds: short.deadline,
      suspend: short.suspend ?? false,
      podReplacementPolicy: short.replacement,
      completionMode: short.indexed ? 'Indexed' : 'NonIndexed',
      template: { spec: { containers: [], restartPolicy: 'Never' } },
    },
    status: {
      succeeded: short.succeeded,
      failed: short.failed,
      startTime: short.started && ago(short.started),
      completedIndexes: short.completedIndexes,
      uncountedTerminatedPods: short.listed,
    },
  }
}

const PHASES: Record<string, string> = { p: 'Pending', r: 'Running', s: 'Succeeded', f: 'Failed', t: 'Running' }

function pod(short: ShortPod, ended = '1s'): Pod {
  const name = typeof short === 'string' ? short : (short.name ?? `${short.phase}${short.index}`)
  const letter = typeof short === 'string' ? (short[0] ?? '') : short.phase
  const terminated = { exitCode: letter === 's' ? 0 : 1, finishedAt: ago(ended) }
  return {
    metadata: {
      ...{ name, namespace: 'default', uid: name, finalizers: [TRACKING_FINALIZER], creationTimestamp: ago('1h') },
      ...(letter === 't' && { deletionTimestamp: NOW }),
      ...(typeof short !== 'string' && { annotations: { [INDEX_ANNOTATION]: String(short.index) } }),
    },
    spec: { containers: [], nodeName: 'n' },
    status: {
      phase: PHASES[letter],
      ...('sf'.includes(letter) && {
        containerStatuses: [{ name: 'c', ready: false, restartCount: 0, image: '', imageID: '', state: { terminated } }],
      }),
    },
  }
}

const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name)

describe('a step of a Job', () => {
  test.each(cases<Case>(import.meta.url, './plan.yaml'))('$name', (given) => {
    const pods = given.pods.map((short) => pod(short, given.ended))
    const plan = planJob({ job: job(given.job), pods, released: new Set(given.released ?? []), nowMs: NOW_MS, now: NOW })
    if (typeof given.create === 'number') expect(plan.create).toHaveLength(given.create)
    else expect(plan.create.map(({ index }) => index)).toEqual(given.create)
    expect(names(plan.drop)).toEqual(given.drop ?? [])
    expect(names(plan.stop)).toEqual(given.stop ?? [])
    if (given.release) expect(names(plan.release)).toEqual(given.release)
    if (given.listed) expect(plan.status.uncountedTerminatedPods).toEqual(given.listed)
    expect(plan.statusAfter).toMatchObject(given.status ?? {})
    expect(plan.statusAfter.uncountedTerminatedPods).toEqual({})
    const conditions = (plan.statusAfter.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`)
    expect(conditions).toEqual(given.conditions ?? [])
    expect(plan.events.map(({ reason }) => reason)).toEqual(given.events ?? [])
    if (given.nextLookMs !== undefined) expect(plan.nextLookMs).toBe(given.nextLookMs)
  })
})

test.each([
  ['', []],
  ['0', [0]],
  ['0,1', [0, 1]],
  ['0-2,5,7,8', [0, 1, 2, 5, 7, 8]],
])('indexes are written as %s', (text, indexes) => {
  expect(formatIndexes(new Set(indexes))).toBe(text)
  expect([...parseIndexes(text)]).toEqual(indexes)
})
