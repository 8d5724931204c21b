/** Pods that require one another stop in the reverse of the order in which they start, and nobody waits for ever. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/api/object.ts'
import type { Pod } from '../../src/api/types.ts'
import type { ResourceRef } from '../../src/client/client.ts'
import { namespaces, nodes, pods, replicaSets, serviceAccounts, services } from '../../src/client/resources.ts'
import { createNode, type Node } from '../../src/node/node.ts'
import type { Runtime } from '../../src/node/runtime/runtime.ts'
import { createSimulatedRuntime } from '../../src/node/runtime/simulated/simulated.ts'
import { type ControlPlane, startControlPlane } from './support/control-plane.ts'
import { createManualClock, type ManualClock } from './support/manual-clock.ts'
import { type PodWorld, podWorld } from './support/pods.ts'

const IN = { namespace: 'default' }
let clock: ManualClock
let plane: ControlPlane
let runtime: Runtime
let node: Node
let world: PodWorld
let directory: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-node-'))
  clock = createManualClock()
  plane = await startControlPlane(clock)
  world = podWorld(plane)
  runtime = createSimulatedRuntime({ clock })
  // As an administrator, as in a cluster of one process: a node's own account may not read owners and namespaces.
  node = createNode({ ...plane, name: 'n1', runtime, dataDirectory: directory })
  await node.start()
})
afterEach(async () => {
  await node.stop({ remove: true })
  await plane.close()
  rmSync(directory, { recursive: true, force: true })
})

/** A pod that requires others, as admission writes it. `stops`: how long it takes after SIGTERM. */
async function run(name: string, requires: readonly string[], more: Partial<Pod['metadata']> & { stops?: string } = {}) {
  const { stops = '0s', ...metadata } = more
  const resolved = requires.map((text) => {
    const [kind = '', target = ''] = text.split('/')
    return { text, target: { type: 'object', kind, name: target } }
  })
  await world.run(
    name,
    { terminationGracePeriodSeconds: 30 },
    {
      labels: { app: name },
      annotations: { 'skiff.dev/requires-resolved': JSON.stringify(resolved), 'simulated.skiff.dev/stop-delay': stops },
      ...metadata,
    },
  )
  await world.until(name, (pod) => pod.status?.phase === 'Running')
}

const remove = (name: string, gracePeriodSeconds?: number) =>
  plane.client.delete(pods, name, { ...IN, ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }) })
const isThere = (name: string) =>
  plane.client.get(pods, name, IN).then(
    () => true,
    () => false,
  )
/** Which of them the server still has, after some time. */
async function left(names: readonly string[], afterMs: number): Promise<string[]> {
  await clock.advance(afterMs)
  const there = await Promise.all(names.map(isThere))
  return names.filter((_, i) => there[i])
}

describe('pods that are deleted together', () => {
  it('stop after those that require them, through a Service too', async () => {
    await plane.client.create(services as ResourceRef<object>, {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', ...IN } },
      spec: { selector: { app: 'db' }, ports: [{ port: 80 }] },
    })
    await run('db', [])
    await run('stock', ['service/db'], { stops: '4s' })
    await run('web', ['pod/stock'], { stops: '4s' })
    await remove('db')
    await clock.advance(300)
    await remove('stock')
    await remove('web')
    const all = ['db', 'stock', 'web']
    expect(await left(all, 3_000)).toEqual(['db', 'stock', 'web'])
    expect(await left(all, 3_000)).toEqual(['db', 'stock'])
    expect(await left(all, 6_000)).toEqual([])
    expect(await world.events('db')).toContain('StopOrder: Stops after pod stock, which requires it')
  })

  it('wait for two minutes at most, and say so', async () => {
    await run('db', [])
    await run('web', ['pod/db'], { stops: '10m' })
    await remove('db')
    await remove('web', 600)
    expect(await left(['db', 'web'], 118_000)).toEqual(['db', 'web'])
    expect(await left(['db', 'web'], 5_000)).toEqual(['web'])
    expect(await world.events('db')).toContain('StopOrderTimeout: Stops although pods that require it still run: pod web')
  })

  it('do not wait for one another in a circle', async () => {
    await run('a', ['pod/b'])
    await run('b', ['pod/a'])
    await remove('a')
    await remove('b')
    expect(await left(['a', 'b'], 3_000)).toEqual([])
  })

  it('are not kept from being forced, or from being in a hurry', async () => {
    await run('db', [])
    await run('cache', [])
    await run('web', ['pod/db', 'pod/cache'], { stops: '20s' })
    await remove('web')
    await remove('db', 0)
    await remove('cache', 1)
    expect(await isThere('db')).toBe(false)
    expect(await left(['cache', 'web'], 3_000)).toEqual(['web'])
  })

  it('go on when they are asked again with less time', async () => {
    await run('db', [])
    await run('web', ['pod/db'], { stops: '20s' })
    await remove('web')
    await remove('db')
    expect(await left(['db', 'web'], 3_000)).toEqual(['db', 'web'])
    await remove('db', 1)
    expect(await left(['db', 'web'], 2_500)).toEqual(['web'])
  })
})

