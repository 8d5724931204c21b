import { expect, test } from 'vitest'
import { configMaps, namespaces, serviceAccounts } from '../../../src/client/resources.ts'
import { startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

test('every namespace has its service account and the CA, at once and again', async () => {
  await using cluster = await startTestCluster({ nodeCount: 0 })
  const { client } = cluster
  await until(async () =>
    expect((await client.get(serviceAccounts, 'default', { namespace: 'kube-system' })).metadata.uid).toBeTruthy(),
  )
  const started = performance.now()
  await client.create(namespaces, { metadata: { name: 'fresh' } })
  await until(async () => void (await client.get(serviceAccounts, 'default', { namespace: 'fresh' })))
  expect(performance.now() - started).toBeLessThan(500)
  await until(async () => {
    const { data } = await client.get(configMaps, 'kube-root-ca.crt', { namespace: 'fresh' })
    expect(data?.['ca.crt']).toContain('BEGIN CERTIFICATE')
  })

  await client.delete(serviceAccounts, 'default', { namespace: 'fresh' })
  await client.patch(configMaps, 'kube-root-ca.crt', 'merge', { data: { 'ca.crt': 'forged' } }, { namespace: 'fresh' })
  await until(async () => {
    await client.get(serviceAccounts, 'default', { namespace: 'fresh' })
    const { data } = await client.get(configMaps, 'kube-root-ca.crt', { namespace: 'fresh' })
    expect(data?.['ca.crt']).toContain('BEGIN CERTIFICATE')
  })
})
