import { expect, test } from 'vitest'
import type { ReplicaSet } from '../../../src/api/types.ts'
import { events, pods, replicaSets, replicationControllers, resourceQuotas } from '../../../src/client/resources.ts'
import { startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const namespace = 'default'

function replicaSet(name: string, replicas: number): ReplicaSet {
  return {
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } },
    },
  }
}

test('makes its pods, reports them, scales down, and replaces what is deleted', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(replicaSets, replicaSet('web', 12))
  await until(async () => {
    const { status, metadata } = await client.get(replicaSets, 'web', { namespace })
    expect(status).toEqual({
      replicas: 12,
      fullyLabeledReplicas: 12,
      readyReplicas: 12,
      availableReplicas: 12,
      terminatingReplicas: 0,
      observedGeneration: metadata.generation,
    })
  })
  const [first] = (await client.list(pods, { namespace })).items
  expect(first?.metadata.name).toMatch(/^web-[a-z0-9]{5}$/)
  expect(first?.metadata.ownerReferences).toMatchObject([{ kind: 'ReplicaSet', name: 'web', controller: true }])

  await client.delete(pods, first?.metadata.name ?? '', { namespace })
  await until(async () => {
    const names = (await client.list(pods, { namespace })).items.map(({ metadata }) => metadata.name)
    expect(names).toHaveLength(12)
    expect(names).not.toContain(first?.metadata.name)
  })

  await client.patch(replicaSets, 'web', 'merge', { spec: { replicas: 3 } }, { namespace })
  await until(async () => {
    expect((await client.list(pods, { namespace })).items).toHaveLength(3)
    expect((await client.get(replicaSets, 'web', { namespace })).status?.replicas).toBe(3)
  })
  await until(async () => {
    const reasons = new Set((await client.list(events, { namespace })).items.map(({ reason }) => reason))
    expect(reasons).toContain('SuccessfulCreate')
    expect(reasons).toContain('SuccessfulDelete')
  })
})

test('adopts pods that match and releases those that no longer do', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  const stray = {
    metadata: { name: 'stray', namespace, labels: { app: 'web' } },
    spec: { containers: [{ name: 'c', image: 'web:v1' }] },
  }
  await client.create(pods, stray)
  await client.create(replicaSets, replicaSet('web', 2))
  await until(async () => {
    const { items } = await client.list(pods, { namespace })
    expect(items).toHaveLength(2)
    for (const { metadata } of items) expect(metadata.ownerReferences?.[0]?.name).toBe('web')
  })
  await client.patch(pods, 'stray', 'merge', { metadata: { labels: { app: 'other' } } }, { namespace })
  await until(async () => {
    const { items } = await client.list(pods, { namespace })
    expect(items).toHaveLength(3)
    expect(items.find(({ metadata }) => metadata.name === 'stray')?.metadata.ownerReferences ?? []).toEqual([])
  })
})

test('counts a pod as available once it has been ready for long enough', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  const patient = replicaSet('patient', 1)
  patient.spec!.minReadySeconds = 2
  await client.create(replicaSets, patient)
  const status = async () => (await client.get(replicaSets, 'patient', { namespace })).status
  await until(async () => expect(await status()).toMatchObject({ readyReplicas: 1 }))
  expect((await status())?.availableReplicas ?? 0).toBe(0)
  await until(async () => expect(await status()).toMatchObject({ availableReplicas: 1 }))
})

test('says when the server refuses its pods, and goes on when it no longer does', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(resourceQuotas, { metadata: { name: 'few', namespace }, spec: { hard: { pods: '2' } } })
  await until(async () => expect((await client.get(resourceQuotas, 'few', { namespace })).status?.hard).toEqual({ pods: '2' }))
  await client.create(replicaSets, replicaSet('web', 4))
  await until(async () => {
    const { status } = await client.get(replicaSets, 'web', { namespace })
    expect(status).toMatchObject({
      replicas: 2,
      conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' }],
    })
    expect(status?.conditions?.[0]?.message).toContain('exceeded quota: few')
    const reasons = (await client.list(events, { namespace })).items.map(({ reason }) => reason)
    expect(reasons).toContain('FailedCreate')
  })
  await client.delete(resourceQuotas, 'few', { namespace })
  await until(async () => {
    const { status } = await client.get(replicaSets, 'web', { namespace })
    expect(status?.readyReplicas).toBe(4)
    expect(status?.conditions ?? []).toEqual([])
  })
})

test('a ReplicationController does the same', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  const template = { metadata: { labels: { app: 'old' } }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } }
  await client.create(replicationControllers, { metadata: { name: 'old', namespace }, spec: { replicas: 3, template } })
  await until(async () => {
    const { status, metadata } = await client.get(replicationControllers, 'old', { namespace })
    const ready = { replicas: 3, fullyLabeledReplicas: 3, readyReplicas: 3, availableReplicas: 3 }
    expect(status).toEqual({ ...ready, observedGeneration: metadata.generation })
  })
  await client.patch(replicationControllers, 'old', 'merge', { spec: { replicas: 1 } }, { namespace })
  await until(async () => expect((await client.list(pods, { namespace })).items).toHaveLength(1))
})
