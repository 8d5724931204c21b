/** Canaries of Deployments: made by the server, and nothing of them left whichever way they end, also when whoever asked for them dies. */
import { expect, test } from 'vitest'
import type { Deployment } from '../../src/api/types.ts'
import type { Client } from '../../src/client/client.ts'
import { deployments } from '../../src/client/resources.ts'
import { abort, promote, type Roll, resume, roll, rollback } from '../../src/rollout/index.ts'
import { startTestCluster, type TestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'
import { createWeb, optionsFor, watchAvailability } from './cluster.ts'
import { mortal } from './mortal.ts'

const namespace = 'default'
const KIND = 'Deployment'
const PATIENCE_MS = 30_000

const optionsOf = (cluster: TestCluster, more = {}) => optionsFor(cluster, KIND, { timeoutMs: PATIENCE_MS, ...more })
const read = ({ client }: { client: Client }) => client.get(deployments, 'web', { namespace })

/** What a roll may change, and must give back. */
function ownOf({ spec, metadata }: Deployment) {
  const { strategy, minReadySeconds, progressDeadlineSeconds, paused, replicas } = spec ?? {}
  const left = Object.keys(metadata.annotations ?? {}).filter((key) => ['skiff.dev/canary', 'skiff.dev/paused'].includes(key))
  return { strategy, minReadySeconds, progressDeadlineSeconds, paused: paused ?? false, replicas, left }
}

const untilImages = (seen: { images(): string[] }, images: string[]) =>
  until(() => expect(seen.images().sort()).toEqual(images), PATIENCE_MS)
const three = (image: string) => Array(3).fill(image)

test('a canary comes on top of the old pods, is promoted, and another one is aborted', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, KIND)
  const before = ownOf(await read(cluster))
  const seen = watchAvailability(cluster)
  const canary = optionsOf(cluster, { images: { c: 'web:v2' }, canary: '10%' })
  expect(await roll(canary).result()).toMatchObject({
    outcome: 'canary',
    changed: true,
    new: { replicas: 1, ready: 1 },
    old: { replicas: 3 },
  })
  await untilImages(seen, [...three('web:v1'), 'web:v2'])
  const held = await read(cluster)
  expect(held.spec).toMatchObject({ paused: true, progressDeadlineSeconds: before.progressDeadlineSeconds })
  expect(held.spec?.minReadySeconds ?? 0).toBe(0)
  // Asked for again, it is there already.
  expect(await roll(canary).result()).toMatchObject({ outcome: 'canary', changed: false })
  expect(await resume(optionsOf(cluster)).result()).toMatchObject({ outcome: 'canary', changed: false })
  expect((await read(cluster)).metadata.resourceVersion).toBe(held.metadata.resourceVersion)

  expect(await promote(optionsOf(cluster)).result()).toMatchObject({ outcome: 'done', new: { replicas: 3 } })
  await untilImages(seen, three('web:v2'))
  expect(ownOf(await read(cluster))).toEqual(before)

  expect(await roll({ ...canary, images: { c: 'web:v3' }, canary: 2 }).result()).toMatchObject({ new: { replicas: 2 } })
  await untilImages(seen, [...three('web:v2'), 'web:v3', 'web:v3'])
  expect(await abort(optionsOf(cluster)).result()).toMatchObject({ outcome: 'done' })
  await untilImages(seen, three('web:v2'))
  expect(ownOf(await read(cluster))).toEqual(before)
  expect(seen.lowest()).toBe(3)
  expect(seen.highest()).toBeLessThanOrEqual(5)
})

test('a canary that never is ready stops there, is replaced by another, and rolled back', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v2')
  await createWeb(cluster, KIND)
  await cluster.client.patch(deployments, 'web', 'merge', { spec: { minReadySeconds: 1 } }, { namespace })
  const before = ownOf(await read(cluster))
  const seen = watchAvailability(cluster)
  const broken = optionsOf(cluster, { images: { c: 'web:v2' }, canary: 1, timeoutMs: 500 })
  expect(await roll(broken).result()).toMatchObject({ outcome: 'no-progress', new: { replicas: 1, ready: 0 } })
  expect(await roll(optionsOf(cluster, { images: { c: 'web:v3' }, canary: 1 })).result()).toMatchObject({ outcome: 'canary' })
  await untilImages(seen, [...three('web:v1'), 'web:v3'])
  // The two of them, and then the one that was there before both.
  expect(await rollback(optionsOf(cluster, { toRevision: 1 })).result()).toMatchObject({ outcome: 'done' })
  await untilImages(seen, three('web:v1'))
  expect(ownOf(await read(cluster))).toEqual(before)
  expect(seen.lowest()).toBe(3)
})

