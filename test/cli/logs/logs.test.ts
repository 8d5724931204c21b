/** `skiff logs` of several pods against a real server, whose node writes what the test says. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { PATCH_TYPES } from '../../server/start-server.ts'
import { type CommandLine, startCommandLine } from '../command-line.ts'
import { LogNode } from './log-node.ts'

const PODS = '/api/v1/namespaces/default/pods'
const WAIT = { timeout: 30_000, interval: 20 }

let cli: CommandLine
let node: LogNode
beforeAll(async () => {
  cli = await startCommandLine()
})
afterAll(() => cli.close())
beforeEach(async () => {
  node = new LogNode()
  cli.server.server.connectNode('n', node.streams)
  const { items } = await cli.server.call<{ items: { metadata: { name: string } }[] }>('GET', PODS)
  for (const { metadata } of items) await remove(metadata.name)
})

interface Made {
  labels?: Record<string, string>
  containers?: string[]
  owner?: object
}

async function create(name: string, { labels = {}, containers = ['c'], owner }: Made = {}): Promise<void> {
  const metadata = { name, labels, ...(owner && { ownerReferences: [owner] }) }
  const spec = { nodeName: 'n', containers: containers.map((one) => ({ name: one, image: 'i' })) }
  await cli.server.call('POST', PODS, { apiVersion: 'v1', kind: 'Pod', metadata, spec })
}

/** `run` counts the runs of its containers. */
async function status(name: string, phase: string, state: object, { containers = ['c'], run = 0 } = {}): Promise<void> {
  const containerStatuses = containers.map((one) => ({
    ...{ name: one, ready: true, restartCount: run, image: 'i', imageID: '', containerID: `x://${name}-${one}-${run}`, state },
  }))
  await cli.server.call('PATCH', `${PODS}/${name}/status`, { status: { phase, containerStatuses } }, PATCH_TYPES.merge)
}

const running = (name: string, more?: { containers?: string[]; run?: number }) => status(name, 'Running', { running: {} }, more)
const ended = (name: string, exitCode: number, more?: { containers?: string[]; run?: number }) =>
  status(
    name,
    exitCode === 0 ? 'Succeeded' : 'Failed',
    { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } },
    more,
  )

async function remove(name: string): Promise<void> {
  await cli.server.call('DELETE', `${PODS}/${name}`, undefined, { query: { gracePeriodSeconds: '0' } })
}

async function twoPods(): Promise<void> {
  for (const [name, containers] of [
    ['a', ['c']],
    ['b', ['c', 'd']],
  ] as const) {
    await create(name, { labels: { app: 'x' }, containers: [...containers] })
    await running(name, { containers: [...containers] })
  }
  for (const second of [1, 4, 5]) node.write('a/c', second, `a ${second}`)
  for (const second of [2, 3, 5]) node.write('b/c', second, `b ${second}`)
  node.write('b/d', 6, 'the other container')
}

it('merges by time, with a prefix', async () => {
  await twoPods()
  const merged = ['[pod/a/c] a 1', '[pod/b/c] b 2', '[pod/b/c] b 3', '[pod/a/c] a 4', '[pod/a/c] a 5', '[pod/b/c] b 5', '']
  const note = 'Defaulted container "c" out of: c, d\n'
  expect(await cli.run(['logs', 'a', 'b'])).toEqual({ code: 0, out: merged.join('\n'), err: note })
  expect(await cli.run(['logs', 'pod/a', 'b', '-l', 'app=x'])).toMatchObject({ code: 1 })
  expect((await cli.run(['logs', '-l', 'app=x', '--tail', '1'])).out).toBe('[pod/a/c] a 5\n[pod/b/c] b 5\n')
  expect((await cli.run(['logs', 'a', 'b', '--prefix=off', '--grep', '[25]$'])).out).toBe('b 2\na 5\nb 5\n')
  expect((await cli.run(['logs', '--all-containers', 'b', '--tail', '1'])).out).toBe(
    '[pod/b/c] b 5\n[pod/b/d] the other container\n',
  )
  expect((await cli.run(['logs', 'b', '-c', '[cd]', '--limit-bytes', '3'])).out).toBe('[pod/b/c] b 2\n[pod/b/d] the\n')
  expect((await cli.run(['logs', 'a', '--timestamps', 'b', '-c', 'c', '--tail', '1'])).out).toBe(
    '[pod/a/c] 2026-01-31T00:00:05.000000000Z a 5\n[pod/b/c] 2026-01-31T00:00:05.000000000Z b 5\n',
  )
  const colored = await cli.run(['logs', 'a', 'b', '--tail', '1'], { tty: true })
  expect(colored.out).toBe('\x1b[36m[pod/a/c]\x1b[0m a 5\n\x1b[33m[pod/b/c]\x1b[0m b 5\n')
})

