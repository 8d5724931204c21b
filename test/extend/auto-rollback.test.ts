/** Auto-rollback on a whole cluster of simulated nodes, whose time is moved. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { StatusError } from '../../src/api/status.ts'
import type { Deployment } from '../../src/api/types.ts'
import type { Client } from '../../src/client/client.ts'
import { deployments, events, pods, statefulSets } from '../../src/client/resources.ts'
import { type Cluster, startCluster } from '../../src/cluster.ts'
import { type SteppedClock, steppedClock } from '../controllers/stepped-clock.ts'
import { until } from '../controllers/until.ts'

const namespace = 'default'
const PATIENCE_MS = 60_000
vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })

let clock: SteppedClock
let cluster: Cluster
let client: Client
beforeEach(async () => {
  clock = steppedClock()
  cluster = await startCluster({ runtime: 'simulated', clock })
  client = cluster.client
})
afterEach(() => cluster.stop())

interface Wish {
  image: string
  /** Settings of the simulation. */
  how?: Record<string, string>
}

const simulated = (how: Record<string, string> = {}) =>
  Object.fromEntries(Object.entries(how).map(([key, value]) => [`simulated.skiff.dev/${key}`, value]))

const template = ({ image, how }: Wish) => ({
  metadata: { labels: { app: 'web' }, annotations: simulated(how) },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'c', image, readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1 } }],
  },
})

const create = (wish: Wish, triggers = 'progress-deadline,crash-loop') =>
  client.create(deployments, {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: { name: 'web', namespace, annotations: { 'skiff.dev/auto-rollback': triggers } },
    spec: { replicas: 2, progressDeadlineSeconds: 60, selector: { matchLabels: { app: 'web' } }, template: template(wish) },
  })
const roll = async (wish: Wish): Promise<Deployment> => {
  const current = await get()
  const changed = { ...current, apiVersion: 'apps/v1', kind: 'Deployment', spec: { ...current.spec!, template: template(wish) } }
  delete changed.metadata.resourceVersion
  return client.update(deployments, changed)
}
const get = () => client.get(deployments, 'web', { namespace })
const imageOf = ({ spec }: Deployment) => spec?.template.spec?.containers[0]?.image
const condition = ({ status }: Deployment) => status?.conditions?.find(({ type }) => type === 'skiff.dev/AutoRollback')

/** Moves time in steps until the check holds. */
async function inTime(check: (deployment: Deployment) => void | Promise<void>, stepMs = 2_000): Promise<Deployment> {
  let deployment: Deployment | undefined
  await until(async () => {
    deployment = await get()
    try {
      await check(deployment)
    } catch (error) {
      clock.advance(stepMs)
      await new Promise((resolve) => setTimeout(resolve, 20))
      throw error
    }
  }, PATIENCE_MS)
  return deployment!
}
const proved = (image: string, revision: number) =>
  inTime((deployment) => {
    expect(imageOf(deployment)).toBe(image)
    expect(condition(deployment)?.message).toBe(`revision ${revision} has proved itself`)
  }, 10_000)
const back = (reason: string) =>
  inTime((deployment) => {
    expect(imageOf(deployment)).toBe('web:v1')
    expect(condition(deployment)).toMatchObject({ status: 'True', reason })
    expect(deployment.status).toMatchObject({ updatedReplicas: 2, availableReplicas: 2, replicas: 2 })
  })
const CRASHING = { 'run-for': '100ms', 'exit-code': '3' }

it('returns from a crash loop to what proved itself, says so, and takes a template that is fixed', async () => {
  await create({ image: 'web:v1' })
  await proved('web:v1', 1)
  await roll({ image: 'web:v2', how: CRASHING })
  const returned = await back('CrashLoop')
  expect(condition(returned)?.message).toMatch(
    /^revision 2 \(web:v2\) failed: container c of pod web-\S+ crashes again and again, last with exit code 3; back to web:v1$/,
  )
  expect(returned.metadata.annotations?.['kubernetes.io/change-cause']).toMatch(/^auto-rollback: revision 2/)
  expect(returned.metadata.annotations?.['skiff.dev/image-change']).toBe('c: web:v2 → web:v1')
  const [bad] = JSON.parse(returned.metadata.annotations?.['skiff.dev/bad-templates'] ?? '[]')
  expect(bad).toMatchObject({ revision: '2', images: { c: 'web:v2' }, reason: 'CrashLoop' })
  await until(async () => {
    const told = (await client.list(events, { namespace })).items.filter(({ source }) => source?.component === 'auto-rollback')
    expect(told.map(({ type, reason }) => `${type} ${reason}`).sort()).toEqual(['Normal RolledBack', 'Warning CrashLoop'])
  })
  await roll({ image: 'web:v3' })
  await proved('web:v3', 4)
})

