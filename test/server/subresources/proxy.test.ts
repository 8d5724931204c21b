import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HttpClient, httpsClient } from '../http/https-client.ts'
import { startServer, type TestServer } from '../start-server.ts'
import { createProcessNode } from '../streams/process-node.ts'

const NS = '/api/v1/namespaces/default'

let server: TestServer
let http: HttpClient
let app: Server
let port: number
beforeEach(async () => {
  server = await startServer()
  http = await httpsClient(server)
  server.server.connectNode('n1', createProcessNode())
  app = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const { authorization, 'x-mine': mine } = request.headers
      response.writeHead(request.url === '/teapot' ? 418 : 200, { 'content-type': 'application/json', 'x-from': 'app' })
      response.end(JSON.stringify({ method: request.method, url: request.url, body, authorization, mine }))
    })
  })
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  port = (app.address() as AddressInfo).port
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await server.call('POST', `${NS}/serviceaccounts`, account)
  await server.call('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
  await server.call('POST', `${NS}/pods`, {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', ports: [{ containerPort: port }] }] },
  })
})
afterEach(async () => {
  app.close()
  await server.close()
})

describe('a pod', () => {
  it('is asked as it was asked of the API server, but for the credentials', async () => {
    const headers = { 'x-mine': 'yes', 'content-type': 'text/plain' }
    const answer = await http.send('POST', `${NS}/pods/p/proxy/a%20b/c/?x=1&y=%26`, 'hello', headers)
    expect(answer.status).toBe(200)
    expect(answer.headers['x-from']).toBe('app')
    expect(answer.json()).toEqual({ method: 'POST', url: '/a%20b/c/?x=1&y=%26', body: 'hello', mine: 'yes' })
  })

  it('answers with its own codes, and is found by port', async () => {
    expect((await http.send('GET', `${NS}/pods/p:${port}/proxy/teapot`)).status).toBe(418)
    const redirected = await http.send('GET', `${NS}/pods/p/proxy?q=1`)
    expect([redirected.status, redirected.headers.location]).toEqual([301, `${NS}/pods/p/proxy/?q=1`])
  })

  it('that does not listen, or is none, is told', async () => {
    const closed = await http.send('GET', `${NS}/pods/p:1/proxy/`)
    expect(closed.status).toBe(503)
    expect(closed.json<{ message: string }>().message).toContain('error trying to reach service: p:1: connect ECONNREFUSED')
    expect((await http.send('GET', `${NS}/pods/q/proxy/`)).status).toBe(404)
    expect((await http.send('GET', `${NS}/pods/ftp:p:80/proxy/`)).json()).toMatchObject({
      code: 400,
      message: 'invalid pod request "ftp:p:80"',
    })
  })
})

describe('a Service', () => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ name: 'web', port: 80 }] } }

  it('is one of its endpoints that are ready', async () => {
    await server.call('POST', `${NS}/services`, service)
    const none = await http.send('GET', `${NS}/services/s/proxy/`)
    expect(none.json()).toMatchObject({ code: 503, message: 'no endpoints available for service "s"' })
    await server.call('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
      metadata: { name: 's-1', labels: { 'kubernetes.io/service-name': 's' } },
      ports: [{ name: 'web', port }],
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: false } },
        { addresses: ['10.0.0.2'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'p', namespace: 'default' } },
      ],
    })
    for (const name of ['s', 's:web', 's:80', 'http:s:web']) {
      expect((await http.send('GET', `${NS}/services/${name}/proxy/x`)).json()).toMatchObject({ url: '/x' })
    }
    expect((await http.send('GET', `${NS}/services/s:8/proxy/`)).json()).toMatchObject({
      code: 503,
      message: 'no service port "8" found for service "s"',
    })
  })
})

describe('a node', () => {
  it('tells its health and its pods', async () => {
    expect((await http.send('GET', '/api/v1/nodes/n1/proxy/healthz')).body.toString()).toBe('ok')
    const pods = (await http.send('GET', '/api/v1/nodes/n1:10250/proxy/pods')).json<{ items: { metadata: { name: string } }[] }>()
    expect(pods.items.map((pod) => pod.metadata.name)).toEqual(['p'])
    expect((await http.send('GET', '/api/v1/nodes/n1/proxy/none')).status).toBe(404)
  })
})
