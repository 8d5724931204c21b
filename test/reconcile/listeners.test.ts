import { expect, it } from 'vitest'
import { configMaps } from '../../src/client/resources.ts'
import { startTestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'

it('many informers and waits on one signal are no leak', async () => {
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  try {
    await using cluster = await startTestCluster({ nodeCount: 0 })
    const { client } = cluster
    const name = (owner: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: owner } })
    const owner = await client.create(configMaps, name('owner'), { namespace: 'default' })
    const { uid = '' } = owner.metadata
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }]
    await client.create(configMaps, { ...name('owned'), metadata: { name: 'owned', ownerReferences } }, { namespace: 'default' })
    await client.delete(configMaps, 'owner', { namespace: 'default' })
    // The garbage collector listens to every kind by then.
    await until(async () => {
      const { items } = await client.list(configMaps, { namespace: 'default' })
      expect(items.map(({ metadata }) => metadata.name)).not.toContain('owned')
    })
  } finally {
    process.off('warning', warned)
  }
  expect(warnings).toEqual([])
})