describe('a pod that is deleted alone', () => {
  const owned = async (name: string, replicas = 1) => {
    const labels = { app: name }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'c' }] } }
    const made = await plane.client.create(replicaSets as ResourceRef<KubeObject>, {
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name, ...IN } },
      spec: { replicas, selector: { matchLabels: labels }, template },
    })
    const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: made.metadata.uid ?? '', controller: true }
    return { ownerReferences: [reference] }
  }

  it('stops at once while its owner stays, whoever requires it', async () => {
    await run('db', [], await owned('db'))
    await run('web', ['pod/db'])
    await remove('db')
    expect(await left(['db', 'web'], 50)).toEqual(['web'])
    expect(await world.events('db')).not.toContainEqual(expect.stringContaining('StopOrder'))
  })

  it('waits a second for company when nobody owns it', async () => {
    await run('db', [])
    await run('web', ['pod/db'])
    await remove('db')
    expect(await left(['db', 'web'], 500)).toEqual(['db', 'web'])
    expect(await left(['db', 'web'], 1_000)).toEqual(['web'])
  })

  it('waits for dependents whose owner has gone, and who will be deleted', async () => {
    const db = await owned('db')
    const web = await owned('web')
    await run('db', [], db)
    await run('web', ['replicaset/db'], web)
    const orphaning = { ...IN, propagationPolicy: 'Orphan' } as const
    await plane.client.delete(replicaSets, 'db', orphaning)
    await plane.client.delete(replicaSets, 'web', orphaning)
    await remove('db')
    expect(await left(['db', 'web'], 5_000)).toEqual(['db', 'web'])
    await remove('web')
    expect(await left(['db', 'web'], 1_000)).toEqual([])
  })

  it('waits a second for company when its node is cordoned', async () => {
    await run('db', [], await owned('db'))
    await run('web', ['pod/db'], { stops: '3s' })
    await plane.client.patch(nodes, 'n1', 'merge', { spec: { unschedulable: true } })
    await remove('db')
    await clock.advance(500)
    await remove('web')
    expect(await left(['db', 'web'], 2_000)).toEqual(['db', 'web'])
    expect(await left(['db', 'web'], 3_000)).toEqual([])
  })
})

describe('a node that goes', () => {
  it('takes dependents down first, and those in a circle with the rest', async () => {
    await run('db', [])
    await run('stock', ['pod/db'])
    await run('web', ['pod/stock'])
    await run('a', ['pod/b'])
    await run('b', ['pod/a'])
    const states: string[] = []
    runtime.onChange(() => {
      void runtime.list().then((sandboxes) => states.push(sandboxes.map(({ name }) => name).join(' ')))
    })
    await node.stop({ remove: true })
    // Each of the three as long as one that requires it is there.
    for (const there of states) {
      if (there.includes('web')) expect(there).toContain('stock')
      if (there.includes('stock')) expect(there).toContain('db')
    }
    expect(states).toEqual(
      expect.arrayContaining([expect.stringMatching(/db stock(?! web)/), expect.stringMatching(/db(?! stock)/)]),
    )
    expect(await runtime.list()).toEqual([])
  })
})

describe('a pod whose namespace goes', () => {
  it('waits for dependents that have not been deleted yet', async () => {
    await plane.client.create(namespaces as ResourceRef<object>, { metadata: { name: 'shop', finalizers: ['example.com/stay'] } })
    const inShop = { namespace: 'shop' }
    await plane.client.create(serviceAccounts, { metadata: { name: 'default', ...inShop } } as never)
    const labels = { app: 'x' }
    for (const [name, annotations] of [
      ['db', {}],
      ['web', { 'skiff.dev/requires-resolved': '[{"text":"pod/db","target":{"type":"object","kind":"pod","name":"db"}}]' }],
    ] as const)
      await plane.client.create(pods, {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels, annotations } },
        spec: { nodeName: 'n1', automountServiceAccountToken: false, containers: [{ name: 'web', image: 'web:1' }] },
      })
    await clock.advance(1_000)
    await plane.client.delete(namespaces, 'shop')
    await plane.client.delete(pods, 'db', inShop)
    await clock.advance(5_000)
    const { items } = await plane.client.list(pods, inShop)
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['db', 'web'])
    await plane.client.delete(pods, 'web', inShop)
    await clock.advance(2_000)
    expect((await plane.client.list(pods, inShop)).items).toEqual([])
  })
})
