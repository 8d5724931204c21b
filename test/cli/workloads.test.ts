import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { Io } from '../../src/cli/io.ts'
import { restartObjects } from '../../src/cli/restart.ts'
import { stopObjects } from '../../src/cli/stop.ts'
import type { Client } from '../../src/client/client.ts'
import { cronJobs, daemonSets, deployments, jobs, pods, replicationControllers } from '../../src/client/resources.ts'
import { startTestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'
import { sessionOf } from './session-of.ts'

const namespace = 'default'

function capture() {
  const stdout = new PassThrough()
  let out = ''
  stdout.on('data', (chunk) => {
    out += chunk
  })
  const signal = new AbortController().signal
  const io: Io = { stdout, stderr: new PassThrough(), stdin: new PassThrough(), env: {}, isTty: false, columns: 80, signal }
  return { io, out: () => out }
}

const labels = (app: string) => ({ app })
const template = (app: string) => ({ metadata: { labels: labels(app) }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } })

async function createWorkloads(client: Client): Promise<void> {
  const metadata = (name: string) => ({ name, namespace })
  await client.create(deployments, {
    metadata: metadata('web'),
    spec: { replicas: 2, selector: { matchLabels: labels('web') }, template: template('web') },
  })
  await client.create(replicationControllers, {
    metadata: metadata('old'),
    spec: { replicas: 3, selector: labels('old'), template: template('old') },
  })
  await until(async () => {
    expect((await client.get(deployments, 'web', { namespace })).status?.availableReplicas).toBe(2)
    expect((await client.get(replicationControllers, 'old', { namespace })).status?.readyReplicas).toBe(3)
  })
}

const uidsOf = async (client: Client, app: string) =>
  (await client.list(pods, { namespace, labelSelector: `app=${app}` })).items
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map(({ metadata }) => metadata.uid)

test('restart: what rolls by itself is told to, bare controllers get their pods replaced one by one', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  const session = sessionOf(client)
  await createWorkloads(client)
  const restart = (...words: string[]) => {
    const { io, out } = capture()
    return restartObjects({ words, wait: true, timeoutMs: 30_000 }, io, session).then((code) => ({ code, out: out() }))
  }
  for (const [name, app] of [
    ['deployment/web', 'web'],
    ['replicationcontroller/old', 'old'],
  ] as const) {
    const before = new Set(await uidsOf(client, app))
    expect(await restart(app)).toEqual({ code: 0, out: `${name} restarted\n` })
    await until(async () => {
      const after = await uidsOf(client, app)
      expect(after).toHaveLength(before.size)
      expect(after.filter((uid) => before.has(uid))).toEqual([])
    })
  }
  await client.patch(deployments, 'web', 'merge', { spec: { paused: true } }, { namespace })
  await expect(restart('web')).rejects.toThrow('deployment/web is paused; resume it first')
  const bare = { metadata: { name: 'bare', namespace }, spec: template('bare').spec }
  await client.create(pods, bare)
  await expect(restart('bare')).rejects.toThrow('pod/bare: nothing would bring it back')
  const [owned] = (await client.list(pods, { namespace, labelSelector: 'app=old' })).items
  expect((await restart(`pod/${owned!.metadata.name}`)).code).toBe(0)
})

test('stop: every kind that runs pods, several at once, and nothing stays', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  const session = sessionOf(client)
  await createWorkloads(client)
  const metadata = (name: string) => ({ name, namespace })
  await client.create(daemonSets, {
    metadata: metadata('everywhere'),
    spec: { selector: { matchLabels: labels('everywhere') }, template: template('everywhere') },
  })
  const once = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'web:v1' }] } }
  await client.create(jobs, { metadata: metadata('task'), spec: { template: once } })
  await client.create(cronJobs, {
    metadata: metadata('nightly'),
    spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: once } } },
  })
  await until(async () => {
    expect(await uidsOf(client, 'everywhere')).not.toEqual([])
    expect((await client.list(pods, { namespace, labelSelector: 'batch.kubernetes.io/job-name=task' })).items).toHaveLength(1)
  })
  const { io, out } = capture()
  const words = ['web', 'old', 'everywhere', 'job/task', 'nightly']
  expect(await stopObjects({ words, timeoutMs: 30_000 }, io, session)).toBe(0)
  expect(out()).toBe(
    [
      'deployment/web stopped',
      'replicationcontroller/old stopped',
      'daemonset/everywhere stopped',
      'job/task stopped',
      'cronjob/nightly stopped\n',
    ].join('\n'),
  )
  await until(async () => expect((await client.list(pods, { namespace })).items).toEqual([]))
  expect((await client.list(deployments, { namespace })).items).toEqual([])
  await expect(stopObjects({ words: ['serviceaccount/default'], timeoutMs: 1000 }, io, session)).rejects.toThrow(
    'serviceaccount/default runs no pods that could be stopped',
  )
  await expect(stopObjects({ words: ['scalable'], all: true, timeoutMs: 1000 }, io, session)).rejects.toThrow('is an open set')
})
