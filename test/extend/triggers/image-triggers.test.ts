/** Image triggers on a whole cluster whose time is moved, with a real registry. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { StatusError } from '../../../src/api/status.ts'
import type { Deployment } from '../../../src/api/types.ts'
import type { Client, ResourceRef } from '../../../src/client/client.ts'
import { daemonSets, deployments, events, nodes, replicationControllers, statefulSets } from '../../../src/client/resources.ts'
import { type Cluster, startCluster } from '../../../src/cluster.ts'
import { type SteppedClock, steppedClock } from '../../controllers/stepped-clock.ts'
import { until } from '../../controllers/until.ts'
import { startFront } from '../../registry/front.ts'
import { hasRegistry, type RealRegistry, startRegistry } from '../../registry/real-registry.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })
const namespace = 'default'
const PATIENCE_MS = 60_000
const DIGEST = (letter: string) => `sha256:${letter.repeat(64)}`

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
  kind?: string
  triggers: unknown
  image: string
  annotations?: Record<string, string>
  replicas?: number
}

const workload = ({ kind = 'Deployment', triggers, image, annotations, replicas = 1 }: Wish) => ({
  ...{ apiVersion: 'apps/v1', kind },
  metadata: { name: 'web', namespace, annotations: { 'skiff.dev/image-triggers': JSON.stringify(triggers), ...annotations } },
  spec: {
    ...(kind === 'Deployment' && { replicas, progressDeadlineSeconds: 60 }),
    ...(kind === 'StatefulSet' && { serviceName: 'web' }),
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image }] },
    },
  },
})
const create = (wish: Wish) => client.create(deployments, workload(wish) as Deployment)
const get = () => client.get(deployments, 'web', { namespace })
const imageOf = ({ spec }: Deployment) => spec?.template.spec?.containers[0]?.image
const conditionOf = ({ status }: Deployment, type = 'skiff.dev/ImageTriggers') =>
  status?.conditions?.find((condition) => condition.type === type)

/** Moves time on until the check holds: looks become due. */
async function inTime(check: (deployment: Deployment) => void | Promise<void>, stepMs = 6_000): Promise<Deployment> {
  let deployment: Deployment | undefined
  await until(async () => {
    deployment = await get()
    try {
      await check(deployment)
    } catch (error) {
      clock.advance(stepMs)
      await new Promise((resolve) => setTimeout(resolve, 50))
      throw error
    }
  }, PATIENCE_MS)
  return deployment!
}
const runs = (image: string) => inTime((deployment) => expect(imageOf(deployment)).toBe(image))
const says = (status: string, reason: string, message: string | RegExp) =>
  inTime((deployment) => {
    expect(conditionOf(deployment)).toMatchObject({ status, reason })
    if (typeof message === 'string') expect(conditionOf(deployment)?.message).toBe(message)
    else expect(conditionOf(deployment)?.message).toMatch(message)
  })

