/** What a roll can do besides going from one end to the other. */
import { expect, test } from 'vitest'
import type { ReplicaSet, ReplicationController } from '../../src/api/types.ts'
import { daemonSets, leases, pods, replicationControllers, statefulSets } from '../../src/client/resources.ts'
import { abort, historyOf, type Progress, previewRoll, promote, resume, roll, rollback } from '../../src/rollout/index.ts'
import { startTestCluster, type TestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'
import { controllersOf, createWeb, optionsFor, watchAvailability } from './cluster.ts'

const namespace = 'default'
const RC = 'ReplicationController'
type Controller = ReplicationController | ReplicaSet

async function countsOf(cluster: TestCluster): Promise<Record<string, number | undefined>> {
  const all = await controllersOf(cluster, RC)
  return Object.fromEntries(all.map((one) => [imageOf(one), one.spec?.replicas]))
}

function imageOf(controller: Controller | undefined): string {
  return controller?.spec?.template?.spec?.containers[0]?.image ?? ''
}

test('a canary stops in Paused, is promoted, and another one is aborted with its controller and pods', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC, 4)
  const seen = watchAvailability(cluster)
  const canary = optionsFor(cluster, RC, { images: { c: 'web:v2' }, canary: '10%' })
  expect(await roll(canary).result()).toMatchObject({ outcome: 'canary', new: { replicas: 1, ready: 1 }, old: { replicas: 3 } })
  // Asked for again, it is there already.
  expect(await roll(canary).result()).toMatchObject({ outcome: 'canary', changed: false })
  expect(await resume(optionsFor(cluster, RC)).result()).toMatchObject({ outcome: 'canary', changed: false })
  expect(await promote(optionsFor(cluster, RC)).result()).toMatchObject({ outcome: 'done', new: { replicas: 4 } })
  await roll({ ...canary, images: { c: 'web:v3' } }).result()
  expect(await countsOf(cluster)).toEqual({ 'web:v1': 0, 'web:v2': 3, 'web:v3': 1 })
  expect(await abort(optionsFor(cluster, RC)).result()).toMatchObject({ outcome: 'done', new: { replicas: 4 } })
  expect(await countsOf(cluster)).toEqual({ 'web:v1': 0, 'web:v2': 4 })
  await until(() => expect(seen.images()).toEqual(Array(4).fill('web:v2')))
  expect(await abort(optionsFor(cluster, RC)).result()).toMatchObject({ outcome: 'unchanged' })
  expect(seen.lowest()).toBe(4)
})

test('asked for v3 while v2 is under way: a conflict, or with rollover v3; and back to where it began', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC)
  const seen = watchAvailability(cluster)
  await roll(optionsFor(cluster, RC, { images: { c: 'web:v2' }, canary: 1 })).result()
  const third = optionsFor(cluster, RC, { images: { c: 'web:v3' } })
  const refused = await roll(third).result()
  expect(refused).toMatchObject({ outcome: 'conflict', changed: false })
  expect(refused.message).toContain('--rollover')
  expect(await countsOf(cluster)).toEqual({ 'web:v1': 2, 'web:v2': 1 })
  cluster.setReady((image) => image !== 'web:v3')
  const stuck = await roll({ ...third, rollover: true, timeoutMs: 300 }).result()
  expect(stuck.outcome).toBe('no-progress')
  expect(await rollback(optionsFor(cluster, RC)).result()).toMatchObject({ outcome: 'done', new: { name: 'web', replicas: 3 } })
  expect(await countsOf(cluster)).toEqual({ 'web:v1': 3, 'web:v2': 0, 'web:v3': 0 })
  cluster.setReady(() => true)
  await roll(optionsFor(cluster, RC, { images: { c: 'web:v2' }, canary: 1 })).result()
  expect(await roll({ ...third, rollover: true }).result()).toMatchObject({ outcome: 'done' })
  expect(await countsOf(cluster)).toEqual({ 'web:v1': 0, 'web:v2': 0, 'web:v3': 3 })
  expect(seen.lowest()).toBe(3)
})

test('a side that is scaled from outside during the roll scales all of it in proportion', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC, 4)
  await roll(optionsFor(cluster, RC, { images: { c: 'web:v2' }, canary: 2 })).result()
  const patch = { spec: { replicas: 4 } }
  await cluster.client.patch(replicationControllers, 'web', 'merge', patch, { namespace })
  const events: Progress[] = []
  const going = promote(optionsFor(cluster, RC))
  for await (const event of going) events.push(event)
  expect(events.map(({ message }) => message)).toContain('rc/web was scaled from outside: rolling to 8')
  expect(await going.result()).toMatchObject({ outcome: 'done', new: { replicas: 8, ready: 8 } })
  expect(await rollback(optionsFor(cluster, RC)).result()).toMatchObject({ outcome: 'done', new: { name: 'web', replicas: 8 } })
})

