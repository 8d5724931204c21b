/** Templates of the history by their numbers: shown, rolled to, and gone back to. */
import { expect, test } from 'vitest'
import { controllerRevisions, replicaSets, replicationControllers } from '../../src/client/resources.ts'
import { historyOf, previewRoll, type RollKind, revisionOf, roll, rollback } from '../../src/rollout/index.ts'
import { startTestCluster, type TestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'
import { controllersOf, createWeb, optionsFor, watchAvailability } from './cluster.ts'

const namespace = 'default'
const RC = 'ReplicationController'

/** Images by the revision that has them. */
async function revisionsOf(cluster: TestCluster, kind: RollKind): Promise<Record<number, string>> {
  const history = await historyOf(optionsFor(cluster, kind))
  return Object.fromEntries(history.map(({ revision, images, isCurrent }) => [revision, `${images}${isCurrent ? ' now' : ''}`]))
}

test.each([RC, 'ReplicaSet'] as const)('%s: numbers stay with their templates, and lead to them', async (kind) => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, kind)
  const seen = watchAvailability(cluster)
  for (const image of ['web:v2', 'web:v3']) await roll(optionsFor(cluster, kind, { images: { c: image } })).result()
  expect(await revisionsOf(cluster, kind)).toEqual({ 1: 'web:v1', 2: 'web:v2', 3: 'web:v3 now' })
  const first = await revisionOf({ ...optionsFor(cluster, kind), revision: 1 })
  expect(first).toMatchObject({ revision: 1, name: 'web', template: { spec: { containers: [{ image: 'web:v1' }] } } })
  expect(first.template?.metadata?.labels).toEqual({ app: 'web' })

  // Beyond the last one: rolled to, with the controller that has it.
  expect(await rollback(optionsFor(cluster, kind, { toRevision: 1 })).result()).toMatchObject({
    outcome: 'done',
    new: { name: 'web' },
  })
  expect(await revisionsOf(cluster, kind)).toEqual({ 1: 'web:v1 now', 2: 'web:v2', 3: 'web:v3' })
  expect(await rollback(optionsFor(cluster, kind, { toRevision: 1 })).result()).toMatchObject({
    outcome: 'unchanged',
    changed: false,
  })
  expect((await previewRoll(optionsFor(cluster, kind, { toRevision: 2 }))).message).toMatch(/to r[cs]\/web-\w+, which exists/)
  expect(await roll(optionsFor(cluster, kind, { toRevision: 2 })).result()).toMatchObject({ outcome: 'done' })
  expect(await revisionsOf(cluster, kind)).toEqual({ 1: 'web:v1', 2: 'web:v2 now', 3: 'web:v3' })
  // The last one: a rollback like any other, which is not gone back from.
  expect((await rollback(optionsFor(cluster, kind, { toRevision: 1 })).result()).message).toMatch(/^rolled back to r[cs]\/web$/)
  expect((await rollback(optionsFor(cluster, kind)).result()).message).toContain('was rolled back already')
  expect(seen.lowest()).toBe(3)
  await roll(optionsFor(cluster, kind, { images: { c: 'web:v4' } })).result()
  expect(await revisionsOf(cluster, kind)).toEqual({ 1: 'web:v1', 2: 'web:v2', 3: 'web:v3', 4: 'web:v4 now' })

  const unknown = /^r[cs]\/web has no revision 9; there is 4 \(web:v4; now\), 3 \(web:v3\), 2 \(web:v2\), 1 \(web:v1\)$/
  await expect(rollback(optionsFor(cluster, kind, { toRevision: 9 })).result()).rejects.toThrow(unknown)
  await expect(roll(optionsFor(cluster, kind, { toRevision: 9 })).result()).rejects.toThrow(unknown)
  await expect(revisionOf({ ...optionsFor(cluster, kind), revision: 9 })).rejects.toThrow(unknown)
  await expect(roll(optionsFor(cluster, kind, { toRevision: 1, images: { c: 'x' } })).result()).rejects.toThrow('as it was')
})

test('in the middle of a roll: back, a conflict with where it goes, and over to a third', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC)
  await roll(optionsFor(cluster, RC, { images: { c: 'web:v2' } })).result()
  const canary = optionsFor(cluster, RC, { images: { c: 'web:v3' }, canary: 1 })
  await roll(canary).result()
  expect(await rollback(optionsFor(cluster, RC, { toRevision: 3 })).result()).toMatchObject({
    outcome: 'conflict',
    changed: false,
  })
  expect(await rollback(optionsFor(cluster, RC, { toRevision: 2 })).result()).toMatchObject({ outcome: 'done' })
  expect(await revisionsOf(cluster, RC)).toEqual({ 1: 'web:v1', 2: 'web:v2 now', 3: 'web:v3' })
  await roll(canary).result()
  expect(await rollback(optionsFor(cluster, RC, { toRevision: 1 })).result()).toMatchObject({
    outcome: 'done',
    new: { name: 'web' },
  })
  const counts = (await controllersOf(cluster, RC)).map(({ metadata, spec }) => [metadata.name === 'web', spec?.replicas])
  expect(counts.sort()).toEqual([
    [false, 0],
    [false, 0],
    [true, 3],
  ])
})

