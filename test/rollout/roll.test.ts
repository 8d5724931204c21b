import { expect, test } from 'vitest'
import { deployments, pods } from '../../src/client/resources.ts'
import { type Progress, previewRoll, roll, rollback } from '../../src/rollout/index.ts'
import { startTestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'
import { controllersOf, createWeb, optionsFor, watchAvailability } from './cluster.ts'

const namespace = 'default'

test.each(['ReplicationController', 'ReplicaSet'] as const)('%s: rolls forward, again, and back', async (kind) => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, kind)
  const before = (await cluster.client.list(pods, { namespace })).items.map(({ metadata }) => metadata.uid)
  const seen = watchAvailability(cluster)
  const events: Progress[] = []
  const rolling = roll(optionsFor(cluster, kind, { images: { c: 'web:v2' } }))
  for await (const event of rolling) {
    events.push(event)
    // Labelling replaces no pod, and none is left without its controller.
    if (event.message === `labelled the template and pods of ${kind === 'ReplicaSet' ? 'rs' : 'rc'}/web` && events.length === 2) {
      const { items } = await cluster.client.list(pods, { namespace })
      expect(items.map(({ metadata }) => metadata.uid).sort()).toEqual(before.sort())
      for (const { metadata } of items)
        expect(metadata).toMatchObject({
          ownerReferences: [{ name: 'web' }],
          labels: { 'skiff.dev/template': expect.any(String) },
        })
    }
  }
  const result = await rolling.result()
  expect(result).toMatchObject({
    outcome: 'done',
    changed: true,
    old: { name: 'web', replicas: 0 },
    new: { replicas: 3, ready: 3 },
  })
  expect(events.at(-1)?.phase).toBe('Complete')
  expect(result.new.name).toMatch(/^web-[a-z2-9]{10}$/)
  expect(seen.images()).toEqual(['web:v2', 'web:v2', 'web:v2'])
  for (const controller of await controllersOf(cluster, kind)) {
    expect(controller.metadata.annotations).toMatchObject({ 'skiff.dev/phase': 'Complete', 'skiff.dev/original-replicas': '3' })
  }

  const again = await roll(optionsFor(cluster, kind, { images: { c: 'web:v2' } })).result()
  expect(again).toMatchObject({ outcome: 'unchanged', changed: false })

  const back = await rollback(optionsFor(cluster, kind)).result()
  expect(back).toMatchObject({ outcome: 'done', new: { name: 'web', replicas: 3, ready: 3 }, old: { replicas: 0 } })
  expect(seen.images()).toEqual(['web:v1', 'web:v1', 'web:v1'])
  expect(await rollback(optionsFor(cluster, kind)).result()).toMatchObject({ outcome: 'unchanged' })

  // What is history is used again, not made anew.
  const forward = await roll(optionsFor(cluster, kind, { images: { '*': 'web:v2' } })).result()
  expect(forward.new.name).toBe(result.new.name)
  expect(await controllersOf(cluster, kind)).toHaveLength(2)
  expect(seen.lowest()).toBe(3)
  expect(seen.highest()).toBe(4)
})

test('a roll without progress pauses, keeps what serves, and is rolled back', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v3')
  await createWeb(cluster, 'ReplicationController')
  const seen = watchAvailability(cluster)
  const options = optionsFor(cluster, 'ReplicationController', { images: { c: 'web:v3' }, timeoutMs: 300 })
  expect(await roll(options).result()).toMatchObject({
    outcome: 'no-progress',
    old: { replicas: 3, ready: 3 },
    new: { ready: 0 },
  })
  const phases = (await controllersOf(cluster, 'ReplicationController')).map(
    (one) => one.metadata.annotations?.['skiff.dev/phase'],
  )
  expect(phases).toEqual(['Paused', 'Paused'])
  const other = await roll({ ...options, images: { c: 'web:v4' } }).result()
  expect(other).toMatchObject({ outcome: 'conflict', changed: false })
  const back = await rollback(optionsFor(cluster, 'ReplicationController')).result()
  expect(back).toMatchObject({ outcome: 'done', new: { name: 'web', replicas: 3 }, old: { replicas: 0 } })
  expect(seen.lowest()).toBe(3)
  expect(seen.highest()).toBe(4)
})

test('a rollback takes over from the roll that is under way, which ends saying so', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v3')
  await createWeb(cluster, 'ReplicationController')
  const seen = watchAvailability(cluster)
  const rolling = roll(optionsFor(cluster, 'ReplicationController', { images: { c: 'web:v3' } })).result()
  await until(async () => {
    const all = await controllersOf(cluster, 'ReplicationController')
    expect(all.map(({ spec }) => spec?.replicas).sort()).toEqual([1, 3])
  })
  const back = await rollback(optionsFor(cluster, 'ReplicationController')).result()
  expect(back).toMatchObject({ outcome: 'done', new: { name: 'web', replicas: 3, ready: 3 } })
  expect(await rolling).toMatchObject({ outcome: 'rolled-back' })
  expect(seen.lowest()).toBe(3)
})