test('a second driver is kept away by a lease, which a rollback takes', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v2')
  await createWeb(cluster, RC)
  const options = optionsFor(cluster, RC, { images: { c: 'web:v2' }, holder: 'first', timeoutMs: 60_000 })
  const first = roll(options).result()
  await until(async () => expect((await cluster.client.list(leases, { namespace })).items).toHaveLength(1))
  // The first renews its lease before it runs out, and the second sees that.
  const second = await resume(optionsFor(cluster, RC, { holder: 'second' })).result()
  expect(second).toMatchObject({ outcome: 'conflict', changed: false, message: 'first drives this roll' })
  expect(await rollback(optionsFor(cluster, RC, { holder: 'third' })).result()).toMatchObject({ outcome: 'done' })
  expect(await first).toMatchObject({ outcome: 'rolled-back' })
  expect((await cluster.client.list(leases, { namespace })).items).toEqual([])
})

test('history is kept as asked: so many controllers, or none; names go on to mean what they meant', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC)
  for (const version of ['v2', 'v3', 'v4'])
    await roll(optionsFor(cluster, RC, { images: { c: `web:${version}` }, keep: 1, by: 'ada', note: `to ${version}` })).result()
  expect(await countsOf(cluster)).toEqual({ 'web:v3': 0, 'web:v4': 3 })
  const history = await historyOf(optionsFor(cluster, RC))
  expect(history).toMatchObject([
    { isCurrent: true, images: ['web:v4'], by: 'ada', note: 'to v4', imageChange: 'c: web:v3 → web:v4', phase: 'Complete' },
    { isCurrent: false, images: ['web:v3'], note: 'to v3', replicas: 0 },
  ])
  await roll(optionsFor(cluster, RC, { images: { c: 'web:v5' }, cleanup: 'delete' })).result()
  expect(await countsOf(cluster)).toEqual({ 'web:v5': 3 })
  await expect(rollback(optionsFor(cluster, RC)).result()).rejects.toThrow('does not exist any more')
})

test('what kubectl rolling-update left is gone on with, or rolled back', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC)
  const labels = { app: 'web', deployment: 'abc' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'web:v2' }] } }
  const prefix = 'kubectl.kubernetes.io'
  const source = { [`${prefix}/update-source-id`]: 'web:some-uid', [`${prefix}/desired-replicas`]: '3' }
  await cluster.client.create(replicationControllers, {
    metadata: { name: 'web-v2', namespace, annotations: source },
    spec: { replicas: 1, selector: labels, template },
  })
  const left = { [`${prefix}/next-controller-id`]: 'web-v2', [`${prefix}/original-replicas`]: '3' }
  const patch = {
    metadata: { annotations: left },
    spec: { replicas: 2, selector: { deployment: 'old' }, template: { metadata: { labels: { deployment: 'old' } } } },
  }
  for (const { metadata } of (await cluster.client.list(pods, { namespace, labelSelector: '!deployment' })).items)
    await cluster.client.patch(pods, metadata.name ?? '', 'merge', { metadata: { labels: { deployment: 'old' } } }, { namespace })
  await cluster.client.patch(replicationControllers, 'web', 'merge', patch, { namespace })
  expect(await resume(optionsFor(cluster, RC)).result()).toMatchObject({
    outcome: 'done',
    new: { name: 'web-v2', replicas: 3, ready: 3 },
  })
  expect(await rollback(optionsFor(cluster, RC)).result()).toMatchObject({ outcome: 'done', new: { name: 'web', replicas: 3 } })
  const web = await cluster.client.get(replicationControllers, 'web', { namespace })
  expect(Object.keys(web.metadata.annotations ?? {}).filter((key) => key.startsWith(prefix))).toEqual([])
})

test('patience: an update period holds every step, a deadline ends the roll, a minimum of readiness is waited for', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC, 2)
  const times: number[] = []
  const slow = roll(optionsFor(cluster, RC, { images: { c: 'web:v2' }, updatePeriodMs: 150 }))
  for await (const { message } of slow) if (message.startsWith('scaled')) times.push(performance.now())
  expect(times).toHaveLength(4)
  for (const [index, time] of times.slice(1).entries()) expect(time - times[index]!).toBeGreaterThanOrEqual(145)
  const late = await roll(optionsFor(cluster, RC, { images: { c: 'web:v3' }, minReadySeconds: 60, deadlineMs: 500 })).result()
  expect(late).toMatchObject({ outcome: 'deadline', old: { replicas: 2 }, new: { replicas: 1, ready: 1 } })
})

