import { expect, test } from 'vitest'
import type { Pod } from '../../../src/api/types.ts'
import type { Client } from '../../../src/client/client.ts'
import { endpoints, leases, nodes, pods, services } from '../../../src/client/resources.ts'
import { setNodeReady, startTestCluster } from '../cluster.ts'
import { steppedClock } from '../stepped-clock.ts'
import { until } from '../until.ts'

const namespace = 'default'

async function renew(client: Client, name: string): Promise<void> {
  const spec = { holderIdentity: name, renewTime: new Date().toISOString().replace('Z', '000Z') }
  const place = { namespace: 'kube-node-lease' }
  await client
    .patch(leases, name, 'merge', { spec }, place)
    .catch(() => client.create(leases, { metadata: { name, ...place }, spec }, place))
}

const taintsOf = async (client: Client, name: string) =>
  ((await client.get(nodes, name)).spec?.taints ?? []).map(({ key, effect }) => `${key.split('/')[1]}:${effect}`).sort()

const web: Pod = {
  metadata: { name: 'web', namespace, labels: { app: 'web' } },
  spec: { nodeName: 'node-0', containers: [{ name: 'c', image: 'web:v1' }] },
}

test('a silent node becomes unknown, its pods not ready, and they leave when they no longer tolerate it', async () => {
  const clock = steppedClock()
  await using cluster = await startTestCluster({ clock })
  const { client } = cluster
  for (const name of ['node-0', 'node-1']) await renew(client, name)
  await until(async () => expect(await taintsOf(client, 'node-0')).toEqual([]))
  await client.create(services, {
    metadata: { name: 'web', namespace },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  })
  await until(async () => void (await client.create(pods, structuredClone(web))))
  await until(async () => expect((await client.get(endpoints, 'web', { namespace })).subsets?.[0]?.addresses).toHaveLength(1))

  clock.advance(30_000)
  await renew(client, 'node-1')
  const renewed = (await client.get(leases, 'node-1', { namespace: 'kube-node-lease' })).metadata.resourceVersion
  await until(() =>
    expect(cluster.informers.get(leases).store.get('kube-node-lease/node-1')?.metadata.resourceVersion).toBe(renewed),
  )
  clock.advance(15_000)
  await until(async () => {
    const { status } = await client.get(nodes, 'node-0')
    expect(status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
    })
    expect(await taintsOf(client, 'node-0')).toEqual(['unreachable:NoExecute', 'unreachable:NoSchedule'])
  })
  expect(await taintsOf(client, 'node-1')).toEqual([])
  await until(async () => expect((await client.get(endpoints, 'web', { namespace })).subsets?.[0]?.addresses ?? []).toEqual([]))

  // Admission gives every pod 300 seconds.
  clock.advance(200_000)
  await renew(client, 'node-1')
  expect((await client.get(pods, 'web', { namespace })).metadata.deletionTimestamp).toBeUndefined()
  clock.advance(110_000)
  await until(async () => {
    const found = await client.list(pods, { namespace })
    expect(found.items).toEqual([])
  })
})

test('a node that comes back is free again; a cordon keeps new pods away', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await setNodeReady(client, 'node-0', 'False')
  await until(async () => expect(await taintsOf(client, 'node-0')).toEqual(['not-ready:NoExecute', 'not-ready:NoSchedule']))
  await setNodeReady(client, 'node-0', 'True')
  await until(async () => expect(await taintsOf(client, 'node-0')).toEqual([]))
  await client.patch(nodes, 'node-0', 'merge', { spec: { unschedulable: true } })
  await until(async () => expect(await taintsOf(client, 'node-0')).toEqual(['unschedulable:NoSchedule']))
})

test('pods of a node that was removed are failed and deleted', async () => {
  const clock = steppedClock()
  await using cluster = await startTestCluster({ clock })
  const { client } = cluster
  await until(async () => void (await client.create(pods, structuredClone(web))))
  await until(async () => expect((await client.get(pods, 'web', { namespace })).status?.phase).toBe('Running'))
  await client.delete(nodes, 'node-0')
  await until(() => expect(cluster.informers.get(nodes).store.get('node-0')).toBeUndefined())
  await until(async () => {
    clock.advance(21_000)
    expect((await client.list(pods, { namespace })).items).toEqual([])
  })
})
