import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject, ManagedFieldsEntry } from '../../../src/api/object.ts'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
let server: TestServer
beforeEach(async () => {
  server = await startServer()
})
afterEach(() => server.close())

const apply = (manager: string, data: Record<string, string> | undefined, more: Record<string, string> = {}) =>
  server.call(
    'PATCH',
    `${MAPS}/c`,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, ...(data && { data }) },
    { ...PATCH_TYPES.apply, query: { fieldManager: manager, ...more } },
  )

const owners = (object: KubeObject) =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map(({ manager, fieldsV1 }: ManagedFieldsEntry) => [
      manager,
      Object.keys((fieldsV1 as Record<string, Record<string, object>>)['f:data'] ?? {}),
    ]),
  )

describe('server-side apply', () => {
  it('creates, owns what it applied, and writes nothing the second time', async () => {
    const first = await apply('one', { a: '1', b: '2' })
    expect(first.data).toEqual({ a: '1', b: '2' })
    expect(owners(first)).toEqual({ one: ['f:a', 'f:b'] })
    const second = await apply('one', { a: '1', b: '2' })
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  it('removes what it no longer applies, but not what another owns', async () => {
    await apply('one', { a: '1', b: '2' })
    await apply('two', { a: '1' })
    const left = await apply('one', { b: '2' })
    expect(left.data).toEqual({ a: '1', b: '2' })
    expect((await apply('two', {})).data).toEqual({ b: '2' })
  })

  it('reports every conflict, and takes over by force', async () => {
    await apply('one', { a: '1', b: '2' })
    await expect(apply('two', { a: 'x', b: 'y' })).rejects.toMatchObject({
      reason: 'Conflict',
      message: 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b',
    })
    const forced = await apply('two', { a: 'x' }, { force: 'true' })
    expect(forced.data).toEqual({ a: 'x', b: '2' })
    expect(owners(forced)).toEqual({ one: ['f:b'], two: ['f:a'] })
  })

  it('takes ownership back from an update', async () => {
    await apply('one', { a: '1' })
    const more = { ...PATCH_TYPES.merge, query: { fieldManager: 'editor' } }
    await server.call('PATCH', `${MAPS}/c`, { data: { a: 'edited' } }, more)
    await expect(apply('one', { a: '1' })).rejects.toMatchObject({ message: expect.stringContaining('"editor" using v1') })
    expect((await apply('one', { a: '1' }, { force: 'true' })).data).toEqual({ a: '1' })
  })

  it('stores nothing in a dry run', async () => {
    expect((await apply('one', { a: '1' }, { dryRun: 'All' })).data).toEqual({ a: '1' })
    await expect(server.call('GET', `${MAPS}/c`)).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('lets many appliers write at once', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `m${i}`)
    await Promise.all(names.map((name) => apply(name, { [name]: name })))
    expect(Object.keys((await server.call('GET', `${MAPS}/c`)).data).sort()).toEqual(names)
  })
})
