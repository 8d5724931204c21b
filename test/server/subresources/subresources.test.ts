import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'

const PODS = '/api/v1/namespaces/default/pods'
const SETS = '/apis/apps/v1/namespaces/default/replicasets'
let server: TestServer
beforeEach(async () => {
  server = await startServer()
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', account)
})
afterEach(() => server.close())

const pod = (name: string, labels: Record<string, string> = {}, spec: object = {}) =>
  server.call('POST', PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec },
  })

describe('binding', () => {
  const bind = (name: string, target: object, metadata: object = {}) =>
    server.call('POST', `${PODS}/${name}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name, ...metadata }, target })

  it('gives a pod its node once, with what the binding says about it', async () => {
    const before = await pod('p')
    await bind('p', { kind: 'Node', name: 'n' }, { annotations: { zone: 'z' } })
    const after = await server.call('GET', `${PODS}/p`)
    expect(after.spec.nodeName).toBe('n')
    expect(after.metadata.annotations).toEqual({ zone: 'z' })
    expect(after.metadata.generation).toBe(before.metadata.generation)
    expect(after.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }])
    await expect(bind('p', { kind: 'Node', name: 'm' })).rejects.toMatchObject({ reason: 'Conflict' })
  })

  it('leaves gated pods alone', async () => {
    await pod('g', {}, { schedulingGates: [{ name: 'x.io/y' }] })
    await expect(bind('g', { kind: 'Node', name: 'n' })).rejects.toMatchObject({
      message: expect.stringContaining('schedulingGates'),
    })
  })
})

describe('scale', () => {
  it('reads and writes the number wanted, and nothing else', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const spec = { replicas: 2, selector: { matchLabels: { a: 'b' } }, template }
    await server.call('POST', SETS, { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'r' }, spec })
    const scale = await server.call('GET', `${SETS}/r/scale`)
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 2 }, status: { replicas: 0, selector: 'a=b' } })
    await server.call('PUT', `${SETS}/r/scale`, { ...scale, spec: { replicas: 5 } })
    await expect(server.call('PUT', `${SETS}/r/scale`, { ...scale, spec: { replicas: 6 } })).rejects.toMatchObject({
      reason: 'Conflict',
    })
    await server.call('PATCH', `${SETS}/r/scale`, { spec: { replicas: 7 } }, PATCH_TYPES.merge)
    expect(await server.call('GET', `${SETS}/r`)).toMatchObject({ spec: { replicas: 7, template }, metadata: { generation: 3 } })
  })
})

describe('eviction', () => {
  const evict = (name: string) =>
    server.call('POST', `${PODS}/${name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } })
  const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'

  it('asks the budget, and takes from it', async () => {
    await pod('p', { a: 'b' }, { nodeName: 'n' })
    const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
    await server.call('PATCH', `${PODS}/p/status`, { status: ready }, PATCH_TYPES.merge)
    const budget = { minAvailable: 1, selector: { matchLabels: { a: 'b' } } }
    await server.call('POST', BUDGETS, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'b' },
      spec: budget,
    })
    await expect(evict('p')).rejects.toMatchObject({ code: 429 })
    const status = { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 }
    await server.call('PATCH', `${BUDGETS}/b/status`, { status }, PATCH_TYPES.merge)
    await evict('p')
    const evicted = await server.call('GET', `${PODS}/p`)
    expect(evicted.metadata.deletionTimestamp).toBeDefined()
    expect(evicted.status.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget' }))
    expect((await server.call('GET', `${BUDGETS}/b`)).status.disruptionsAllowed).toBe(0)
  })
})

it('writes the status without touching the rest, and the rest without the status', async () => {
  await pod('p')
  const body = { spec: { nodeName: 'sneaked' }, status: { phase: 'Running' } }
  const status = await server.call('PATCH', `${PODS}/p/status`, body, PATCH_TYPES.merge)
  expect(status.status.phase).toBe('Running')
  expect(status.spec.nodeName).toBeUndefined()
  const main = await server.call(
    'PATCH',
    `${PODS}/p`,
    { metadata: { labels: { x: 'y' } }, status: { phase: 'Failed' } },
    PATCH_TYPES.merge,
  )
  expect(main.status.phase).toBe('Running')
  expect(main.metadata.labels).toEqual({ x: 'y' })
})