test('an interruption may roll back, or be taken no notice of; both sides may be kept', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC)
  const stopAt = async (onInterrupt: 'rollback' | 'continue' | 'pause') => {
    const stopping = new AbortController()
    const going = roll(optionsFor(cluster, RC, { images: { c: 'web:v2' }, onInterrupt, signal: stopping.signal }))
    for await (const event of going) if (event.new.ready === 1) stopping.abort(new Error('Ctrl-C'))
    return going.result()
  }
  expect(await stopAt('rollback')).toMatchObject({ outcome: 'rolled-back', new: { name: 'web', replicas: 3 } })
  expect((await stopAt('pause')).outcome).toBe('interrupted')
  expect(await stopAt('continue')).toMatchObject({ outcome: 'done', new: { replicas: 3 } })
  await roll(optionsFor(cluster, RC, { images: { c: 'web:v3' }, canary: 1 })).result()
  expect(await abort({ ...optionsFor(cluster, RC), keepPods: true }).result()).toMatchObject({ outcome: 'done' })
  expect(await countsOf(cluster)).toEqual({ 'web:v1': 0, 'web:v2': 2, 'web:v3': 1 })
})

test('a dry run says the steps of a pet switch, and changes nothing', async () => {
  await using cluster = await startTestCluster()
  await createWeb(cluster, RC)
  const { steps, changes } = await previewRoll(optionsFor(cluster, RC, { images: { c: 'web:v2' }, pet: true }))
  expect(changes).toBe(true)
  expect(steps.map((step) => step.replace(/web-[a-z2-9]{10}/g, 'web-HASH'))).toEqual([
    'labelled the template and pods of rc/web',
    'rc/web is about to hand its pods over',
    'rc/web lets its pods go',
    'created rc/web-HASH, which takes the pods of rc/web',
    'rc/web has handed its pods over',
    'created rc/web',
    'scaled rc/web to 1',
    'scaled rc/web-HASH to 2',
    'scaled rc/web to 2',
    'scaled rc/web-HASH to 1',
    'scaled rc/web to 3',
    'scaled rc/web-HASH to 0',
    'all pods are replaced',
  ])
  expect(await controllersOf(cluster, RC)).toMatchObject([{ metadata: { name: 'web', resourceVersion: expect.any(String) } }])
  expect((await controllersOf(cluster, RC))[0]?.metadata.annotations).toBeUndefined()
})

test('StatefulSet: forward, canary, promotion, a broken template rolled back although its pod never was ready', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v4')
  await createWeb(cluster, 'StatefulSet')
  const to = (image: string, more = {}) => roll(optionsFor(cluster, 'StatefulSet', { images: { c: image }, ...more })).result()
  expect(await to('web:v2')).toMatchObject({ outcome: 'done', changed: true, new: { replicas: 3, ready: 3 } })
  expect(await to('web:v2')).toMatchObject({ outcome: 'unchanged', changed: false })
  expect(await to('web:v3', { canary: 1 })).toMatchObject({ outcome: 'canary', new: { replicas: 1 } })
  expect(await promote(optionsFor(cluster, 'StatefulSet')).result()).toMatchObject({ outcome: 'done', new: { replicas: 3 } })
  expect(await to('web:v4', { timeoutMs: 500 })).toMatchObject({ outcome: 'no-progress' })
  expect(await rollback(optionsFor(cluster, 'StatefulSet')).result()).toMatchObject({ outcome: 'done', new: { ready: 3 } })
  expect(await rollback(optionsFor(cluster, 'StatefulSet')).result()).toMatchObject({ outcome: 'unchanged' })
  const set = await cluster.client.get(statefulSets, 'web', { namespace })
  expect(set.spec?.template.spec?.containers[0]?.image).toBe('web:v3')
  expect(set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0).toBe(0)
  await expect(to('web:v5', { maxSurge: 1 })).rejects.toThrow('takes no surge')
})

test('DaemonSet: forward and back, with who and why in its revisions', async () => {
  await using cluster = await startTestCluster({ nodeCount: 3 })
  await createWeb(cluster, 'DaemonSet')
  const more = { images: { c: 'web:v2' }, by: 'ada', note: 'faster' }
  expect(await roll(optionsFor(cluster, 'DaemonSet', more)).result()).toMatchObject({
    outcome: 'done',
    new: { replicas: 3, ready: 3 },
  })
  const [latest] = await historyOf(optionsFor(cluster, 'DaemonSet'))
  expect(latest).toMatchObject({ isCurrent: true, by: 'ada', note: 'faster', imageChange: 'c: web:v1 → web:v2' })
  expect(await rollback(optionsFor(cluster, 'DaemonSet')).result()).toMatchObject({ outcome: 'done', new: { ready: 3 } })
  const set = await cluster.client.get(daemonSets, 'web', { namespace })
  expect(set.spec?.template.spec?.containers[0]?.image).toBe('web:v1')
  await expect(roll(optionsFor(cluster, 'DaemonSet', { ...more, canary: 1 })).result()).rejects.toThrow('has no canary')
})
