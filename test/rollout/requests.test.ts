/** The requests of a roll grow with its pods, and no faster. */
import { expect, test } from 'vitest'
import { createClient } from '../../src/client/create-client.ts'
import { roll } from '../../src/rollout/index.ts'
import { startTestCluster } from '../controllers/cluster.ts'
import { createWeb, optionsFor } from './cluster.ts'

async function requestsFor(pods: number, maxSurge: number | string): Promise<number> {
  await using cluster = await startTestCluster()
  await createWeb(cluster, 'ReplicationController', pods)
  const { transport } = cluster.client
  let count = 0
  const client = createClient({
    ...transport,
    request(request) {
      count += 1
      return transport.request(request)
    },
  })
  const options = optionsFor(cluster, 'ReplicationController', { images: { c: 'web:v2' }, maxSurge, timeoutMs: 60_000 })
  expect(await roll({ ...options, client }).result()).toMatchObject({ outcome: 'done', new: { ready: pods } })
  return count
}

test('one pod at a time, and a quarter of them', { timeout: 120_000 }, async () => {
  // Besides what every roll needs: a label for each old pod, and a change of each count for each pod.
  const [few, many] = [await requestsFor(10, 1), await requestsFor(40, 1)]
  expect(many - few).toBeLessThanOrEqual(30 * 4)
  const [quarter, more] = [await requestsFor(20, '25%'), await requestsFor(80, '25%')]
  expect(more - quarter).toBeLessThanOrEqual(60 * 3)
})
