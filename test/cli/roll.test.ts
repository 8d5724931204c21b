import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { runHistory } from '../../src/cli/history.ts'
import type { Io } from '../../src/cli/io.ts'
import { type RollFlags, runRoll } from '../../src/cli/roll.ts'
import { runRollback } from '../../src/cli/rollback.ts'
import { readRunWords, runRun } from '../../src/cli/run.ts'
import { stopObjects } from '../../src/cli/stop.ts'
import { deployments, pods, replicationControllers } from '../../src/client/resources.ts'
import { startTestCluster, type TestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'
import { sessionOf } from './session-of.ts'

const namespace = 'default'

function capture(options: { isTty?: boolean; signal?: AbortSignal } = {}): { io: Io; out(): string; err(): string } {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const text = { out: '', err: '' }
  stdout.on('data', (chunk) => {
    text.out += chunk
  })
  stderr.on('data', (chunk) => {
    text.err += chunk
  })
  const signal = options.signal ?? new AbortController().signal
  const io: Io = {
    stdout,
    stderr,
    stdin: new PassThrough(),
    env: { SKIFF_PIN: 'off' },
    isTty: options.isTty ?? false,
    columns: 80,
    signal,
  }
  return { io, out: () => text.out, err: () => text.err }
}

const driver = { name: 'test', isGone: () => false }
const rollFlags = (more: Partial<RollFlags>): RollFlags => ({
  words: ['web'],
  images: [],
  dryRun: false,
  json: false,
  timeoutMs: 10_000,
  ...more,
})
const words = (text: string) => readRunWords(text.split(' '))

async function runWeb(cluster: TestCluster, as: 'rc' | 'deployment' = 'deployment'): Promise<void> {
  const place = sessionOf(cluster.client)
  expect(await runRun(words(`web --image web:v1 --replicas 2 --as ${as}`), {}, capture().io, place)).toBe(0)
  const resource = (as === 'rc' ? replicationControllers : deployments) as typeof deployments
  await until(async () => expect((await cluster.client.get(resource, 'web', { namespace })).status?.availableReplicas).toBe(2))
}

test('a replication controller: dry run, roll in lines, again, back in bars, stop', async () => {
  await using cluster = await startTestCluster()
  const place = sessionOf(cluster.client)
  await runWeb(cluster, 'rc')

  const planned = capture()
  expect(await runRoll(rollFlags({ images: ['web:v2'], dryRun: true }), planned.io, place, driver)).toBe(0)
  expect(planned.out()).toMatch(/^would roll rc\/web to rc\/web-[a-z2-9]{10}, a new controller, with 2 replicas\n( {2}.*\n)+$/)
  expect((await cluster.client.list(replicationControllers, { namespace })).items).toHaveLength(1)

  const rolled = capture()
  expect(await runRoll(rollFlags({ images: ['web=web:v2'] }), rolled.io, place, driver)).toBe(0)
  expect(rolled.out()).toMatch(
    /Preparing: created rc\/web-[a-z2-9]{10}\n(.|\n)*Complete: all pods are replaced\nrolled to rc\/web-/,
  )

  const again = capture()
  expect(await runRoll(rollFlags({ images: ['web:v2'], json: true }), again.io, place, driver)).toBe(0)
  expect(JSON.parse(again.out())).toMatchObject({ type: 'result', outcome: 'unchanged', changed: false })

  const back = capture({ isTty: true })
  expect(await runRollback({ words: ['web'], json: false }, back.io, place, driver)).toBe(0)
  expect(back.out()).toMatch(/web +█{20} 2\/2 ready {2}Aborted\n/)

  const stopped = capture()
  expect(await stopObjects({ words: ['web'], timeoutMs: 10_000 }, stopped.io, sessionOf(cluster.client))).toBe(0)
  expect(stopped.out()).toContain('replicationcontroller/web stopped\n')
  expect((await cluster.client.list(replicationControllers, { namespace })).items).toEqual([])
  expect((await cluster.client.list(pods, { namespace })).items).toEqual([])
})

test('a deployment: JSON lines, no progress with the way out, back, stop', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v3')
  const place = sessionOf(cluster.client)
  await runWeb(cluster)
  const rolled = capture()
  expect(await runRoll(rollFlags({ images: ['web:v2'], json: true }), rolled.io, place, driver)).toBe(0)
  const lines = rolled
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.at(-1)).toMatchObject({ type: 'result', outcome: 'done', changed: true, new: { replicas: 2, ready: 2 } })
  expect(lines[0]).toMatchObject({ type: 'progress', phase: 'Rolling' })

  const stuck = capture()
  expect(await runRoll(rollFlags({ images: ['web:v3'], timeoutMs: 200 }), stuck.io, place, driver)).toBe(4)
  expect(stuck.err()).toContain('to roll back: skiff rollback web\n')
  expect(await runRollback({ words: ['web'], json: false, timeoutMs: 10_000 }, capture().io, place, driver)).toBe(0)

  expect(await stopObjects({ words: ['web'], timeoutMs: 10_000 }, capture().io, sessionOf(cluster.client))).toBe(0)
  expect((await cluster.client.list(deployments, { namespace })).items).toEqual([])
})

