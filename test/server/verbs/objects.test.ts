import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const map = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})

let server: TestServer
beforeEach(async () => {
  server = await startServer()
})
afterEach(() => server.close())

describe('the life of an object', () => {
  it('creates, reads, lists, replaces and deletes', async () => {
    const created = await server.call('POST', MAPS, map('a', { x: '1' }))
    expect(created).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'a', namespace: 'default' },
      data: { x: '1' },
    })
    expect(created.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
    expect(await server.call('GET', `${MAPS}/a`)).toBe(created)
    const list = await server.call<{ items: KubeObject[] }>('GET', MAPS)
    expect(list.items).toEqual([created])
    const replaced = await server.call('PUT', `${MAPS}/a`, { ...created, data: { x: '2' } })
    expect(replaced.data).toEqual({ x: '2' })
    expect(Number(replaced.metadata.resourceVersion)).toBeGreaterThan(Number(created.metadata.resourceVersion))
    expect(await server.call('DELETE', `${MAPS}/a`)).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'a' } })
    await expect(server.call('GET', `${MAPS}/a`)).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('refuses a stale version, and keeps the version of a write that changes nothing', async () => {
    const created = await server.call('POST', MAPS, map('a', { x: '1' }))
    const second = await server.call('PUT', `${MAPS}/a`, { ...created, data: { x: '2' } })
    await expect(server.call('PUT', `${MAPS}/a`, { ...created, data: { x: '3' } })).rejects.toMatchObject({ reason: 'Conflict' })
    const same = await server.call('PUT', `${MAPS}/a`, { ...second })
    expect(same.metadata.resourceVersion).toBe(second.metadata.resourceVersion)
    const patched = await server.call('PATCH', `${MAPS}/a`, { data: { x: '2' } }, PATCH_TYPES.merge)
    expect(patched.metadata.resourceVersion).toBe(second.metadata.resourceVersion)
  })

  it('generates names of the prefix and five characters', async () => {
    const made = await server.call('POST', MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } })
    expect(made.metadata.name).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  })

  it('never edits what a caller sent', async () => {
    const shared = Object.freeze({ x: '1' })
    await server.call('POST', MAPS, { ...map('a'), data: shared })
    await server.call('PATCH', `${MAPS}/a`, { data: { y: '2' } }, PATCH_TYPES.merge)
    expect(shared).toEqual({ x: '1' })
  })

  it('patches concurrently without losing one', async () => {
    await server.call('POST', MAPS, map('a'))
    const keys = Array.from({ length: 16 }, (_, i) => `k${i}`)
    await Promise.all(keys.map((key) => server.call('PATCH', `${MAPS}/a`, { data: { [key]: key } }, PATCH_TYPES.merge)))
    expect(Object.keys((await server.call('GET', `${MAPS}/a`)).data).sort()).toEqual([...keys].sort())
  })

  it('holds an object back until its last finalizer is gone', async () => {
    await server.call('POST', MAPS, { ...map('a'), metadata: { name: 'a', finalizers: ['x.example/y'] } })
    const waiting = await server.call('DELETE', `${MAPS}/a`)
    expect(waiting.metadata.deletionTimestamp).toBeDefined()
    await server.call('PATCH', `${MAPS}/a`, { metadata: { finalizers: null } }, PATCH_TYPES.merge)
    await expect(server.call('GET', `${MAPS}/a`)).rejects.toMatchObject({ reason: 'NotFound' })
  })
})
