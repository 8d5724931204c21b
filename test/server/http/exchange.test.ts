import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import { get } from 'node:https'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startServer, type TestServer } from '../start-server.ts'
import { type HttpClient, httpsClient } from './https-client.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const map = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})

let server: TestServer
let http: HttpClient
beforeEach(async () => {
  server = await startServer()
  http = await httpsClient(server)
})
afterEach(() => server.close())

describe('the HTTP door', () => {
  it('serves who shows a certificate, and refuses the anonymous', async () => {
    expect((await http.send('POST', MAPS, map('a'))).status).toBe(201)
    const anonymous = await new Promise<number>((resolve, reject) => {
      const { cert: _, key: __, ...bare } = http.options
      get({ ...bare, path: MAPS, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      }).on('error', reject)
    })
    expect(anonymous).toBe(403)
  })

  it('speaks HTTP/2 on the same port', async () => {
    const { ca, cert, key } = http.options as { ca: string; cert: string; key: string }
    const session = connect(http.url, { ca, cert, key })
    const status = await new Promise((resolve, reject) => {
      const stream = session.request({ ':path': MAPS })
      stream.on('response', (headers) => resolve(headers[':status']))
      stream.on('error', reject)
      stream.resume()
    })
    expect(status).toBe(200)
    await new Promise<void>((resolve) => session.close(resolve))
  })

  it.each([
    ['{bad', 400, 'json parse error'],
    ['{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":1}}', 400, 'cannot unmarshal number'],
    ['{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}', 400, 'unknown conversion'],
    ['{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"Bad_Name"}}', 422, 'RFC 1123'],
  ])('answers %s with %i', async (body, status, text) => {
    const answer = await http.send('POST', MAPS, body)
    expect(answer.status).toBe(status)
    expect(answer.json<{ message: string }>().message).toContain(text)
  })

  it('refuses bodies above the limit and goes on serving', async () => {
    expect((await http.send('POST', MAPS, map('big', { x: 'x'.repeat(3_200_000) }))).status).toBe(413)
    expect((await http.send('POST', MAPS, map('small'))).status).toBe(201)
  })

  it('reads YAML', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {a: "1"}\n'
    expect((await http.send('POST', MAPS, yaml, { 'content-type': 'application/yaml' })).status).toBe(201)
    const answer = await http.send('GET', `${MAPS}/yaml`, undefined, { accept: 'application/yaml' })
    expect(answer.body.toString()).toContain('kind: ConfigMap')
  })

  it('warns about unknown fields, or refuses them when asked to be strict', async () => {
    const body = { ...map('w'), bogus: 1 }
    expect((await http.send('POST', `${MAPS}?fieldValidation=Strict`, body)).status).toBe(400)
    const answer = await http.send('POST', MAPS, body)
    expect(answer.headers.warning).toBe('299 - "unknown field \\"bogus\\""')
  })

  it('compresses large answers for those who ask', async () => {
    await http.send('POST', MAPS, map('big', { x: 'x'.repeat(200_000) }))
    const plain = await http.send('GET', `${MAPS}/big`)
    expect(plain.headers['content-encoding']).toBeUndefined()
    const packed = await http.send('GET', `${MAPS}/big`, undefined, { 'accept-encoding': 'gzip' })
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
  })

  it('indents for people', async () => {
    await http.send('POST', MAPS, map('p'))
    expect((await http.send('GET', `${MAPS}/p?pretty=true`)).body.toString()).toMatch(/^\{\n {2}"kind"/)
    expect((await http.send('GET', `${MAPS}/p`)).body.toString()).toMatch(/^\{"kind".*\}\n$/)
  })

  it('cuts off a watcher that does not read, and nobody else', async () => {
    const watching = get({ ...http.options, path: `${MAPS}?watch=1`, agent: false })
    const [response] = (await once(watching, 'response')) as [IncomingMessage]
    const cut = once(response.socket, 'close')
    response.pause().on('error', () => {})
    watching.on('error', () => {})
    const large = 'x'.repeat(900_000)
    for (let i = 0; i < 40; i++) await server.call('POST', MAPS, map(`large-${i}`, { large }))
    await cut
    expect((await http.send('GET', '/livez')).status).toBe(200)
  })

  it('ends watches and connections when it closes', async () => {
    const lines: string[] = []
    const ended = new Promise<void>((resolve) => {
      get({ ...http.options, path: `${MAPS}?watch=1` }, (response) => {
        response.on('data', (chunk) => lines.push(...String(chunk).split('\n').filter(Boolean)))
        response.on('close', resolve)
      })
    })
    await http.send('POST', MAPS, map('seen'))
    await vi.waitFor(() => expect(lines.map((line) => JSON.parse(line).object.metadata.name)).toContain('seen'))
    await server.server.close()
    await ended
  })
})

it('says in one line why it cannot listen', async () => {
  const port = Number(new URL(http.url).port)
  const other = await startServer()
  await expect(other.server.listen({ host: '127.0.0.1', port })).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: another process listens there`,
  )
  await other.close()
})
