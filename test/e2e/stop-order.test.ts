/** The order of stopping, with real processes: each writes down when it is asked to end and when it has. Needs Linux and root. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/api/object.ts'
import type { ResourceRef } from '../../src/client/client.ts'
import { deployments, namespaces, nodes, pods, services } from '../../src/client/resources.ts'
import { noRealPods, type RealPods, realPods } from './support/real-pods.ts'
import { until } from './support/skiff.ts'

/**
 * Serves, and at SIGTERM uses what it depends on once more: NEEDS is a URL. ENDS says how long it takes then, `never` that only
 * SIGKILL ends it.
 */
const PROGRAM = `
const { appendFileSync } = require('node:fs')
const { NAME, NEEDS, ENDS = '200' } = process.env
const say = (what) => appendFileSync('/out/log', NAME + ' ' + what + '\\n')
require('node:http').createServer((_, response) => response.end('hello from ' + NAME)).listen(8080)
process.on('SIGTERM', async () => {
  say('asked')
  if (NEEDS) {
    const answer = await fetch(NEEDS, { headers: { connection: 'close' } }).then((r) => r.text(), (e) => String(e.cause ?? e))
    say('heard ' + answer)
  }
  if (ENDS !== 'never') setTimeout(() => { say('ended'); process.exit(0) }, Number(ENDS))
})
`

const CHAIN = [
  ...['web asked', 'web heard hello from stock', 'web ended'],
  ...['stock asked', 'stock heard hello from db', 'stock ended'],
  ...['db asked', 'db ended'],
]

interface Part {
  name: string
  requires?: string
  needs?: string
  ends?: string
  grace?: number
}

const SHOP: readonly Part[] = [
  { name: 'db' },
  { name: 'stock', requires: '- service/db', needs: 'http://db/' },
  { name: 'web', requires: '- http://stock/', needs: 'http://stock/' },
]

let world: RealPods
let directory: string