test('an interrupted roll exits with 130 and says how to go on', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v3')
  await runWeb(cluster, 'rc')
  const stopping = new AbortController()
  const { io, err } = capture({ signal: stopping.signal })
  const rolling = runRoll(rollFlags({ images: ['web:v3'] }), io, sessionOf(cluster.client), driver)
  await until(async () => expect((await cluster.client.list(pods, { namespace })).items).toHaveLength(3))
  stopping.abort()
  expect(await rolling).toBe(130)
  expect(err()).toBe('to resume:    skiff resume web\nto roll back: skiff rollback web\nto keep both: skiff abort web --keep\n')
})

test('the template comes from a file of the same kind', async () => {
  await using cluster = await startTestCluster()
  const place = sessionOf(cluster.client)
  await runWeb(cluster, 'rc')
  const directory = await mkdtemp(join(tmpdir(), 'skiff-roll-'))
  try {
    const file = join(directory, 'web.yaml')
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:v2' }] } }
    await writeFile(
      file,
      JSON.stringify({ apiVersion: 'v1', kind: 'ReplicationController', metadata: { name: 'web-next' }, spec: { template } }),
    )
    expect(await runRoll(rollFlags({ file }), capture().io, place, driver)).toBe(0)
    const next = await cluster.client.get(replicationControllers, 'web-next', { namespace })
    expect(next.status).toMatchObject({ readyReplicas: 2 })
    await writeFile(file, 'apiVersion: apps/v1\nkind: Deployment\nspec: {template: {}}')
    await expect(runRoll(rollFlags({ file }), capture().io, place, driver)).rejects.toThrow('a ReplicationController is needed')
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('names: several are listed with exit code 3, none proposes the nearest, what cannot be rolled is refused by name', async () => {
  await using cluster = await startTestCluster({ reconcilers: [] })
  const place = sessionOf(cluster.client)
  const io = capture().io
  await runRun(words('web --image web:v1'), {}, io, place)
  await runRun(words('web --image web:v1 --as rc'), {}, io, place)
  const several = runRoll(rollFlags({ images: ['web:v2'] }), io, place, driver)
  await expect(several).rejects.toMatchObject({
    exitCode: 3,
    message: '"web" means several: replicationcontroller/web, deployment/web; say which',
  })
  const none = runRoll(rollFlags({ words: ['wbe'], images: ['web:v2'] }), io, place, driver)
  await expect(none).rejects.toMatchObject({ exitCode: 1, message: expect.stringContaining('near: replicationcontroller/web') })
  const kinds = 'only deployments, statefulsets, daemonsets, replicasets and replicationcontrollers can'
  const rollback = (...all: string[]) => runRollback({ words: all, json: false }, io, place, driver)
  await expect(rollback('node/web')).rejects.toThrow(`node/web cannot be rolled: ${kinds}`)
  await expect(rollback('rc/web', 'deploy/web')).rejects.toThrow(
    'rollback takes one workload at a time, not replicationcontroller/web, deployment/web',
  )
  await expect(runRoll(rollFlags({ words: ['rc', 'web', 'deploy/web'] }), io, place, driver)).rejects.toThrow(
    'deployment/web is no ReplicationController: web is one, and a roll stays within a kind',
  )
  await expect(runRoll(rollFlags({ words: ['rc/web', 'wev'] }), io, place, driver)).rejects.toThrow(
    'nothing in namespace default is named "wev"; near: replicationcontroller/web',
  )
  await expect(runRoll(rollFlags({ words: ['web', 'web2', 'web3'] }), io, place, driver)).rejects.toThrow('web3 is too much')
})

test('a name whose controller was cleaned away means what rolls made of it; kind and name, and a file, name it too', async () => {
  await using cluster = await startTestCluster()
  const place = sessionOf(cluster.client)
  await runWeb(cluster, 'rc')
  expect(await runRoll(rollFlags({ images: ['web:v2'], cleanup: 'delete' }), capture().io, place, driver)).toBe(0)
  const { items } = await cluster.client.list(replicationControllers, { namespace })
  expect(items.map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^web-[a-z2-9]{10}$/)])
  const name = items[0]?.metadata.name ?? ''
  const shown = capture()
  expect(await runHistory({ words: ['web'], json: false }, shown.io, place)).toBe(0)
  expect(shown.out()).toContain(name)
  const byKind = capture()
  expect(await runHistory({ words: ['rc', name], json: false }, byKind.io, place)).toBe(0)
  expect(byKind.out()).toBe(shown.out())

  const directory = await mkdtemp(join(tmpdir(), 'skiff-roll-'))
  try {
    const file = join(directory, 'web.yaml')
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:v3' }] } }
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } }
    const controller = { apiVersion: 'v1', kind: 'ReplicationController', metadata: { name }, spec: { template } }
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [service, controller] }))
    const rolled = capture()
    expect(await runRoll(rollFlags({ words: [], file }), rolled.io, place, driver)).toBe(0)
    expect(rolled.out()).toMatch(/rolled to rc\/web-/)
    expect(await runRollback({ words: [], files: [file], json: false }, capture().io, place, driver)).toBe(0)
    await until(async () => {
      const running = (await cluster.client.list(pods, { namespace })).items
      expect(running.map(({ spec }) => spec?.containers[0]?.image)).toEqual(['web:v2', 'web:v2'])
    })
    await writeFile(file, JSON.stringify({ ...controller, metadata: { name, namespace } }))
    const elsewhere = runRollback({ words: [], files: [file], json: false, namespace: 'other' }, capture().io, place, driver)
    await expect(elsewhere).rejects.toThrow('the namespace of the object, "default", is not the one given, "other"')
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('what runs once passes its exit code on', async () => {
  await using cluster = await startTestCluster()
  const place = sessionOf(cluster.client)
  const ended = (image: string, as: 'pod' | 'job', name: string) =>
    runRun(words(`${name} --image ${image} --as ${as} --once`), {}, capture().io, place)
  expect(await ended('job:ok', 'pod', 'c')).toBe(0)
  expect(await stopObjects({ words: ['pod/c'], timeoutMs: 10_000 }, capture().io, sessionOf(cluster.client))).toBe(0)
  expect(await ended('job:fail', 'job', 'c')).toBe(1)
  expect(await stopObjects({ words: ['job/c'], timeoutMs: 10_000 }, capture().io, sessionOf(cluster.client))).toBe(0)
  expect((await cluster.client.list(pods, { namespace })).items).toEqual([])
})
