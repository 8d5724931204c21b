import { expect, test } from 'vitest'
import type { StatefulSet } from '../../../src/api/types.ts'
import type { Client } from '../../../src/client/client.ts'
import { controllerRevisions, persistentVolumeClaims, pods, statefulSets } from '../../../src/client/resources.ts'
import { startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const namespace = 'default'
const set: StatefulSet = {
  metadata: { name: 'db', namespace },
  spec: {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image: 'db:v1' }] } },
    volumeClaimTemplates: [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    ],
  },
}

/** What `kubectl rollout status` waits for. */
async function rolledOut(client: Client, replicas: number): Promise<StatefulSet> {
  let found: StatefulSet | undefined
  await until(async () => {
    found = await client.get(statefulSets, 'db', { namespace })
    const { status, metadata } = found
    expect(status).toMatchObject({ observedGeneration: metadata.generation, replicas, readyReplicas: replicas })
    expect(status?.currentRevision).toBe(status?.updateRevision)
    expect(status?.updatedReplicas).toBe(replicas)
  })
  return found as StatefulSet
}

test('makes its pods in order, rolls them, and takes them away in order', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  const order: string[] = []
  cluster.informers.get(pods).subscribe(({ object, old }) => {
    if (object && !old) order.push(`+${object.metadata.name}`)
    if (!object) order.push(`-${old?.metadata.name}`)
  })
  await client.create(statefulSets, structuredClone(set))
  await rolledOut(client, 3)
  expect(order).toEqual(['+db-0', '+db-1', '+db-2'])
  const claims = (await client.list(persistentVolumeClaims, { namespace })).items.map(({ metadata }) => metadata.name)
  expect(claims.sort()).toEqual(['data-db-0', 'data-db-1', 'data-db-2'])

  order.length = 0
  const containers = [{ name: 'c', image: 'db:v2' }]
  await client.patch(statefulSets, 'db', 'strategic', { spec: { template: { spec: { containers } } } }, { namespace })
  await rolledOut(client, 3)
  expect(order).toEqual(['-db-2', '+db-2', '-db-1', '+db-1', '-db-0', '+db-0'])
  const revisions = (await client.list(controllerRevisions, { namespace })).items.map(({ revision }) => revision)
  expect(revisions.sort()).toEqual([1, 2])

  // kubectl rollout undo: the data of the old revision is a strategic merge patch.
  const first = (await client.list(controllerRevisions, { namespace })).items.find(({ revision }) => revision === 1)
  await client.patch(statefulSets, 'db', 'strategic', structuredClone(first?.data) ?? {}, { namespace })
  const back = await rolledOut(client, 3)
  expect(back.status?.updateRevision).toBe(first?.metadata.name)
  expect((await client.get(pods, 'db-0', { namespace })).spec?.containers[0]?.image).toBe('db:v1')

  order.length = 0
  await client.patch(statefulSets, 'db', 'merge', { spec: { replicas: 1 } }, { namespace })
  await rolledOut(client, 1)
  expect(order).toEqual(['-db-2', '-db-1'])
})
