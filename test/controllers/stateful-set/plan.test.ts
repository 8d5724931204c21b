import { describe, expect, test } from 'vitest'
import type { Pod, StatefulSet } from '../../../src/api/types.ts'
import { planSet } from '../../../src/controllers/stateful-set/plan.ts'
import { claimsOfSet, ordinalOf, podOfSet } from '../../../src/controllers/stateful-set/pod-of-set.ts'
import { setStatus } from '../../../src/controllers/stateful-set/status.ts'
import { cases, NOW_MS, pod as shortPod } from '../table.ts'

interface Case {
  name: string
  set: ShortSet
  pods: Record<string, [string, string]>
  create?: string[]
  remove?: string[]
  nextAvailableMs?: number
}

interface ShortSet {
  replicas: number
  parallel?: boolean
  onDelete?: boolean
  partition?: number
  maxUnavailable?: number
  start?: number
  minReadySeconds?: number
}

function setOf(short: ShortSet): StatefulSet {
  return {
    metadata: { name: 'db', namespace: 'default', uid: 'db', generation: 4 },
    spec: {
      replicas: short.replicas,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c' }] } },
      podManagementPolicy: short.parallel ? 'Parallel' : 'OrderedReady',
      minReadySeconds: short.minReadySeconds,
      updateStrategy: short.onDelete
        ? { type: 'OnDelete' }
        : { type: 'RollingUpdate', rollingUpdate: { partition: short.partition ?? 0, maxUnavailable: short.maxUnavailable } },
      ...(short.start !== undefined && { ordinals: { start: short.start } }),
    },
  }
}

function podOf(ordinal: string, [state, revision]: [string, string]): Pod {
  const made = shortPod({
    name: `db-${ordinal}`,
    labels: { 'controller-revision-hash': revision },
    phase: state === 'f' ? 'Failed' : 'Running',
    ...(state === 'r' && { ready: '10s' }),
    ...(state === 't' && { deleted: true }),
  })
  return made
}

const observe = (set: StatefulSet, pods: Case['pods']) => ({
  set,
  pods: Object.entries(pods).map(([ordinal, state]) => podOf(ordinal, state)),
  currentRevision: 'old',
  updateRevision: 'new',
  nowMs: NOW_MS,
})

describe('a step of a StatefulSet', () => {
  test.each(cases<Case>(import.meta.url, './plan.yaml'))('$name', (given) => {
    const plan = planSet(observe(setOf(given.set), given.pods))
    expect(plan.create.map(({ ordinal, revision }) => `${ordinal} ${revision}`)).toEqual(given.create ?? [])
    expect(plan.remove.map(({ pod, why }) => `${pod.metadata.name?.slice(3)} ${why}`)).toEqual(given.remove ?? [])
    if (given.nextAvailableMs !== undefined) expect(plan.nextAvailableMs).toBe(given.nextAvailableMs)
  })
})

test('the new revision becomes the current one when all have it', () => {
  const set = setOf({ replicas: 2 })
  const half = setStatus(observe(set, { 0: ['r', 'old'], 1: ['r', 'new'] }), 0)
  expect(half).toMatchObject({
    replicas: 2,
    readyReplicas: 2,
    currentReplicas: 1,
    updatedReplicas: 1,
    currentRevision: 'old',
    updateRevision: 'new',
  })
  const all = setStatus(observe(set, { 0: ['r', 'new'], 1: ['r', 'new'] }), 0)
  expect(all).toMatchObject({ currentReplicas: 2, updatedReplicas: 2, currentRevision: 'new', observedGeneration: 4 })
})

test('a pod has its name, its place in the Service, and its claims', () => {
  const set = setOf({ replicas: 1 })
  set.spec!.volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }]
  const made = podOfSet(set, 3, { spec: { containers: [{ name: 'c' }], volumes: [{ name: 'data', emptyDir: {} }] } }, 'new')
  expect(made.metadata).toMatchObject({
    name: 'db-3',
    labels: {
      'statefulset.kubernetes.io/pod-name': 'db-3',
      'apps.kubernetes.io/pod-index': '3',
      'controller-revision-hash': 'new',
    },
  })
  expect(made.spec).toMatchObject({
    hostname: 'db-3',
    subdomain: 'db',
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-3' } }],
  })
  expect(claimsOfSet(set, 3)).toMatchObject([
    { metadata: { name: 'data-db-3', labels: { app: 'db' } }, spec: { accessModes: ['ReadWriteOnce'] } },
  ])
  expect([ordinalOf(set, 'db-12'), ordinalOf(set, 'db-01'), ordinalOf(set, 'db-x'), ordinalOf(set, 'other-1')]).toEqual([
    12,
    undefined,
    undefined,
    undefined,
  ])
})
