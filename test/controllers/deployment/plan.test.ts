import { describe, expect, test } from 'vitest'
import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../../src/api/types.ts'
import type { PlannedSet } from '../../../src/controllers/deployment/model.ts'
import { planDeployment } from '../../../src/controllers/deployment/plan.ts'
import { templateHash } from '../../../src/controllers/parts/template-hash.ts'
import { ago, cases, NOW, NOW_MS, pod, type ShortPod } from '../table.ts'

interface Case {
  name: string
  deployment: ShortDeployment
  sets: ShortSet[]
  pods?: Record<string, ShortPod[]>
  sizes: Record<string, number>
  revision?: string
  annotations?: Record<string, Record<string, string>>
  events: string[]
  conditions?: Record<string, string>
  dropped?: string[]
  nextLookMs?: number
}

interface ShortDeployment {
  replicas: number
  image: string
  strategy?: string
  maxSurge?: number
  maxUnavailable?: number
  paused?: boolean
  deleted?: boolean
  historyLimit?: number
  annotations?: Record<string, string>
  progressing?: string
  progressStatus?: string
  progressSince?: string
  status?: number
}

interface ShortSet {
  name: string
  image: string
  revision: number
  replicas: number
  available?: number
  desired?: number
  max?: number
}

const template = (image: string): PodTemplateSpec => ({
  metadata: { labels: { app: 'd' } },
  spec: { containers: [{ name: 'c', image }] },
})

function deployment(short: ShortDeployment, sets: readonly ShortSet[]): Deployment {
  const total = (count: (set: ShortSet) => number) => sets.reduce((sum, set) => sum + count(set), 0)
  const updated = sets.find(({ image }) => image === short.image)
  return {
    metadata: {
      name: 'd',
      namespace: 'default',
      uid: 'd',
      generation: 3,
      ...(short.deleted && { deletionTimestamp: NOW }),
      ...(short.annotations && { annotations: short.annotations }),
    },
    spec: {
      replicas: short.replicas,
      selector: { matchLabels: { app: 'd' } },
      template: template(short.image),
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: short.historyLimit ?? 10,
      ...(short.paused && { paused: true }),
      strategy:
        short.strategy === 'Recreate'
          ? { type: 'Recreate' }
          : {
              type: 'RollingUpdate',
              rollingUpdate: { maxSurge: short.maxSurge ?? '25%', maxUnavailable: short.maxUnavailable ?? '25%' },
            },
    },
    status: {
      replicas: short.status ?? total((set) => set.replicas),
      updatedReplicas: updated?.replicas,
      readyReplicas: total((set) => set.available ?? 0),
      availableReplicas: total((set) => set.available ?? 0),
      ...(short.progressing && {
        conditions: [
          {
            type: 'Progressing',
            status: short.progressStatus ?? 'True',
            reason: short.progressing,
            lastUpdateTime: ago(short.progressSince ?? '1m'),
            lastTransitionTime: ago('1h'),
          },
        ],
      }),
    },
  }
}

function replicaSet(short: ShortSet, index: number): ReplicaSet {
  const hash = templateHash(template(short.image))
  const labelled = template(short.image)
  labelled.metadata = { labels: { app: 'd', 'pod-template-hash': hash } }
  return {
    metadata: {
      name: short.name,
      namespace: 'default',
      uid: short.name,
      generation: 1,
      creationTimestamp: ago(`${100 - index}m`),
      annotations: {
        'deployment.kubernetes.io/revision': String(short.revision),
        ...(short.desired !== undefined && { 'deployment.kubernetes.io/desired-replicas': String(short.desired) }),
        ...(short.max !== undefined && { 'deployment.kubernetes.io/max-replicas': String(short.max) }),
      },
    },
    spec: { replicas: short.replicas, selector: { matchLabels: { app: 'd', 'pod-template-hash': hash } }, template: labelled },
    status: {
      replicas: short.replicas,
      readyReplicas: short.available,
      availableReplicas: short.available,
      observedGeneration: 1,
    },
  }
}

const nameOf = ({ create, set }: PlannedSet) => (create ? 'new' : (set.metadata.name ?? ''))

describe('a step of a Deployment', () => {
  test.each(cases<Case>(import.meta.url, './plan.yaml'))('$name', (given) => {
    const plan = planDeployment({
      deployment: deployment(given.deployment, given.sets),
      replicaSets: given.sets.map(replicaSet),
      podsOf: (set) => (given.pods?.[set.metadata.name ?? ''] ?? []).map(pod),
      nowMs: NOW_MS,
      now: NOW,
    })
    const sizes = Object.fromEntries(given.sets.map((set) => [set.name, set.replicas]))
    for (const planned of plan.changed) sizes[nameOf(planned)] = planned.replicas
    expect(sizes).toEqual(given.sizes)
    const created = plan.changed.find(({ create }) => create)?.set.metadata.name
    expect(plan.events.map(({ message }) => (created ? message.replace(created, 'new') : message))).toEqual(given.events)
    if (given.revision) expect(plan.revision).toBe(given.revision)
    for (const [name, annotations] of Object.entries(given.annotations ?? {}))
      expect(plan.changed.find((planned) => nameOf(planned) === name)?.annotations).toMatchObject(annotations)
    for (const [type, says] of Object.entries(given.conditions ?? {})) {
      const condition = plan.status.conditions?.find((one) => one.type === type)
      expect(`${condition?.status} ${condition?.reason}`).toBe(says)
    }
    if (given.dropped) expect(plan.drop.map(({ metadata }) => metadata.name)).toEqual(given.dropped)
    if (given.nextLookMs !== undefined) expect(plan.nextLookMs).toBe(given.nextLookMs)
  })
})

test('kubectl’s last applied configuration stays the Deployment’s own', () => {
  const given = deployment(
    { replicas: 1, image: 'v1', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', team: 'a' } },
    [],
  )
  const plan = planDeployment({ deployment: given, replicaSets: [], podsOf: () => [], nowMs: NOW_MS, now: NOW })
  expect(plan.changed[0]?.annotations).toEqual({
    team: 'a',
    'deployment.kubernetes.io/revision': '1',
    'deployment.kubernetes.io/desired-replicas': '1',
    'deployment.kubernetes.io/max-replicas': '2',
  })
  expect(plan.changed[0]?.set.spec?.selector.matchLabels).toEqual({ app: 'd', 'pod-template-hash': templateHash(template('v1')) })
})

test('a second collision gives another name', () => {
  expect(templateHash(template('v1'), 1)).not.toBe(templateHash(template('v1')))
  expect(templateHash(template('v1'))).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/)
})