it('prints one log as it is, whichever way it is named', async () => {
  await twoPods()
  expect(await cli.run(['logs', 'a'])).toEqual({ code: 0, out: 'a 1\na 4\na 5\n', err: '' })
  expect((await cli.run(['logs', '--prefix', 'a', '--tail', '1'])).out).toBe('[pod/a/c] a 5\n')
  expect((await cli.run(['logs', 'b', 'd'])).out).toBe('the other container\n')
  expect((await cli.run(['logs', 'a', '--limit-bytes', '5'])).out).toBe('a 1\na')
  expect((await cli.run(['logs', 'a', '--grep', 'A 4', '-i'])).out).toBe('a 4\n')
  expect((await cli.run(['logs', 'a', '--grep', 'a 4', '-v'])).out).toBe('a 1\na 5\n')
})

it('reads all pods of a workload, whose name is enough', async () => {
  await twoPods()
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  await cli.server.call('POST', '/api/v1/namespaces/default/replicationcontrollers', {
    ...{ apiVersion: 'v1', kind: 'ReplicationController', metadata: { name: 'web' } },
    spec: { selector: { app: 'x' }, template },
  })
  expect((await cli.run(['logs', 'web', '--tail', '1'])).out).toBe('[pod/a/c] a 5\n[pod/b/c] b 5\n')
  expect((await cli.run(['logs', 'rc/web', 'a', '--tail', '1'])).out).toBe('[pod/a/c] a 5\n[pod/b/c] b 5\n')
  expect(await cli.run(['logs', 'wbe'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('near: replicationcontroller/web'),
  })
})

it('reads the pods of a cron job, which owns the jobs that own them', async () => {
  await cli.run(['create', '-f', '-'], {
    input: JSON.stringify({
      ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly' } },
      spec: {
        schedule: '0 0 * * *',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } } },
      },
    }),
  })
  const uidOf = async (path: string) => (await cli.server.call<{ metadata: { uid: string } }>('GET', path)).metadata.uid
  const cronJob = await uidOf('/apis/batch/v1/namespaces/default/cronjobs/nightly')
  await cli.server.call('POST', '/apis/batch/v1/namespaces/default/jobs', {
    ...{ apiVersion: 'batch/v1', kind: 'Job' },
    metadata: {
      name: 'nightly-1',
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: cronJob, controller: true }],
    },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
  })
  const job = await uidOf('/apis/batch/v1/namespaces/default/jobs/nightly-1')
  await create('nightly-1-x', { owner: { apiVersion: 'batch/v1', kind: 'Job', name: 'nightly-1', uid: job, controller: true } })
  await create('another')
  node.write('nightly-1-x/c', 1, 'done')
  expect(await cli.run(['logs', 'nightly'])).toEqual({ code: 0, out: 'done\n', err: '' })
})

it('says what cannot be read, and prints the rest', async () => {
  await create('a')
  await create('waits')
  node.write('a/c', 1, 'hello')
  expect(await cli.run(['logs', 'waits', 'a'])).toEqual({
    ...{ code: 1, out: '[pod/a/c] hello\n' },
    err: 'error: container "c" in pod "waits" is waiting to start\n',
  })
  expect(await cli.run(['logs', 'a', 'waits', '--max-log-requests', '1'])).toEqual({
    ...{ code: 1, out: '' },
    err: 'error: these are 2 logs, and 1 are read at once at most; choose fewer, or allow more with --max-log-requests\n',
  })
  expect((await cli.run(['logs'])).err).toBe('error: either names or --selector are needed\n')
  expect((await cli.run(['logs', 'a', '-v'])).err).toBe('error: --invert-match belongs to --grep\n')
  expect((await cli.run(['logs', 'a', '-c', 'd'])).err).toBe('error: container d not found in pod a (it has: c)\n')
  expect(await cli.run(['logs', '-l', 'app=none'])).toEqual({
    code: 0,
    out: '',
    err: 'No resources found in default namespace.\n',
  })
})