describe.skipIf(!hasRegistry)('with a registry (needs docker-registry)', () => {
  let registry: RealRegistry
  beforeAll(async () => {
    registry = await startRegistry()
  })
  afterAll(() => registry[Symbol.asyncDispose]())

  it('follow a tag as its digest moves, and say what they did', async () => {
    const image = `${registry.host}/tag/web`
    const first = await registry.push('tag/web', 'stable', 'one')
    await create({ triggers: [{ tag: 'stable' }], image: `${image}:stable` })
    await runs(`${image}:stable@${first}`)
    await says('True', 'UpToDate', `c: ${image}:stable`)
    const second = await registry.push('tag/web', 'stable', 'two')
    const moved = await runs(`${image}:stable@${second}`)
    expect(moved.metadata.annotations).toMatchObject({
      'kubernetes.io/change-cause': `image trigger: c to ${image}:stable`,
      'skiff.dev/by': 'image-triggers',
      'skiff.dev/image-change': `c: ${image}:stable@${first} → ${image}:stable@${second}`,
    })
    await until(async () => {
      const told = (await client.list(events, { namespace })).items.filter(({ reason }) => reason === 'ImagePicked')
      expect(told.map(({ message }) => message)).toContain(`c: ${image}:stable@${first} → ${image}:stable@${second}`)
    })
  })

  it('take the highest version of a range, and never a lower one', async () => {
    const image = `${registry.host}/range/web`
    for (const tag of ['1.0.0', '1.9.0', '1.10.0', '2.0.0', 'latest']) await registry.push('range/web', tag)
    const digest = await registry.push('range/web', '1.10.0')
    await create({ triggers: [{ container: 'c', semver: '^1' }], image: `${image}:1.0.0` })
    await runs(`${image}:1.10.0@${digest}`)
    const higher = await registry.push('range/web', 'v1.11.0')
    await runs(`${image}:v1.11.0@${higher}`)
    const template = { spec: { containers: [{ name: 'c', image: `${image}:2.0.0` }] } }
    await client.patch(deployments, 'web', 'strategic', { spec: { template } }, { namespace })
    await says('False', 'NothingFits', `c: ${image}: 2.0.0 runs, which is above all that fit`)
    expect(imageOf(await get())).toBe(`${image}:2.0.0`)
  })

  it('take the newest by number, page by page', async () => {
    const image = `${registry.host}/newest/web`
    for (const build of [9, 10, 11]) await registry.push('newest/web', `main-${build}`)
    // Pages of one tag, as a registry with many has them; this one gives all at once.
    await using front = await startFront({
      intercept: (request, response) => {
        const url = new URL(request.url ?? '', 'http://front')
        if (!url.pathname.endsWith('/tags/list')) return false
        fetch(`http://${registry.host}${url.pathname}`).then(
          async (answer) => {
            const { name, tags } = (await answer.json()) as { name: string; tags: string[] }
            const page = tags.sort().indexOf(url.searchParams.get('last') ?? '') + 1
            const next = `<${url.pathname}?n=1&last=${tags[page]}>; rel="next"`
            response.writeHead(answer.status, page < tags.length - 1 ? { link: next } : {})
            response.end(JSON.stringify({ name, tags: [tags[page]] }))
          },
          () => response.destroy(),
        )
        return true
      },
      host: registry.host,
    })
    const through = image.replace(registry.host, front.host)
    await create({ triggers: [{ newest: 'main-*' }], image: `${through}:main-9` })
    await inTime((deployment) => expect(imageOf(deployment)).toMatch(`${through}:main-11@sha256:`))
    expect(front.requests).toEqual(
      expect.arrayContaining([expect.stringContaining('last=main-10'), expect.stringContaining('last=main-11')]),
    )
  })

  it('stand still while they are paused, and go on by what is then', async () => {
    const image = `${registry.host}/paused/web`
    await registry.push('paused/web', '1.0.0')
    await registry.push('paused/web', '1.1.0')
    const digest = await registry.push('paused/web', '1.2.0')
    const annotations = { 'skiff.dev/image-triggers-paused': 'true' }
    await create({ triggers: [{ semver: '1' }], image: `${image}:1.0.0`, annotations })
    await says('False', 'Paused', 'all triggers are paused')
    for (let i = 0; i < 5; i++) clock.advance(60_000)
    expect(imageOf(await get())).toBe(`${image}:1.0.0`)
    const resumed = { 'skiff.dev/image-triggers-paused': null }
    await client.patch(deployments, 'web', 'merge', { metadata: { annotations: resumed } }, { namespace })
    await runs(`${image}:1.2.0@${digest}`)
  })

  it('go back with auto-rollback, and pass over what failed', async () => {
    const image = `${registry.host}/bad/web`
    const good = await registry.push('bad/web', '1.0.0')
    await create({
      triggers: [{ semver: '1' }],
      image: `${image}:1.0.0@${good}`,
      annotations: { 'skiff.dev/auto-rollback': 'crash-loop' },
    })
    await inTime((deployment) => expect(conditionOf(deployment, 'skiff.dev/AutoRollback')?.reason).toBe('Proved'), 20_000)
    // The simulation is told to let every container of the new image crash.
    const crash = { 'simulated.skiff.dev/run-for': '100ms', 'simulated.skiff.dev/exit-code': '1' }
    const bad = await registry.push('bad/web', '1.1.0')
    await inTime(async (deployment) => {
      if (imageOf(deployment) === `${image}:1.1.0@${bad}`) {
        await client.patch(
          deployments,
          'web',
          'merge',
          { spec: { template: { metadata: { annotations: crash } } } },
          { namespace },
        )
      }
      expect(conditionOf(deployment, 'skiff.dev/AutoRollback')).toMatchObject({ status: 'True', reason: 'CrashLoop' })
      expect(imageOf(deployment)).toBe(`${image}:1.0.0@${good}`)
    }, 3_000)
    await says('True', 'UpToDate', `c: ${image}:1.0.0; passed over, as they failed: 1.1.0`)
    const fixed = await registry.push('bad/web', '1.1.1')
    await runs(`${image}:1.1.1@${fixed}`)
  })

  it('say that the registry is down, and follow when it is back', async () => {
    await using own = await startRegistry()
    const image = `${own.host}/web`
    await own.push('web', '1.0.0')
    const digest = await own.push('web', '1.1.0')
    await own.stop()
    await create({ triggers: [{ semver: '1', every: '5s' }], image: `${image}:1.0.0` })
    await says('False', 'RegistryError', /ECONNREFUSED/)
    expect(imageOf(await get())).toBe(`${image}:1.0.0`)
    await own.start()
    await runs(`${image}:1.1.0@${digest}`)
  })

  it.each([
    ['StatefulSet', statefulSets],
    ['DaemonSet', daemonSets],
  ])('lead a %s too', async (kind, resource) => {
    const image = `${registry.host}/sets/web`
    const digest = await registry.push('sets/web', '1.0.0')
    const ref = resource as ResourceRef<Deployment>
    await client.create(ref, workload({ kind, triggers: [{ semver: '1' }], image: `${image}:0.9.0` }) as Deployment)
    await until(async () => {
      const set = await client.get(ref, 'web', { namespace })
      expect(imageOf(set)).toBe(`${image}:1.0.0@${digest}`)
      expect(conditionOf(set)).toMatchObject({ status: 'True', reason: 'UpToDate' })
    }, PATIENCE_MS)
  })
})