it('returns when the progress deadline is missed, once: who asks again gets it', async () => {
  await create({ image: 'web:v1' })
  await proved('web:v1', 1)
  await roll({ image: 'web:v2', how: { ready: 'false' } })
  await back('ProgressDeadlineExceeded')
  await roll({ image: 'web:v2', how: { ready: 'false' } })
  const stuck = await inTime((deployment) => expect(condition(deployment)?.reason).toBe('AskedForAgain'))
  expect(imageOf(stuck)).toBe('web:v2')
  expect(condition(stuck)?.message).toContain('it was left once already and asked for again, so it stays')
})

it('remembers what failed when the cluster starts again', async () => {
  await cluster.stop()
  const dataDirectory = mkdtempSync(join(tmpdir(), 'skiff-rollback-'))
  const startOnDisk = async () => {
    cluster = await startCluster({ runtime: 'simulated', clock, dataDirectory, inMemory: false })
    client = cluster.client
  }
  try {
    await startOnDisk()
    await create({ image: 'web:v1' })
    await proved('web:v1', 1)
    await roll({ image: 'web:v2', how: CRASHING })
    await back('CrashLoop')
    await cluster.stop()
    await startOnDisk()
    await back('CrashLoop')
    await roll({ image: 'web:v2', how: CRASHING })
    const stuck = await inTime((deployment) => expect(condition(deployment)?.reason).toBe('AskedForAgain'))
    expect(imageOf(stuck)).toBe('web:v2')
  } finally {
    await cluster.stop()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
})

it('has nothing to return to at first, and looks at nothing that was not asked for', async () => {
  await create({ image: 'web:v1', how: { ready: 'false' } }, 'progress-deadline')
  const stuck = await inTime((deployment) => expect(condition(deployment)?.reason).toBe('NoGoodRevision'))
  expect(condition(stuck)?.message).toContain('no progress within 60 s; there is no earlier revision to return to')
  await client.patch(
    deployments,
    'web',
    'merge',
    { metadata: { annotations: { 'skiff.dev/auto-rollback': null } } },
    { namespace },
  )
  await inTime((deployment) => expect(condition(deployment)).toBeUndefined())
})

it('leaves alone what has proved itself before it began to crash', async () => {
  await create({ image: 'web:v0' })
  await proved('web:v0', 1)
  // Runs for four minutes, and then crashes, again and again.
  await roll({ image: 'web:v1', how: { 'run-for': '4m', 'exit-code': '1' } })
  await proved('web:v1', 2)
  const crashed = await inTime(async () => {
    const statuses = (await client.list(pods, { namespace })).items.flatMap(({ status }) => status?.containerStatuses ?? [])
    expect(statuses.some(({ restartCount }) => restartCount > 0)).toBe(true)
  }, 10_000)
  expect(imageOf(crashed)).toBe('web:v1')
  expect(condition(crashed)?.reason).toBe('Proved')
})

it('refuses words it does not know, and kinds that it cannot roll back', async () => {
  const odd = await create({ image: 'web:v1' }, 'crash-loop,oom').catch((error: unknown) => error)
  expect(odd).toBeInstanceOf(StatusError)
  expect((odd as StatusError).status.details?.causes).toMatchObject([
    {
      field: 'metadata.annotations[skiff.dev/auto-rollback]',
      message: expect.stringContaining('"oom" is none of progress-deadline, crash-loop'),
    },
  ])
  const set = {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
    metadata: { name: 'db', namespace, annotations: { 'skiff.dev/auto-rollback': 'crash-loop' } },
    spec: { serviceName: 'db', selector: { matchLabels: { app: 'web' } }, template: template({ image: 'db:v1' }) },
  }
  await expect(client.create(statefulSets, set)).rejects.toThrow('only Deployments are rolled back, not a StatefulSet')
})
