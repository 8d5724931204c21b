import { expect, test } from 'vitest'
import type { StatusError } from '../../../src/api/status.ts'
import { configMaps, deployments, namespaces, pods, resourceQuotas, serviceAccounts } from '../../../src/client/resources.ts'
import { serviceAccountController } from '../../../src/controllers/accounts/service-account.ts'
import { resourceQuotaController } from '../../../src/controllers/quota/resource-quota.ts'
import { startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

test('a quota takes effect, follows what is created and deleted, and frees what is gone', async () => {
  await using cluster = await startTestCluster({
    nodeCount: 0,
    reconcilers: [serviceAccountController(), resourceQuotaController()],
  })
  const { client } = cluster
  const namespace = 'limited'
  await client.create(namespaces, { metadata: { name: namespace } })
  await until(async () => void (await client.get(serviceAccounts, 'default', { namespace })))
  const hard = { configmaps: '2', pods: '5', 'requests.cpu': '1', 'count/deployments.apps': '1' }
  await client.create(resourceQuotas, { metadata: { name: 'q', namespace }, spec: { hard } })
  const used = async () => (await client.get(resourceQuotas, 'q', { namespace })).status?.used
  await until(async () =>
    expect(await used()).toEqual({ configmaps: '0', pods: '0', 'requests.cpu': '0', 'count/deployments.apps': '0' }),
  )
  for (const name of ['a', 'b']) await client.create(configMaps, { metadata: { name, namespace } })
  const refusal = await client.create(configMaps, { metadata: { name: 'c', namespace } }).catch((error: unknown) => error)
  expect((refusal as StatusError).message).toContain(
    'exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2',
  )
  const resources = { requests: { cpu: '600m' } }
  await client.create(pods, { metadata: { name: 'p', namespace }, spec: { containers: [{ name: 'c', image: 'x', resources }] } })
  const labels = { a: 'b' }
  await client.create(deployments, {
    metadata: { name: 'd', namespace },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x' }] } },
    },
  })
  await until(async () =>
    expect(await used()).toEqual({ configmaps: '2', pods: '1', 'requests.cpu': '600m', 'count/deployments.apps': '1' }),
  )
  await client.delete(configMaps, 'a', { namespace })
  await client.delete(pods, 'p', { namespace, gracePeriodSeconds: 0 })
  await until(async () =>
    expect(await used()).toEqual({ configmaps: '1', pods: '0', 'requests.cpu': '0', 'count/deployments.apps': '1' }),
  )
  await client.create(configMaps, { metadata: { name: 'c', namespace } })
  expect((await used())?.configmaps).toBe('2')
})
