import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeList } from '../../../src/api/object.ts'
import { startServer, type TestServer } from '../start-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
let server: TestServer
beforeEach(async () => {
  server = await startServer()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await create(name)
})
afterEach(() => server.close())

const create = (name: string) =>
  server.call('POST', MAPS, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { odd: String('ace'.includes(name)) } },
  })
const list = (query: Record<string, string> = {}) => server.call<KubeList>('GET', MAPS, undefined, { query })
const names = ({ items }: KubeList) => items.map(({ metadata }) => metadata.name)

describe('lists', () => {
  it('selects by labels and fields', async () => {
    expect(names(await list({ labelSelector: 'odd=true' }))).toEqual(['a', 'c', 'e'])
    expect(names(await list({ fieldSelector: 'metadata.name=b' }))).toEqual(['b'])
    expect(names(await list({ labelSelector: 'odd', fieldSelector: 'metadata.name!=a' }))).toEqual(['b', 'c', 'd', 'e'])
  })

  it('pages at one revision, whatever is written meanwhile', async () => {
    const first = await list({ limit: '2' })
    expect(names(first)).toEqual(['a', 'b'])
    expect(first.metadata.remainingItemCount).toBe(3)
    await create('bb')
    const second = await list({ limit: '2', continue: first.metadata.continue! })
    expect(names(second)).toEqual(['c', 'd'])
    const last = await list({ limit: '2', continue: second.metadata.continue! })
    expect(names(last)).toEqual(['e'])
    expect(last.metadata.continue).toBeUndefined()
  })

  it('pages with a selector without counting what is left', async () => {
    const first = await list({ limit: '2', labelSelector: 'odd=true' })
    expect(names(first)).toEqual(['a', 'c'])
    expect(first.metadata.remainingItemCount).toBeUndefined()
    const last = await list({ limit: '2', labelSelector: 'odd=true', continue: first.metadata.continue! })
    expect(names(last)).toEqual(['e'])
  })

  it('offers to go on inconsistently when the pages are forgotten', async () => {
    const first = await list({ limit: '2' })
    await create('f')
    server.store.compact(server.store.revision)
    const expired = await list({ limit: '2', continue: first.metadata.continue! }).catch((error) => error)
    expect(expired).toMatchObject({ code: 410, reason: 'Expired' })
    const rest = await list({ continue: expired.status.metadata.continue })
    expect(names(rest)).toEqual(['c', 'd', 'e', 'f'])
  })

  it('lists at an exact revision', async () => {
    const before = (await list()).metadata.resourceVersion!
    await create('f')
    expect(names(await list({ resourceVersion: before, resourceVersionMatch: 'Exact' }))).toHaveLength(5)
    expect(names(await list({ resourceVersion: before, resourceVersionMatch: 'NotOlderThan' }))).toHaveLength(6)
    await expect(list({ resourceVersion: '999999' })).rejects.toMatchObject({ code: 504 })
  })

  it('has bytes that parse to the same list', async () => {
    const response = await server.respond('GET', MAPS)
    const parsed = JSON.parse(Buffer.from(response.bytes()).toString()) as KubeList
    expect(names(parsed)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(parsed.items[0]).not.toHaveProperty('kind')
  })

  it('shows a table, and metadata alone', async () => {
    const accept = (as: string) => ({ headers: { accept: `application/json;as=${as};v=v1;g=meta.k8s.io` } })
    const table = await server.call<{ rows: { cells: unknown[] }[]; columnDefinitions: { name: string }[] }>(
      'GET',
      MAPS,
      undefined,
      accept('Table'),
    )
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Data', 'Age'])
    expect(table.rows[0]?.cells.slice(0, 2)).toEqual(['a', 0])
    const partial = await server.call<KubeList>('GET', MAPS, undefined, accept('PartialObjectMetadataList'))
    expect(partial.items[0]).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } })
  })
})