test('what is said of pace at its end holds, and what is not comes back', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, KIND)
  const before = ownOf(await read(cluster))
  const strategyOf = async () => (await read(cluster)).spec?.strategy?.rollingUpdate
  const unavailable = before.strategy?.rollingUpdate?.maxUnavailable
  const canary = (image: string, more = {}) => roll(optionsOf(cluster, { images: { c: image }, canary: 1, ...more })).result()
  await canary('web:v2', { minReadySeconds: 1 })
  await promote(optionsOf(cluster, { maxSurge: 2 })).result()
  expect(await strategyOf()).toEqual({ maxSurge: 2, maxUnavailable: unavailable })
  expect((await read(cluster)).spec?.minReadySeconds).toBe(1)
  await canary('web:v3')
  await rollback(optionsOf(cluster, { maxSurge: 3 })).result()
  expect(await strategyOf()).toEqual({ maxSurge: 3, maxUnavailable: unavailable })
  await canary('web:v3')
  await roll(optionsOf(cluster, { images: { c: 'web:v4' }, maxSurge: 1 })).result()
  expect(await strategyOf()).toEqual({ maxSurge: 1, maxUnavailable: unavailable })
  expect(ownOf(await read(cluster))).toMatchObject({ paused: false, left: [], minReadySeconds: 1 })
})

test('interrupted before its pods are ready it pauses with its own patience, and is gone on with', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v2')
  await createWeb(cluster, KIND)
  const before = ownOf(await read(cluster))
  const stopping = new AbortController()
  const options = optionsOf(cluster, { images: { c: 'web:v2' }, canary: 1, signal: stopping.signal })
  const rolling = roll(options).result()
  await until(async () => expect((await read(cluster)).status?.updatedReplicas).toBe(1), PATIENCE_MS)
  stopping.abort()
  expect(await rolling).toMatchObject({ outcome: 'interrupted' })
  const { minReadySeconds, paused } = ownOf(await read(cluster))
  expect({ minReadySeconds, paused }).toEqual({ minReadySeconds: before.minReadySeconds, paused: true })
  // Gone on with, it waits for its pods as before.
  expect(await resume(optionsOf(cluster, { timeoutMs: 500 })).result()).toMatchObject({ outcome: 'no-progress', changed: true })
  expect((await read(cluster)).spec?.paused ?? false).toBe(false)
  expect(await rollback(optionsOf(cluster)).result()).toMatchObject({ outcome: 'done' })
  expect(ownOf(await read(cluster))).toEqual(before)
  expect(await roll(optionsOf(cluster, { images: { c: 'web:v3' }, canary: 1 })).result()).toMatchObject({ outcome: 'canary' })
})

const WAYS = {
  finished: (cluster: TestCluster) => promote(optionsOf(cluster)),
  'gone on with': (cluster: TestCluster) => resume(optionsOf(cluster)),
  undone: (cluster: TestCluster) => rollback(optionsOf(cluster)),
  aborted: (cluster: TestCluster) => abort(optionsOf(cluster)),
} satisfies Record<string, (cluster: TestCluster) => Roll>

test.each(Object.entries(WAYS))('whoever asked for it dies after any request: %s', { timeout: 300_000 }, async (way, end) => {
  let isOver = false
  for (let last = 1; !isOver; last++) {
    await using cluster = await startTestCluster()
    await createWeb(cluster, KIND)
    const before = ownOf(await read(cluster))
    const seen = watchAvailability(cluster)
    const body = mortal(cluster.client.transport, last)
    const doomed = roll({
      ...optionsOf(cluster, { images: { c: 'web:v2' }, canary: 1 }),
      ...{ client: body.client, clock: body.clock },
    }).result()
    doomed.catch(() => {})
    isOver = (await Promise.race([doomed, body.died])) !== 'died'
    const { spec } = await read(cluster)
    const hadBegun = spec?.template.spec?.containers[0]?.image === 'web:v2'
    if (way === 'gone on with') {
      const { outcome } = await end(cluster).result()
      expect(outcome).toBe(hadBegun ? 'canary' : 'unchanged')
      await promote(optionsOf(cluster)).result()
    } else if (hadBegun || way !== 'undone') await end(cluster).result()
    const isBack = way === 'undone' || way === 'aborted'
    await untilImages(seen, three(hadBegun && !isBack ? 'web:v2' : 'web:v1'))
    expect({ last, ...ownOf(await read(cluster)) }).toEqual({ last, ...before })
    expect({ last, lowest: seen.lowest() }).toEqual({ last, lowest: 3 })
    expect(last).toBeLessThan(20)
  }
})

test('what can have none is refused by name', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, KIND)
  const to = (more: object) => roll(optionsOf(cluster, { images: { c: 'web:v2' }, canary: 1, ...more })).result()
  await expect(to({ maxSurge: 1 })).rejects.toThrow('it takes no surge and no unavailability')
  await expect(to({ canary: 0 })).rejects.toThrow('needs a pod')
  await cluster.client.patch(
    deployments,
    'web',
    'merge',
    { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } },
    { namespace },
  )
  await expect(to({})).rejects.toThrow('deployment/web recreates its pods: it has no canary')
})
