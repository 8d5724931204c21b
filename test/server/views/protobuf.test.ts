import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeProtobuf, openEnvelope } from '../../../src/api/protobuf/envelope.ts'
import { type HttpClient, httpsClient } from '../http/https-client.ts'
import { startServer, type TestServer } from '../start-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const PARTIAL = `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json`

let server: TestServer
let http: HttpClient
beforeEach(async () => {
  server = await startServer()
  http = await httpsClient(server)
  await server.call('POST', MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } })
})
afterEach(() => server.close())

describe('protobuf answers', () => {
  it('come to who names protobuf first', async () => {
    const answer = await http.send('GET', `${MAPS}/a`, undefined, { accept: `${PROTOBUF},application/json` })
    expect(answer.headers['content-type']).toBe(PROTOBUF)
    expect(decodeProtobuf(answer.body)).toMatchObject({ kind: 'ConfigMap', data: { k: 'v' } })
    const json = await http.send('GET', `${MAPS}/a`, undefined, { accept: `application/json,${PROTOBUF}` })
    expect(json.headers['content-type']).toBe('application/json')
  })

  it('carry metadata only, and failures', async () => {
    const partial = await http.send('GET', MAPS, undefined, { accept: PARTIAL })
    expect(openEnvelope(partial.body)).toMatchObject({ apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadataList' })
    const missing = await http.send('GET', `${MAPS}/b`, undefined, { accept: PROTOBUF })
    expect(missing.status).toBe(404)
    expect(decodeProtobuf(missing.body)).toMatchObject({ kind: 'Status', reason: 'NotFound', code: 404 })
  })

  it('stream events, each behind its length', async () => {
    const query = 'watch=1&resourceVersion=0&timeoutSeconds=1&fieldSelector=metadata.name=a'
    const answer = await http.send('GET', `${MAPS}?${query}`, undefined, { accept: PROTOBUF })
    expect(answer.headers['content-type']).toBe(`${PROTOBUF};stream=watch`)
    const length = answer.body.readUInt32BE(0)
    expect(answer.body.length).toBe(length + 4)
    const frame = answer.body.subarray(4)
    // The event itself stands bare; the object in it has its envelope.
    const object = frame.subarray(frame.indexOf('k8s\0'))
    expect(frame.subarray(2, 7).toString()).toBe('ADDED')
    expect(decodeProtobuf(object)).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'a' } })
  })
})

describe('generation', () => {
  it('counts annotations of Deployments, and nothing of priority classes', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const spec = { selector: { matchLabels: { a: 'b' } }, template }
    const path = '/apis/apps/v1/namespaces/default/deployments'
    await server.call('POST', path, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec })
    const merge = { headers: { 'content-type': 'application/merge-patch+json' } }
    const noted = await server.call('PATCH', `${path}/d`, { metadata: { annotations: { x: 'y' } } }, merge)
    expect(noted.metadata.generation).toBe(2)
    const classes = '/apis/scheduling.k8s.io/v1/priorityclasses'
    const made = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'p' }, value: 1 }
    await server.call('POST', classes, made)
    const described = await server.call('PATCH', `${classes}/p`, { description: 'd' }, merge)
    expect(described.metadata.generation).toBe(1)
  })
})
