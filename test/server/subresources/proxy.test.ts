import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { type HttpClient, httpsClient } from '../http/https-client.ts'
import { startServer, type TestServer } from '../start-server.ts'
import { createProcessNode } from '../streams/process-node.ts'

const NS = '/api/v1/namespaces/default'

const PAGE = '<a title="ü" href=/x?q=1>x</a><img src="img.png"><script>var a = "<a href=\'/y\'>"</script><link href=\'/z/\'>'

let server: TestServer
let http: HttpClient
let app: Server
let port: number
beforeEach(async () => {
  server = await startServer()
  http = await httpsClient(server)
  server.server.connectNode('n1', createProcessNode())
  app = createServer((request, response) => {
    if (request.url === '/page') {
      const headers = {
        'content-type': 'text/html; charset=utf-8',
        'access-control-allow-origin': '*',
        'x-host': request.headers.host,
      }
      if (!request.headers['accept-encoding']) response.writeHead(200, headers).end(PAGE)
      else response.writeHead(200, { ...headers, 'content-encoding': 'gzip' }).end(gzipSync(PAGE))
      return
    }
    if (request.url?.startsWith('/moved')) {
      response.writeHead(302, { location: request.headers['x-to'] as string }).end()
      return
    }
    if (request.url?.startsWith('/headers')) {
      response.end(JSON.stringify(request.headers))
      return
    }
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

describe('what comes back', () => {
  const prefix = `${NS}/pods/p/proxy`

  it('has its links led through the proxy, and nothing else changed', async () => {
    const rewritten = PAGE.replace('/x?', `${prefix}/x?`).replace("'/z/", `'${prefix}/z/`)
    for (const headers of [undefined, { 'accept-encoding': 'gzip' }]) {
      const page = await http.send('GET', `${prefix}/page`, undefined, headers)
      expect(page.body.toString()).toBe(rewritten)
      expect(page.headers['access-control-allow-origin']).toBeUndefined()
      // As kube-apiserver, it passes on the Host that it was asked by.
      expect(page.headers['x-host']).toBe(new URL(http.url).host)
    }
  })

  it('is redirected through the proxy', async () => {
    const locations = ['/there?a=1', `http://${new URL(http.url).host}/there`, 'https://elsewhere.example/there', 'below']
    const answers = await Promise.all(locations.map((to) => http.send('GET', `${prefix}/moved`, undefined, { 'x-to': to })))
    expect(answers.map(({ headers }) => headers.location)).toEqual([
      `${prefix}/there?a=1`,
      `http://${new URL(http.url).host}${prefix}/there`,
      'https://elsewhere.example/there',
      'below',
    ])
  })

  it('was asked for with where it came from', async () => {
    const headers = (await http.send('GET', `${prefix}/headers/x/?y=1`, undefined, { 'x-forwarded-for': '10.9.9.9' })).json()
    expect(headers).toMatchObject({
      ...{ 'x-forwarded-uri': `${prefix}/headers/x/`, 'x-forwarded-for': expect.stringMatching(/^10\.9\.9\.9, .*127\.0\.0\.1$/) },
    })
    expect(headers).not.toHaveProperty('x-forwarded-proto')
  })
})

describe('an upgrade', () => {
  const connect = (path: string, protocols: string[], options: object = http.options) =>
    new WebSocket(`${http.url.replace('https', 'wss')}${path}`, protocols, options)

  it('passes through, with all that follows', async () => {
    const echo = new WebSocketServer({ server: app, path: '/echo', handleProtocols: () => 'chat' })
    const seen: (string | undefined)[] = []
    echo.on('connection', (socket, request) => {
      seen.push(request.url, request.headers['x-forwarded-uri'] as string, request.headers['sec-websocket-protocol'])
      socket.on('message', (data) => socket.send(`${data}!`))
    })
    const socket = connect(`${NS}/pods/p/proxy/echo?a=1`, ['chat'])
    await once(socket, 'open')
    expect(socket.protocol).toBe('chat')
    socket.send('hello')
    expect(String((await once(socket, 'message'))[0])).toBe('hello!')
    socket.close()
    await once(socket, 'close')
    expect(seen).toEqual(['/echo?a=1', `${NS}/pods/p/proxy/echo`, 'chat'])
    echo.close()
  })

  it('may carry its bearer token as a subprotocol, which goes no further', async () => {
    const role = { rules: [{ apiGroups: [''], resources: ['pods/proxy'], verbs: ['get'] }] }
    await server.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'r' }, ...role })
    await server.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      ...{ metadata: { name: 'r' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' } },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
    })
    const { status } = await server.call('POST', `${NS}/serviceaccounts/default/token`, { spec: {} })
    const bearer = `base64url.bearer.authorization.k8s.io.${Buffer.from(status.token).toString('base64url')}`
    const offered: string[] = []
    const echo = new WebSocketServer({ server: app })
    echo.on('connection', (_socket, request) => offered.push(request.headers['sec-websocket-protocol'] ?? ''))
    const socket = connect(`${NS}/pods/p/proxy/`, [bearer, 'chat'], { ca: (http.options as { ca: string }).ca })
    await once(socket, 'open')
    expect(offered).toEqual(['chat'])
    socket.terminate()
    echo.close()
  })

  it('is refused in the words of who was asked', async () => {
    const refusal = async (path: string) => {
      const socket = connect(path, [])
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
      socket.on('error', () => {})
      socket.terminate()
      return response.statusCode
    }
    app.on('upgrade', (request, socket) => {
      socket.end(`HTTP/1.1 ${request.url === '/ok' ? 200 : 418} Teapot\r\nContent-Length: 2\r\n\r\nno`)
    })
    expect(await refusal(`${NS}/pods/p/proxy/teapot`)).toBe(418)
    expect(await refusal(`${NS}/pods/p/proxy/ok`)).toBe(500)
    expect(await refusal(`${NS}/pods/p:1/proxy/`)).toBe(503)
    expect(await refusal(`${NS}/services/s/proxy/`)).toBe(404)
    expect(await refusal('/api/v1/nodes/n1/proxy/exec')).toBe(404)
    expect(await refusal(`${NS}/configmaps/x`)).toBe(404)
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