test('a roll without surge goes down by what may be unavailable, and no further', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, 'ReplicaSet', 4)
  const seen = watchAvailability(cluster)
  const options = optionsFor(cluster, 'ReplicaSet', { images: { c: 'web:v2' }, maxSurge: 0, maxUnavailable: '25%' })
  expect(await roll(options).result()).toMatchObject({ outcome: 'done', new: { replicas: 4, ready: 4 } })
  expect(seen.lowest()).toBe(3)
})

test('an interrupted roll pauses and is resumed', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, 'ReplicationController')
  const stopping = new AbortController()
  const options = optionsFor(cluster, 'ReplicationController', { images: { c: 'web:v2' } })
  const rolling = roll({ ...options, signal: stopping.signal })
  for await (const event of rolling) if (event.new.ready > 0) stopping.abort()
  expect((await rolling.result()).outcome).toBe('interrupted')
  expect(await roll(options).result()).toMatchObject({ outcome: 'done', new: { replicas: 3, ready: 3 } })
})

test('two controllers are rolled to each other by name', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, 'ReplicaSet')
  const options = optionsFor(cluster, 'ReplicaSet', { images: { c: 'web:v2' }, toName: 'web-next' })
  expect(await roll(options).result()).toMatchObject({ outcome: 'done', new: { name: 'web-next' } })
  const target = { kind: 'ReplicaSet', name: 'web-next' } as const
  const back = await roll(optionsFor(cluster, 'ReplicaSet', { target, toName: 'web' })).result()
  expect(back).toMatchObject({ outcome: 'done', new: { name: 'web', replicas: 3 } })
})

test('Deployment: rolls, says when nothing changes, stops without progress, and goes back', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v3')
  await createWeb(cluster, 'Deployment')
  const seen = watchAvailability(cluster)
  const options = optionsFor(cluster, 'Deployment', { maxUnavailable: 0, maxSurge: 1 })
  const done = await roll({ ...options, images: { c: 'web:v2' } }).result()
  expect(done).toMatchObject({ outcome: 'done', changed: true, new: { replicas: 3, ready: 3 } })
  expect(await roll({ ...options, images: { c: 'web:v2' } }).result()).toMatchObject({ outcome: 'unchanged', changed: false })
  const stuck = await roll({ ...options, images: { c: 'web:v3' }, timeoutMs: 300 }).result()
  expect(stuck).toMatchObject({ outcome: 'no-progress', new: { ready: 0 } })
  expect(await rollback(options).result()).toMatchObject({ outcome: 'done', new: { replicas: 3, ready: 3 } })
  const after = await cluster.client.get(deployments, 'web', { namespace })
  expect(after.spec?.template.spec?.containers[0]?.image).toBe('web:v2')
  expect(seen.lowest()).toBe(3)
})

test('what cannot be rolled is refused before anything changes', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, 'ReplicationController')
  const options = optionsFor(cluster, 'ReplicationController')
  await expect(roll({ ...options, images: { nobody: 'web:v2' } }).result()).rejects.toThrow('no container is named "nobody"')
  await expect(roll({ ...options, images: { c: 'web:v2' }, maxSurge: 0 }).result()).rejects.toThrow('both 0')
  await expect(rollback(options).result()).rejects.toThrow('was not rolled')
  expect(await controllersOf(cluster, 'ReplicationController')).toHaveLength(1)
})

test('Deployment: a whole template takes the place of the old one', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, 'Deployment')
  const template = {
    metadata: { labels: { app: 'web', tier: 'front' } },
    spec: { containers: [{ name: 'other', image: 'web:v2' }] },
  }
  const options = optionsFor(cluster, 'Deployment', { template })
  expect(await previewRoll(options)).toMatchObject({ changes: true })
  expect(await roll(options).result()).toMatchObject({ outcome: 'done', changed: true })
  const after = await cluster.client.get(deployments, 'web', { namespace })
  expect(after.spec?.template.spec?.containers.map(({ name }) => name)).toEqual(['other'])
  expect(await previewRoll(options)).toMatchObject({ changes: false })
  expect(await roll(options).result()).toMatchObject({ outcome: 'unchanged' })
  // The label that the earlier revision did not have goes again.
  expect(await rollback(optionsFor(cluster, 'Deployment')).result()).toMatchObject({ outcome: 'done' })
  const back = await cluster.client.get(deployments, 'web', { namespace })
  expect(back.spec?.template.metadata?.labels).toEqual({ app: 'web' })
})
