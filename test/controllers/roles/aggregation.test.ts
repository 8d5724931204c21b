import { expect, test } from 'vitest'
import { clusterRoles } from '../../../src/client/resources.ts'
import { clusterRoleAggregationController } from '../../../src/controllers/roles/aggregation.ts'
import { startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const rule = { verbs: ['get'], apiGroups: ['example.com'], resources: ['widgets'] }

test('what a role gathers is in its rules, through roles that gather themselves, and goes with its part', async () => {
  await using cluster = await startTestCluster({ nodeCount: 0, reconcilers: [clusterRoleAggregationController()] })
  const { client } = cluster
  const allows = async (name: string) => JSON.stringify((await client.get(clusterRoles, name)).rules).includes('widgets')
  const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }
  await client.create(clusterRoles, { metadata: { name: 'widget-viewer', labels }, rules: [rule] })
  await until(async () => expect([await allows('view'), await allows('edit'), await allows('admin')]).toEqual([true, true, true]))
  expect(await allows('system:discovery')).toBe(false)
  await client.delete(clusterRoles, 'widget-viewer')
  await until(async () =>
    expect([await allows('view'), await allows('edit'), await allows('admin')]).toEqual([false, false, false]),
  )
})
