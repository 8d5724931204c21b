import { expect, test } from 'vitest'
import { daemonSets, pods } from '../../../src/client/resources.ts'
import { addNode, startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const namespace = 'default'

test('one pod on every node, new nodes included, and rolled node by node', async () => {
  await using cluster = await startTestCluster({ nodeCount: 3 })
  const { client } = cluster
  await client.create(daemonSets, {
    metadata: { name: 'agent', namespace },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image: 'agent:v1' }] } },
    },
  })
  const placed = async () =>
    (await client.list(pods, { namespace })).items.map(({ spec }) => `${spec?.nodeName} ${spec?.containers[0]?.image}`).sort()
  await until(async () => expect(await placed()).toEqual(['node-0 agent:v1', 'node-1 agent:v1', 'node-2 agent:v1']))
  await addNode(client, 'node-3')
  await until(async () => {
    const { status } = await client.get(daemonSets, 'agent', { namespace })
    expect(status).toMatchObject({ desiredNumberScheduled: 4, numberAvailable: 4, updatedNumberScheduled: 4 })
  })
  const containers = [{ name: 'c', image: 'agent:v2' }]
  await client.patch(daemonSets, 'agent', 'strategic', { spec: { template: { spec: { containers } } } }, { namespace })
  await until(async () => {
    expect(await placed()).toEqual([0, 1, 2, 3].map((i) => `node-${i} agent:v2`))
    const { status, metadata } = await client.get(daemonSets, 'agent', { namespace })
    expect(status).toMatchObject({ observedGeneration: metadata.generation, updatedNumberScheduled: 4, numberAvailable: 4 })
  })
})
