import { expect, test } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { isNotFound } from '../../../src/api/status.ts'
import type { Client } from '../../../src/client/client.ts'
import { configMaps, deployments, pods, replicaSets } from '../../../src/client/resources.ts'
import { startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const namespace = 'default'
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } }

async function startWeb(client: Client): Promise<void> {
  await client.create(deployments, {
    metadata: { name: 'web', namespace },
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template },
  })
  await until(async () => expect((await client.list(pods, { namespace })).items).toHaveLength(3))
}

async function counts(client: Client): Promise<number[]> {
  const lists = await Promise.all([
    client.list(deployments, { namespace }),
    client.list(replicaSets, { namespace }),
    client.list(pods, { namespace }),
  ])
  return lists.map(({ items }) => items.length)
}

test('in the background, dependents go after their owner', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await startWeb(client)
  await client.delete(deployments, 'web', { namespace, propagationPolicy: 'Background' })
  await until(async () => expect(await counts(client)).toEqual([0, 0, 0]))
})

test('in the foreground, the owner goes last', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await startWeb(client)
  const order: string[] = []
  cluster.informers.get(deployments).subscribe(({ object }) => void (object || order.push('deployment')))
  cluster.informers.get(replicaSets).subscribe(({ object }) => void (object || order.push('set')))
  cluster.informers.get(pods).subscribe(({ object }) => void (object || order.push('pod')))
  await client.delete(deployments, 'web', { namespace, propagationPolicy: 'Foreground' })
  await until(async () => expect(order).toEqual(['pod', 'pod', 'pod', 'set', 'deployment']))
})

test('orphans stay, without their owner’s name', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await startWeb(client)
  await client.delete(deployments, 'web', { namespace, propagationPolicy: 'Orphan' })
  await until(async () => {
    expect(await counts(client)).toEqual([0, 1, 3])
    const [set] = (await client.list(replicaSets, { namespace })).items
    expect(set?.metadata.ownerReferences ?? []).toEqual([])
  })
})

test('an owner that never was is noticed, and one of two leaves the other', async () => {
  await using cluster = await startTestCluster({ nodeCount: 0 })
  const { client } = cluster
  const owner = await client.create(configMaps, { metadata: { name: 'owner', namespace } })
  const reference = (name: string, uid: string | undefined) => ({ apiVersion: 'v1', kind: 'ConfigMap', name, uid: uid ?? '' })
  const owned = (name: string, ...ownerReferences: ReturnType<typeof reference>[]): KubeObject => ({
    metadata: { name, namespace, ownerReferences },
  })
  await client.create(configMaps, owned('lost', reference('never', 'never')))
  await client.create(configMaps, owned('shared', reference('never', 'never'), reference('owner', owner.metadata.uid)))
  await until(async () => {
    await expect(client.get(configMaps, 'lost', { namespace })).rejects.toSatisfy(isNotFound)
    const { metadata } = await client.get(configMaps, 'shared', { namespace })
    expect(metadata.ownerReferences?.map(({ name }) => name)).toEqual(['owner'])
  })
  await client.delete(configMaps, 'owner', { namespace })
  await until(async () => {
    await expect(client.get(configMaps, 'shared', { namespace })).rejects.toSatisfy(isNotFound)
  })
})
