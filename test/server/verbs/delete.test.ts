import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'

const PODS = '/api/v1/namespaces/default/pods'
const SETS = '/apis/apps/v1/namespaces/default/replicasets'
let server: TestServer
beforeEach(async () => {
  server = await startServer()
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  })
})
afterEach(() => server.close())

const pod = (name: string, spec: object = {}) =>
  server.call('POST', PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec },
  })

describe('deleting pods', () => {
  it('removes a pod without a node at once, and gives one on a node its grace', async () => {
    await pod('free')
    expect((await server.call('DELETE', `${PODS}/free`)).metadata.deletionGracePeriodSeconds).toBe(0)
    await expect(server.call('GET', `${PODS}/free`)).rejects.toMatchObject({ code: 404 })
    await pod('bound', { nodeName: 'n' })
    expect((await server.call('DELETE', `${PODS}/bound`)).metadata.deletionGracePeriodSeconds).toBe(30)
    const shorter = await server.call('DELETE', `${PODS}/bound`, { gracePeriodSeconds: 5 })
    expect(shorter.metadata.deletionGracePeriodSeconds).toBe(5)
    const longer = await server.call('DELETE', `${PODS}/bound`, { gracePeriodSeconds: 50 })
    expect(longer.metadata.deletionGracePeriodSeconds).toBe(5)
  })

  it("goes with the node's last word, which names the pod it means", async () => {
    const { metadata } = await pod('bound', { nodeName: 'n' })
    await server.call('DELETE', `${PODS}/bound`)
    const last = (uid: string) => server.call('DELETE', `${PODS}/bound`, { gracePeriodSeconds: 0, preconditions: { uid } })
    await expect(last('another')).rejects.toMatchObject({ reason: 'Conflict' })
    await last(metadata.uid!)
    await expect(server.call('GET', `${PODS}/bound`)).rejects.toMatchObject({ code: 404 })
  })
})

describe('deleting owners', () => {
  const create = () =>
    server.call('POST', SETS, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'r' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    })

  it.each([
    ['Foreground', ['foregroundDeletion']],
    ['Orphan', ['orphan']],
  ])('waits with %s for the garbage collector', async (propagationPolicy, finalizers) => {
    await create()
    const waiting = await server.call('DELETE', `${SETS}/r`, { propagationPolicy })
    expect(waiting.metadata.finalizers).toEqual(finalizers)
    await server.call('PATCH', `${SETS}/r`, { metadata: { finalizers: [] } }, PATCH_TYPES.merge)
    await expect(server.call('GET', `${SETS}/r`)).rejects.toMatchObject({ code: 404 })
  })

  it('goes at once with Background', async () => {
    await create()
    await server.call('DELETE', `${SETS}/r`, { propagationPolicy: 'Background' })
    await expect(server.call('GET', `${SETS}/r`)).rejects.toMatchObject({ code: 404 })
  })
})

it('ends a namespace only when it is finalized', async () => {
  await server.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone' } })
  const going = await server.call('DELETE', '/api/v1/namespaces/gone')
  expect(going.status.phase).toBe('Terminating')
  const body = { ...going, spec: { finalizers: [] } }
  await server.call('PUT', '/api/v1/namespaces/gone/finalize', body)
  await expect(server.call('GET', '/api/v1/namespaces/gone')).rejects.toMatchObject({ code: 404 })
})

it('deletes the selected objects of a collection', async () => {
  for (const name of ['a', 'b', 'c']) {
    const labels = { keep: String(name === 'b') }
    await server.call('POST', '/api/v1/namespaces/default/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, labels },
    })
  }
  await server.call('DELETE', '/api/v1/namespaces/default/configmaps', undefined, { query: { labelSelector: 'keep=false' } })
  const { items } = await server.call<{ items: { metadata: { name: string } }[] }>('GET', '/api/v1/namespaces/default/configmaps')
  expect(items.map(({ metadata }) => metadata.name)).toEqual(['b'])
})
