import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Deployment, Pod } from '../src/api/types.ts'
import type { Client, ResourceRef } from '../src/client/client.ts'
import { deployments, nodes, pods } from '../src/client/resources.ts'
import { startCluster } from '../src/cluster.ts'
import { startTestCluster } from '../src/testing.ts'

/** Resolves with the object as soon as it meets the condition; the watch is the clock. */
async function until<T extends { metadata: { name?: string | undefined; resourceVersion?: string | undefined } }>(
  client: Client,
  resource: ResourceRef<T>,
  name: string,
  holds: (object: T) => boolean,
): Promise<T> {
  const stop = new AbortController()
  const list = await client.list(resource, { namespace: 'default', fieldSelector: `metadata.name=${name}` })
  for (const object of list.items) if (holds(object)) return object
  const from = { namespace: 'default', resourceVersion: list.metadata.resourceVersion, signal: stop.signal }
  try {
    for await (const events of client.watch(resource, from)) {
      for (const { object } of events) if (object.metadata.name === name && holds(object)) return object
    }
  } finally {
    stop.abort()
  }
  throw new Error(`the watch of ${resource.plural} ended`)
}

const deployment = (image: string, replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
  },
})

describe('startCluster', () => {
  it('refuses several nodes of the one machine, and starts none when none is asked for', async () => {
    await expect(startCluster({ runtime: 'local', nodes: 2 })).rejects.toThrow('the local runtime has one node')
    await using cluster = await startCluster({ nodes: 0, controllers: false })
    expect((await cluster.client.list(nodes, {})).items).toEqual([])
  })

  it('runs, rolls and scales a Deployment on simulated nodes, spread over them', async () => {
    await using cluster = await startTestCluster({ nodes: 3 })
    const { client } = cluster
    await client.create(deployments, deployment('app:v1', 6))
    await until(client, deployments, 'web', (d) => d.status?.availableReplicas === 6)
    const placed = (await client.list(pods, { namespace: 'default' })).items
    const perNode = new Map<string, number>()
    for (const pod of placed) perNode.set(pod.spec?.nodeName ?? '', (perNode.get(pod.spec?.nodeName ?? '') ?? 0) + 1)
    expect([...perNode.values()]).toEqual([2, 2, 2])
    await client.patch(
      deployments,
      'web',
      'strategic',
      { spec: { template: { spec: { containers: [{ name: 'c', image: 'app:v2' }] } } } },
      { namespace: 'default' },
    )
    await until(client, deployments, 'web', ({ metadata, status }) => {
      const seen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
      return seen && status?.updatedReplicas === 6 && status.replicas === 6 && status.availableReplicas === 6
    })
    const running = (await client.list(pods, { namespace: 'default' })).items.filter((p) => !p.metadata.deletionTimestamp)
    expect(new Set(running.map((p) => p.spec?.containers[0]?.image))).toEqual(new Set(['app:v2']))
  })

  it('says why a pod fits nowhere, and places it once a node can take it', async () => {
    await using cluster = await startTestCluster()
    const { client } = cluster
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'picky', namespace: 'default' },
      spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'app' }] },
    }
    await client.create(pods, pod)
    const refused = await until(
      client,
      pods,
      'picky',
      (p) => p.status?.conditions?.some((c) => c.reason === 'Unschedulable') ?? false,
    )
    expect(refused.status?.conditions?.find((c) => c.type === 'PodScheduled')?.message).toBe(
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    )
    await client.patch(nodes, 'skiff', 'merge', { metadata: { labels: { disk: 'ssd' } } })
    expect((await until(client, pods, 'picky', (p) => p.status?.phase === 'Running')).spec?.nodeName).toBe('skiff')
  })

  it('several at once, each gone when it is stopped', async () => {
    const clusters = await Promise.all([startTestCluster(), startTestCluster({ runtime: 'none', controllers: false })])
    expect(clusters[0].url).not.toBe(clusters[1].url)
    await Promise.all(clusters.map((cluster) => cluster.stop()))
    for (const { dataDirectory } of clusters) expect(existsSync(dataDirectory)).toBe(false)
    const script = `import('./src/index.ts').then(async ({ startCluster }) => { const c = await startCluster({ runtime: 'simulated' }); await c.stop(); console.log('stopped') })`
    // Nothing may keep the process alive once the cluster has stopped.
    expect(execFileSync('npx', ['tsx', '-e', script], { encoding: 'utf8', timeout: 50_000 })).toContain('stopped')
  })
})
