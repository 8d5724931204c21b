import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { resourceOf } from '../../../src/server/registry.ts'
import { ListBody } from '../../../src/server/views/list-body.ts'
import type { Entry } from '../../../src/store/store.ts'
import { type HttpClient, httpsClient } from '../http/https-client.ts'
import { startServer, type TestServer } from '../start-server.ts'

const definition = builtinDefinitions.find(({ plural }) => plural === 'configmaps')!

function entries(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => {
    const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: `é-${i}` }, data: { text: 'x'.repeat(i * 7) } }
    return { key: `${i}`, value: Buffer.from(`${JSON.stringify(object)}\n`), revision: i, decoded: undefined }
  })
}

/** All of it through one buffer of that many bytes. */
function pieces(body: ListBody, bytes: number): string {
  const target = Buffer.alloc(bytes)
  const parts: Buffer[] = []
  for (let filled = body.fill(target); filled > 0; filled = body.fill(target)) parts.push(Buffer.from(target.subarray(0, filled)))
  return Buffer.concat(parts).toString()
}

describe.each([
  ['items that carry their kind', { ...resourceOf(definition), itemsCarryKind: true }],
  ['items that do not', { ...resourceOf(definition), itemsCarryKind: false }],
])('a list of %s', (_, resource) => {
  it.each([0, 1, 2, 9])('is the same as a whole and in pieces of any size, with %i', (count) => {
    const body = () => new ListBody(resource, entries(count), { resourceVersion: '7' })
    const whole = Buffer.concat(body().chunks()).toString()
    const list = JSON.parse(whole)
    expect(list).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: '7' } })
    expect(list.items.map((item: { metadata: object }) => item.metadata)).toEqual(
      entries(count).map((_entry, i) => ({ name: `é-${i}` })),
    )
    expect(list.items.map((item: { kind?: string }) => item.kind)).toEqual(
      Array(count).fill(resource.itemsCarryKind ? 'ConfigMap' : undefined),
    )
    expect(body().length).toBe(Buffer.byteLength(whole))
    for (const bytes of [1, 2, 3, 17, 64, 1 << 16]) expect(pieces(body(), bytes)).toBe(whole)
  })
})

describe('over the network', () => {
  let server: TestServer
  let http: HttpClient
  beforeEach(async () => {
    server = await startServer()
    http = await httpsClient(server)
  })
  afterEach(() => server.close())

  it('several long lists at once each have their own bytes', async () => {
    const path = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`
    for (const namespace of ['red', 'blue']) {
      await server.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
      for (let i = 0; i < 12; i++) {
        const data = { text: namespace[0]!.repeat(90_000) }
        await server.call('POST', path(namespace), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `m-${i}` }, data })
      }
    }
    const asked = ['red', 'blue', 'red', 'blue', 'red', 'blue']
    const answers = await Promise.all(asked.map((namespace) => http.send('GET', path(namespace))))
    for (const [index, { body, headers }] of answers.entries()) {
      expect(Number(headers['content-length'])).toBe(body.length)
      const { items } = JSON.parse(body.toString()) as { items: { data: { text: string } }[] }
      expect(items.map(({ data }) => data.text)).toEqual(Array(12).fill(asked[index]![0]!.repeat(90_000)))
    }
  })
})