describe.skipIf(noRealPods)(`pods that require one another${noRealPods ? ' (needs Linux and root)' : ''}`, () => {
  beforeAll(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'skiff-order-')))
    world = await realPods()
    await world.buildImage('ends:v1', PROGRAM)
  })
  afterAll(async () => {
    await world?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const create = (resource: unknown, object: object) => world.cluster.client.create(resource as ResourceRef<object>, object)
  const said = (namespace: string) => {
    try {
      return readFileSync(join(directory, namespace, 'log'), 'utf8')
        .trim()
        .split('\n')
    } catch {
      return []
    }
  }
  const podsIn = async (namespace: string) => (await world.cluster.client.list(pods, { namespace })).items
  const isReady = ({ status }: Awaited<ReturnType<typeof podsIn>>[number]) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false

  /** Makes the parts in a namespace of their own, each behind a Service, and waits until they run. */
  async function open(namespace: string, parts: readonly Part[], kind: 'Pod' | 'Deployment'): Promise<void> {
    mkdirSync(join(directory, namespace))
    await create(namespaces, { metadata: { name: namespace } })
    for (const { name, requires, needs, ends, grace = 30 } of parts) {
      const labels = { app: name }
      const metadata = { name, namespace }
      const annotations = requires === undefined ? {} : { 'skiff.dev/requires': requires }
      const env = { NAME: name, ...(needs && { NEEDS: needs }), ...(ends && { ENDS: ends }) }
      const container = {
        ...{ name: 'main', image: 'ends:v1', ports: [{ containerPort: 8080 }] },
        env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
        readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
        volumeMounts: [{ name: 'out', mountPath: '/out' }],
      }
      const volumes = [{ name: 'out', hostPath: { path: join(directory, namespace) } }]
      const spec = { terminationGracePeriodSeconds: grace, containers: [container], volumes }
      await create(services, {
        ...{ apiVersion: 'v1', kind: 'Service', metadata },
        spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
      })
      if (kind === 'Pod') await create(pods, { apiVersion: 'v1', kind, metadata: { ...metadata, labels, annotations }, spec })
      else
        await create(deployments, {
          ...{ apiVersion: 'apps/v1', kind, metadata },
          spec: { selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec } },
        })
    }
    const all = async () => {
      const there = await podsIn(namespace)
      return there.length === parts.length && there.every(isReady)
    }
    await until(`the pods of ${namespace} are ready`, all, 120_000)
  }

  const remove = (resource: unknown, name: string, namespace?: string, more = {}) =>
    world.cluster.client.delete(resource as ResourceRef<KubeObject>, name, { ...(namespace && { namespace }), ...more })
  const empty = (namespace: string) =>
    until(`${namespace} has no pods`, async () => (await podsIn(namespace)).length === 0, 90_000)

  it('stop dependents first when they are deleted one after the other, and can use what they depend on till the end', async () => {
    await open('by-hand', SHOP, 'Pod')
    for (const { name } of SHOP) await remove(pods, name, 'by-hand')
    await empty('by-hand')
    expect(said('by-hand')).toEqual(CHAIN)
  })

  it('do so when their Deployments are deleted', async () => {
    await open('by-owner', SHOP, 'Deployment')
    for (const { name } of SHOP) await remove(deployments, name, 'by-owner')
    await empty('by-owner')
    expect(said('by-owner')).toEqual(CHAIN)
  })

  it('do so when their namespace is deleted', async () => {
    await open('whole', SHOP, 'Deployment')
    await remove(namespaces, 'whole')
    await empty('whole')
    // The Services go with the rest: what a pod can still reach then is not the order's affair.
    expect(said('whole').filter((line) => !line.includes('heard'))).toEqual(CHAIN.filter((line) => !line.includes('heard')))
  })

  it('do so when their node is drained', async () => {
    await open('drained', SHOP, 'Deployment')
    const { client } = world.cluster
    await client.patch(nodes, 'skiff', 'merge', { spec: { unschedulable: true } })
    try {
      const there = await podsIn('drained')
      const evict = ({ metadata }: (typeof there)[number]) =>
        client.transport.request({
          ...{ method: 'POST', path: `/api/v1/namespaces/drained/pods/${metadata.name}/eviction` },
          body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: metadata.name, namespace: 'drained' } },
        })
      await Promise.all(there.map(evict))
      await until(
        'all have ended',
        () => Promise.resolve(said('drained').filter((line) => line.endsWith('ended')).length === 3),
        90_000,
      )
      expect(said('drained').filter((line) => !line.includes('heard'))).toEqual(CHAIN.filter((line) => !line.includes('heard')))
      await remove(namespaces, 'drained')
    } finally {
      await client.patch(nodes, 'skiff', 'merge', { spec: { unschedulable: null } })
    }
  })

  it('wait no longer than the grace of a dependent that does not end', async () => {
    const parts = [{ name: 'db' }, { name: 'web', requires: '- pod/db', ends: 'never', grace: 3 }]
    await open('hangs', parts, 'Pod')
    for (const { name } of parts) await remove(pods, name, 'hangs')
    await empty('hangs')
    expect(said('hangs')).toEqual(['web asked', 'db asked', 'db ended'])
  })

  it('stop alone when they are deleted alone, and are forced when they are forced', async () => {
    const parts = [...SHOP.slice(0, 1), { name: 'web', requires: '- deployment/db', ends: 'never', grace: 60 }]
    await open('alone', parts, 'Deployment')
    const [db] = (await podsIn('alone')).filter(({ metadata }) => metadata.labels?.app === 'db')
    await remove(pods, db?.metadata.name ?? '', 'alone')
    await until('db has ended', () => Promise.resolve(said('alone').includes('db ended')), 60_000)
    expect(said('alone')).not.toContain('web asked')
    // Both go, and web would take a minute: db is forced and does not wait.
    const isWhole = async () => {
      const there = await podsIn('alone')
      return there.length === 2 && there.every(isReady)
    }
    await until('db is there again', isWhole, 60_000)
    for (const { name } of parts) await remove(deployments, name, 'alone')
    await until('web is asked', () => Promise.resolve(said('alone').includes('web asked')), 60_000)
    const all = await podsIn('alone')
    expect(all.map(({ metadata }) => metadata.labels?.app).sort()).toEqual(['db', 'web'])
    for (const { metadata } of all) await remove(pods, metadata.name ?? '', 'alone', { gracePeriodSeconds: 0 })
    expect(await podsIn('alone')).toEqual([])
  })
})