test('a pet keeps its name through its revisions', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC)
  for (const image of ['web:v2', 'web:v3']) await roll(optionsFor(cluster, RC, { images: { c: image }, pet: true })).result()
  expect(await revisionsOf(cluster, RC)).toEqual({ 1: 'web:v1', 2: 'web:v2', 3: 'web:v3 now' })
  expect(await rollback(optionsFor(cluster, RC, { toRevision: 1 })).result()).toMatchObject({ outcome: 'done' })
  const web = await cluster.client.get(replicationControllers, 'web', { namespace })
  expect(web.spec?.template?.spec?.containers[0]?.image).toBe('web:v1')
  expect(web.status?.readyReplicas).toBe(3)
  expect(await revisionsOf(cluster, RC)).toEqual({ 1: 'web:v1 now', 2: 'web:v2', 3: 'web:v3' })
})

test('two controllers made by hand and rolled to each other are numbered by their age', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC)
  const { spec } = await cluster.client.get(replicationControllers, 'web', { namespace })
  const template = { ...spec?.template, metadata: { labels: { app: 'next' } } }
  await cluster.client.create(
    replicationControllers,
    { metadata: { name: 'next' }, spec: { replicas: 0, selector: { app: 'next' }, template } },
    { namespace },
  )
  await roll(optionsFor(cluster, RC, { toName: 'next' })).result()
  const history = await historyOf(optionsFor(cluster, RC))
  expect(history.map(({ name, revision }) => [name, revision]).sort()).toHaveLength(2)
  expect(new Set(history.map(({ revision }) => revision))).toEqual(new Set([1, 2]))
  const before = Object.fromEntries(history.map(({ name, revision }) => [name, revision]))
  await cluster.client.delete(replicationControllers, 'web', { namespace })
  await until(async () => {
    const after = await historyOf({ ...optionsFor(cluster, RC), target: { kind: RC, name: 'next' } })
    expect(after).toMatchObject([{ name: 'next', revision: before.next }])
  })
})

test.each(['Deployment', 'StatefulSet'] as const)('%s: the numbers are the server’s, as kubectl shows them', async (kind) => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, kind)
  for (const image of ['web:v2', 'web:v3']) await roll(optionsFor(cluster, kind, { images: { c: image } })).result()
  expect(await revisionsOf(cluster, kind)).toEqual({ 1: 'web:v1', 2: 'web:v2', 3: 'web:v3 now' })
  const second = await revisionOf({ ...optionsFor(cluster, kind), revision: 2 })
  expect(second.template?.spec?.containers[0]?.image).toBe('web:v2')
  expect(await rollback(optionsFor(cluster, kind, { toRevision: 3 })).result()).toMatchObject({
    outcome: 'unchanged',
    message: `${kind.toLowerCase()}/web already runs revision 3`,
  })
  expect(await rollback(optionsFor(cluster, kind, { toRevision: 1 })).result()).toMatchObject({ outcome: 'done' })
  // What a Deployment or a StatefulSet goes back to gets the next number.
  expect(await revisionsOf(cluster, kind)).toEqual({ 2: 'web:v2', 3: 'web:v3', 4: 'web:v1 now' })
  const numbers =
    kind === 'Deployment'
      ? (await cluster.client.list(replicaSets, { namespace })).items.map(({ metadata }) =>
          Number(metadata.annotations?.['deployment.kubernetes.io/revision']),
        )
      : (await cluster.client.list(controllerRevisions, { namespace })).items.map(({ revision }) => revision)
  expect(numbers.sort()).toEqual([2, 3, 4])
  expect(await roll(optionsFor(cluster, kind, { toRevision: 2 })).result()).toMatchObject({ outcome: 'done' })
  expect(await revisionsOf(cluster, kind)).toEqual({ 3: 'web:v3', 4: 'web:v1', 5: 'web:v2 now' })
  await expect(rollback(optionsFor(cluster, kind, { toRevision: 2 })).result()).rejects.toThrow(
    `${kind.toLowerCase()}/web has no revision 2; there is 5 (web:v2; now), 4 (web:v1), 3 (web:v3)`,
  )
})
