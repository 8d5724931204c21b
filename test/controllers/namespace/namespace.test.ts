import { expect, test } from 'vitest'
import { isNotFound } from '../../../src/api/status.ts'
import { configMaps, deployments, namespaces, pods } from '../../../src/client/resources.ts'
import { startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } }

test('a deleted namespace takes everything in it along', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  const namespace = 'doomed'
  await client.create(namespaces, { metadata: { name: namespace } })
  await until(async () => {
    await client.create(deployments, {
      metadata: { name: 'web', namespace },
      spec: { replicas: 5, selector: { matchLabels: { app: 'web' } }, template },
    })
  })
  await until(async () => expect((await client.list(pods, { namespace })).items).toHaveLength(5))
  await client.delete(namespaces, namespace)
  await until(async () => {
    await expect(client.get(namespaces, namespace)).rejects.toSatisfy(isNotFound)
  })
  expect((await client.list(pods, {})).items.filter(({ metadata }) => metadata.namespace === namespace)).toEqual([])
})

test('what a finalizer holds holds the namespace, which says so', async () => {
  await using cluster = await startTestCluster({ nodeCount: 0 })
  const { client } = cluster
  const namespace = 'held'
  await client.create(namespaces, { metadata: { name: namespace } })
  await client.create(configMaps, { metadata: { name: 'keep', namespace, finalizers: ['example.com/hold'] } })
  await client.delete(namespaces, namespace)
  await until(async () => {
    const { status } = await client.get(namespaces, namespace)
    expect(status?.phase).toBe('Terminating')
    const remaining = status?.conditions?.find(({ type }) => type === 'NamespaceFinalizersRemaining')
    expect(remaining?.message).toContain('example.com/hold in 1 resource instances')
  })
  await client.patch(configMaps, 'keep', 'merge', { metadata: { finalizers: null } }, { namespace })
  await until(async () => {
    await expect(client.get(namespaces, namespace)).rejects.toSatisfy(isNotFound)
  })
})