it('follow what lies on the nodes, as soon as it lies there', async () => {
  const images = (letter: string, tag: string) => ({
    names: [`docker.io/library/web@${DIGEST(letter)}`, `docker.io/library/web:${tag}`],
    sizeBytes: 1,
  })
  const report = (list: unknown[]) =>
    client.patch(nodes, 'skiff', 'merge', { status: { images: list } }, { subresource: 'status' })
  await report([images('a', 'v1.0.0')])
  await create({ triggers: [{ semver: '1', from: 'nodes', every: '24h' }], image: 'web:v1.0.0' })
  await until(async () => expect(imageOf(await get())).toBe(`web:v1.0.0@${DIGEST('a')}`), PATIENCE_MS)
  await report([images('a', 'v1.0.0'), images('b', 'v1.1.0')])
  await until(async () => expect(imageOf(await get())).toBe(`web:v1.1.0@${DIGEST('b')}`), PATIENCE_MS)
})

it('refuse what makes no sense, and kinds that do not roll', async () => {
  const refusal = async (work: Promise<unknown>) => {
    const error = await work.catch((reason: unknown) => reason)
    return error instanceof StatusError ? error.status.details?.causes?.[0] : error
  }
  expect(await refusal(create({ triggers: [{ semver: 1 }], image: 'web:v1' }))).toMatchObject({
    field: 'metadata.annotations[skiff.dev/image-triggers]',
    message: expect.stringContaining('[0]: semver: a text is expected; put 1 in quotes'),
  })
  const annotations = { 'skiff.dev/image-triggers-paused': 'yes' }
  expect(await refusal(create({ triggers: [{ semver: '1' }], image: 'web:v1', annotations }))).toMatchObject({
    field: 'metadata.annotations[skiff.dev/image-triggers-paused]',
  })
  const rc = { ...workload({ triggers: [], image: 'web:v1' }), apiVersion: 'v1', kind: 'ReplicationController' }
  const spec = { selector: { app: 'web' }, template: rc.spec.template }
  expect(await refusal(client.create(replicationControllers, { ...rc, spec }))).toMatchObject({
    message: 'Forbidden: Deployments, StatefulSets and DaemonSets follow images, not a ReplicationController',
  })
})