it('follows: the past by time, then what comes, pods that come later, and new runs', async () => {
  await twoPods()
  const logs = cli.start(['logs', '-f', '-l', 'app=x', '-c', 'c'])
  await vi.waitFor(() => expect(logs.out()).toContain('b 5'), WAIT)
  expect(logs.out()).toBe('[pod/a/c] a 1\n[pod/b/c] b 2\n[pod/b/c] b 3\n[pod/a/c] a 4\n[pod/a/c] a 5\n[pod/b/c] b 5\n')
  node.write('b/c', 7, 'b 7')
  await vi.waitFor(() => expect(logs.out()).toContain('[pod/b/c] b 7\n'), WAIT)

  await create('later', { labels: { app: 'x' } })
  node.write('later/c', 8, 'from its beginning')
  await running('later')
  await vi.waitFor(() => expect(logs.out()).toContain('[pod/later/c] from its beginning\n'), WAIT)

  node.end('a/c')
  await ended('a', 1)
  await vi.waitFor(() => expect(logs.err()).toContain('pod/a/c ended: exit code 1 (Error)\n'), WAIT)
  node.again('a/c')
  node.write('a/c', 10, 'second run')
  await running('a', { run: 1 })
  await vi.waitFor(() => expect(logs.out()).toContain('[pod/a/c] second run\n'), WAIT)

  // A run that was over before anybody looked, with another under way already.
  node.end('b/c')
  node.again('b/c')
  node.write('b/c', 11, 'b once more')
  await running('b', { containers: ['c', 'd'], run: 1 })
  await vi.waitFor(() => expect(logs.out()).toContain('[pod/b/c] b once more\n'), WAIT)
  expect(logs.err()).toContain('pod/b/c ended\npod/b/c runs again\n')

  node.end('later/c')
  await remove('later')
  await vi.waitFor(() => expect(logs.err()).toContain('pod/later/c is gone\n'), WAIT)
  logs.interrupt()
  expect(await logs.done).toMatchObject({
    code: 130,
    err: [
      ...['pod/later/c begins', 'pod/a/c ended: exit code 1 (Error)', 'pod/a/c runs again'],
      ...['pod/b/c ended', 'pod/b/c runs again', 'pod/later/c is gone', ''],
    ].join('\n'),
  })
  await vi.waitFor(() => expect(node.open).toBe(0), WAIT)
})

it('ends by itself when pods that were named have ended, and tells it when one failed to be read', async () => {
  await create('a')
  await create('b')
  node.write('a/c', 1, 'a')
  await running('a')
  await status('b', 'Pending', { waiting: { reason: 'ContainerCreating' } })
  const logs = cli.start(['logs', '-f', 'a', 'b'])
  await vi.waitFor(() => expect(logs.out()).toBe('[pod/a/c] a\n'), WAIT)
  // Nothing was written where it says that it ran: that cannot be read.
  await ended('b', 0)
  await vi.waitFor(() => expect(logs.err()).toContain('is waiting to start'), WAIT)
  node.end('a/c')
  await ended('a', 0)
  expect(await logs.done).toMatchObject({ code: 1, out: '[pod/a/c] a\n' })
})

it('follows a job until it has finished', async () => {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
  const jobs = '/apis/batch/v1/namespaces/default/jobs'
  await cli.server.call('POST', jobs, { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j' }, spec: { template } })
  const job = await cli.server.call<{ spec: { selector: { matchLabels: Record<string, string> } } }>('GET', `${jobs}/j`)
  expect((await cli.run(['logs', 'job/j'])).err).toBe('error: job/j: no pods now\n')
  const logs = cli.start(['logs', '-f', 'j'])
  await vi.waitFor(() => expect(logs.err()).toBe('job/j: no pods now; waiting for them\n'), WAIT)
  const labels = job.spec.selector.matchLabels
  await create('j-1', { labels })
  node.write('j-1/c', 1, 'first try')
  node.end('j-1/c')
  await ended('j-1', 1)
  await vi.waitFor(() => expect(logs.out()).toBe('[pod/j-1/c] first try\n'), WAIT)
  await create('j-2', { labels })
  node.write('j-2/c', 2, 'second try')
  await running('j-2')
  await vi.waitFor(() => expect(logs.out()).toContain('second try'), WAIT)
  node.end('j-2/c')
  await ended('j-2', 0)
  const now = '2026-01-31T00:00:00Z'
  const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    lastProbeTime: now,
  }))
  const finished = { startTime: now, completionTime: now, succeeded: 1, conditions, uncountedTerminatedPods: {} }
  await cli.server.call('PATCH', `${jobs}/j/status`, { status: finished }, PATCH_TYPES.merge)
  expect(await logs.done).toMatchObject({ code: 0, out: '[pod/j-1/c] first try\n[pod/j-2/c] second try\n' })
  expect(logs.err()).toContain('pod/j-2/c ended: exit code 0 (Completed)\n')
})

it('follows no more logs at once than it may; further ones wait for an end', async () => {
  for (const name of ['a', 'b']) {
    await create(name, { labels: { app: 'x' } })
    node.write(`${name}/c`, 1, name)
    await running(name)
  }
  const logs = cli.start(['logs', '-f', '-l', 'app=x', '--max-log-requests', '2'])
  await vi.waitFor(() => expect(logs.out()).toBe('[pod/a/c] a\n[pod/b/c] b\n'), WAIT)
  await create('d', { labels: { app: 'x' } })
  node.write('d/c', 2, 'd')
  await running('d')
  await vi.waitFor(() => expect(logs.err()).toContain('pod/d/c waits: 2 logs are followed already (--max-log-requests)\n'), WAIT)
  await vi.waitFor(() => expect(node.open).toBe(2), WAIT)
  node.end('a/c')
  await ended('a', 0)
  await vi.waitFor(() => expect(logs.out()).toContain('[pod/d/c] d\n'), WAIT)
  logs.interrupt()
  expect((await logs.done).code).toBe(130)
})
