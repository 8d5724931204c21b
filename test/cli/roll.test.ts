import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
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
  name: 'web',
  images: [],
  dryRun: false,
  json: false,
  timeoutMs: 10_000,
  ...more,
})
const words = (text: string) => readRunWords(text.split(' '))

async function runWeb(cluster: TestCluster, as: 'rc' | 'deployment' = 'deployment'): Promise<void> {
  const place = { client: cluster.client, namespace }
  expect(await runRun(words(`web --image web:v1 --replicas 2 --as ${as}`), {}, capture().io, place)).toBe(0)
  const resource = (as === 'rc' ? replicationControllers : deployments) as typeof deployments
  await until(async () => expect((await cluster.client.get(resource, 'web', { namespace })).status?.availableReplicas).toBe(2))
}

test('a replication controller: dry run, roll in lines, again, back in bars, stop', async () => {
  await using cluster = await startTestCluster()
  const place = { client: cluster.client, namespace }
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
  expect(await runRollback({ name: 'web', json: false }, back.io, place, driver)).toBe(0)
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
  const place = { client: cluster.client, namespace }
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
  expect(await runRollback({ name: 'web', json: false, timeoutMs: 10_000 }, capture().io, place, driver)).toBe(0)

  expect(await stopObjects({ words: ['web'], timeoutMs: 10_000 }, capture().io, sessionOf(cluster.client))).toBe(0)
  expect((await cluster.client.list(deployments, { namespace })).items).toEqual([])
})

test('an interrupted roll exits with 130 and says how to go on', async () => {
  await using cluster = await startTestCluster()
  cluster.setReady((image) => image !== 'web:v3')
  await runWeb(cluster, 'rc')
  const stopping = new AbortController()
  const { io, err } = capture({ signal: stopping.signal })
  const rolling = runRoll(rollFlags({ images: ['web:v3'] }), io, { client: cluster.client, namespace }, driver)
  await until(async () => expect((await cluster.client.list(pods, { namespace })).items).toHaveLength(3))
  stopping.abort()
  expect(await rolling).toBe(130)
  expect(err()).toBe('to resume:    skiff resume web\nto roll back: skiff rollback web\nto keep both: skiff abort web --keep\n')
})

test('the template comes from a file of the same kind', async () => {
  await using cluster = await startTestCluster()
  const place = { client: cluster.client, namespace }
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
    await writeFile(file, 'kind: Deployment\nspec: {template: {}}')
    await expect(runRoll(rollFlags({ file }), capture().io, place, driver)).rejects.toThrow('a ReplicationController is needed')
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('names: several are listed with exit code 3, none proposes the nearest', async () => {
  await using cluster = await startTestCluster({ reconcilers: [] })
  const place = { client: cluster.client, namespace }
  const io = capture().io
  await runRun(words('web --image web:v1'), {}, io, place)
  await runRun(words('web --image web:v1 --as rc'), {}, io, place)
  const several = runRoll(rollFlags({ images: ['web:v2'] }), io, place, driver)
  await expect(several).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('deployment/web, replicationcontroller/web'),
  })
  const none = runRoll(rollFlags({ name: 'wbe', images: ['web:v2'] }), io, place, driver)
  await expect(none).rejects.toMatchObject({ exitCode: 1, message: expect.stringContaining('near: deployment/web') })
  await expect(runRollback({ name: 'node/web', json: false }, io, place, driver)).rejects.toThrow('is no kind for this')
})

test('what runs once passes its exit code on', async () => {
  await using cluster = await startTestCluster()
  const place = { client: cluster.client, namespace }
  const ended = (image: string, as: 'pod' | 'job', name: string) =>
    runRun(words(`${name} --image ${image} --as ${as} --once`), {}, capture().io, place)
  expect(await ended('job:ok', 'pod', 'c')).toBe(0)
  expect(await stopObjects({ words: ['pod/c'], timeoutMs: 10_000 }, capture().io, sessionOf(cluster.client))).toBe(0)
  expect(await ended('job:fail', 'job', 'c')).toBe(1)
  expect(await stopObjects({ words: ['job/c'], timeoutMs: 10_000 }, capture().io, sessionOf(cluster.client))).toBe(0)
  expect((await cluster.client.list(pods, { namespace })).items).toEqual([])
})
