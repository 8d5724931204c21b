/** An APIService whose server is a real HTTPS server, reached through a Service. */
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { KubeObject } from '../../../src/api/object.ts'
import { until } from '../../controllers/until.ts'
import { type ReviewServer, reviewServer } from '../dynamic/https-server.ts'
import { httpsClient } from '../http/https-client.ts'
import { startServer, type TestServer } from '../start-server.ts'
import { createProcessNode } from '../streams/process-node.ts'

const APISERVICE = '/apis/apiregistration.k8s.io/v1/apiservices/v1.ext.example.com'
const AGGREGATED = { headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } }
const ITEM = { apiVersion: 'ext.example.com/v1', kind: 'Sheep', metadata: { name: 'dolly', namespace: 'default' } }
const LISTS: Record<string, object> = {
  '/apis/ext.example.com/v1': {
    ...{ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'ext.example.com/v1' },
    resources: [
      { name: 'sheep', singularName: 'sheep', namespaced: true, kind: 'Sheep', verbs: ['get', 'list'], shortNames: ['sh'] },
      { name: 'sheep/wool', namespaced: true, kind: 'Wool', verbs: ['get'] },
    ],
  },
  '/apis/ext.example.com/v1/namespaces/default/sheep': {
    kind: 'SheepList',
    apiVersion: 'ext.example.com/v1',
    metadata: {},
    items: [ITEM],
  },
}

let server: TestServer
let outside: ReviewServer
let answers: typeof LISTS
beforeEach(async () => {
  server = await startServer()
  answers = { ...LISTS }
  outside = await reviewServer((path) => answers[path] ?? { kind: 'Status', status: 'Failure' }, ['ext.default.svc'])
  server.server.connectNode('node', createProcessNode())
})
afterEach(async () => {
  await server.close()
  await outside.close()
})

async function expectCondition(status: string, reason: string): Promise<void> {
  await until(async () => {
    const [condition] = (await server.call('GET', APISERVICE)).status?.conditions ?? []
    expect([condition?.status, condition?.reason]).toEqual([status, reason])
  })
}

async function register(): Promise<void> {
  await server.call('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
    ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.ext.example.com' } },
    spec: {
      ...{ group: 'ext.example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 10 },
      ...{ service: { namespace: 'default', name: 'ext' }, caBundle: outside.caBundle },
    },
  })
}

async function expose(): Promise<void> {
  await server.call('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'ext' },
    spec: { selector: { app: 'ext' }, ports: [{ port: 443, targetPort: outside.port }] },
  })
  await expectCondition('False', 'EndpointsNotFound')
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
  await server.call('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'ext-0' },
    spec: { nodeName: 'node', containers: [{ name: 'c', image: 'ext' }] },
  })
  const targetRef = { kind: 'Pod', namespace: 'default', name: 'ext-0' }
  await server.call('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    metadata: { name: 'ext-1', labels: { 'kubernetes.io/service-name': 'ext' } },
    ...{ addressType: 'IPv4', ports: [{ port: outside.port }], endpoints: [{ addresses: ['10.0.0.1'], targetRef }] },
  })
}

it('is available once its server answers, is discovered, and serves in the name of who asks', async () => {
  await register()
  await expectCondition('False', 'ServiceNotFound')
  await expose()
  await expectCondition('True', 'Passed')
  const groups = await server.call<{ groups: { name: string }[] }>('GET', '/apis')
  expect(groups.groups.map(({ name }) => name)).toContain('ext.example.com')
  const { items } = await server.call<{ items: { metadata: { name: string }; versions: object[] }[] }>(
    'GET',
    '/apis',
    undefined,
    AGGREGATED,
  )
  expect(items.find(({ metadata }) => metadata.name === 'ext.example.com')?.versions).toMatchObject([
    { version: 'v1', freshness: 'Current', resources: [{ resource: 'sheep', subresources: [{ subresource: 'wool' }] }] },
  ])
  const list = await server.call<{ items: KubeObject[] }>('GET', '/apis/ext.example.com/v1/namespaces/default/sheep')
  expect(list.items).toEqual([ITEM])
  expect(outside.asked.at(-1)?.headers).toMatchObject({
    'x-remote-user': 'admin',
    'x-remote-group': 'system:masters, system:authenticated',
  })
  await server.call('DELETE', APISERVICE)
  await until(async () => {
    const left = await server.call<{ groups: { name: string }[] }>('GET', '/apis')
    expect(left.groups.map(({ name }) => name)).not.toContain('ext.example.com')
  })
})

it('says why it is not available', async () => {
  const messageOf = async () => (await server.call('GET', APISERVICE)).status.conditions[0].message
  await register()
  await expectCondition('False', 'ServiceNotFound')
  expect(await messageOf()).toBe('service/ext in "default" is not present')
  const service = { metadata: { name: 'ext' }, spec: { ports: [{ name: 'web', port: 80 }] } }
  await server.call('POST', '/api/v1/namespaces/default/services', service)
  await expectCondition('False', 'ServicePortError')
  expect(await messageOf()).toBe('service/ext in "default" is not listening on port 443')
  const ports = [{ name: 'web', port: 443 }]
  const patch = { headers: { 'content-type': 'application/merge-patch+json' } }
  await server.call('PATCH', '/api/v1/namespaces/default/services/ext', { spec: { ports } }, patch)
  await expectCondition('False', 'EndpointsNotFound')
  expect(await messageOf()).toBe('cannot find endpointslices for service/ext in "default"')
  await server.call('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    metadata: { name: 'ext-1', labels: { 'kubernetes.io/service-name': 'ext' } },
    ...{ addressType: 'IPv4', ports: [{ name: 'other', port: 1 }], endpoints: [{ addresses: ['10.0.0.1'] }] },
  })
  await expectCondition('False', 'MissingEndpoints')
  expect(await messageOf()).toBe('endpointslices for service/ext in "default" have no addresses with port name "web"')
})

it('is described with the rest, refused redirects, and passed upgrades', async () => {
  answers['/openapi/v2'] = {
    swagger: '2.0',
    paths: {
      '/apis/ext.example.com/v1/sheep': { get: { responses: { 200: { schema: { $ref: '#/definitions/com.example.Sheep' } } } } },
      '/apis/apps/v1/': { get: {} },
    },
    definitions: {
      'com.example.Sheep': {
        type: 'object',
        properties: { metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' } },
      },
      'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { type: 'object', description: 'another one' },
      'com.example.Unused': { type: 'object' },
    },
  }
  const place = '/openapi/v3/apis/ext.example.com/v1?hash=ABC'
  answers['/openapi/v3'] = { paths: { 'apis/ext.example.com/v1': { serverRelativeURL: place }, version: {} } }
  answers['/openapi/v3/apis/ext.example.com/v1'] = { openapi: '3.0.0', components: {} }
  await register()
  await expose()
  await expectCondition('True', 'Passed')
  type Document = { paths: Record<string, unknown>; definitions: Record<string, { properties?: Record<string, object> }> }
  const swagger = await server.call<Document>('GET', '/openapi/v2')
  expect(swagger.paths).toHaveProperty(['/apis/ext.example.com/v1/sheep'])
  expect(swagger.paths).toHaveProperty(['/apis/apps/v1/namespaces/{namespace}/deployments'])
  expect(swagger.definitions).not.toHaveProperty(['com.example.Unused'])
  const renamed = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta_v2'
  expect(swagger.definitions['com.example.Sheep']?.properties?.metadata).toEqual({ $ref: `#/definitions/${renamed}` })
  expect(swagger.definitions[renamed]).toEqual({ type: 'object', description: 'another one' })
  const index = await server.call<Document>('GET', '/openapi/v3')
  expect(index.paths['apis/ext.example.com/v1']).toEqual({ serverRelativeURL: place })
  expect(index.paths).toHaveProperty('apis/apps/v1')
  expect(await server.call('GET', '/openapi/v3/apis/ext.example.com/v1')).toEqual({ openapi: '3.0.0', components: {} })
  const http = await httpsClient(server)
  const sockets = new WebSocketServer({ server: outside.server })
  sockets.on('connection', (socket, request) => socket.send(`${request.headers['x-remote-user']} ${request.url}`))
  const { ca, cert, key } = http.options as { ca: string; cert: string; key: string }
  const socket = new WebSocket(`${http.url.replace('https', 'wss')}/apis/ext.example.com/v1/talk?a=1`, { ca, cert, key })
  expect(String((await once(socket, 'message'))[0])).toBe('admin /apis/ext.example.com/v1/talk?a=1')
  socket.terminate()
  sockets.close()
  answers['/apis/ext.example.com/v1/moved'] = { redirect: 'https://elsewhere.example/' }
  const moved = await http.send('GET', '/apis/ext.example.com/v1/moved')
  expect([moved.status, moved.body.toString()]).toEqual([
    502,
    'the backend attempted to redirect this request, which is not permitted',
  ])
})

describe('the groups that are served here', () => {
  type Services = { items: KubeObject[] }
  const ALL = '/apis/apiregistration.k8s.io/v1/apiservices'
  const conditions = async (name: string) => (await server.call('GET', `${ALL}/${name}`)).status?.conditions

  it('are registered as local from the start', async () => {
    const { items } = await server.call<Services>('GET', ALL)
    const byName = new Map(items.map((one) => [one.metadata.name, one]))
    expect([...byName.keys()]).toEqual(expect.arrayContaining(['v1.', 'v1.apps', 'v2.autoscaling', 'v1.resource.k8s.io']))
    expect(byName.get('v1.apps')).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17800, versionPriority: 15 },
    })
    expect(byName.get('v1.')?.spec).toEqual({ version: 'v1', groupPriorityMinimum: 18000, versionPriority: 1 })
    for (const { status } of items)
      expect(status.conditions).toMatchObject([
        { type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' },
      ])
  })

  it('come and go with their definitions', async () => {
    const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    const schema = { openAPIV3Schema: { type: 'object' } }
    const version = (name: string, more: object) => ({ name, served: true, storage: false, schema, ...more })
    await server.call('POST', CRDS, {
      ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'goats.example.com' } },
      spec: {
        ...{ group: 'example.com', scope: 'Cluster', names: { plural: 'goats', kind: 'Goat' } },
        versions: [version('v1', { storage: true }), version('v1beta1', {}), version('v1alpha1', { served: false })],
      },
    })
    for (const name of ['v1.example.com', 'v1beta1.example.com'])
      await until(async () => expect((await conditions(name))?.[0]).toMatchObject({ status: 'True', reason: 'Local' }))
    await expect(conditions('v1alpha1.example.com')).rejects.toMatchObject({ code: 404 })
    const service = await server.call('GET', `${ALL}/v1.example.com`)
    expect(service.spec).toEqual({ group: 'example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 100 })
    expect(service.metadata.labels).toEqual({ 'kube-aggregator.kubernetes.io/automanaged': 'true' })
    // Removed by hand, it comes back; changed, it is changed back.
    await server.call('DELETE', `${ALL}/v1.example.com`)
    await until(async () => expect(await conditions('v1.example.com')).toBeDefined())
    const patch = { headers: { 'content-type': 'application/merge-patch+json' } }
    await server.call('PATCH', `${ALL}/v1.example.com`, { spec: { versionPriority: 5 } }, patch)
    await until(async () => expect((await server.call('GET', `${ALL}/v1.example.com`)).spec.versionPriority).toBe(100))
    await server.call('DELETE', `${CRDS}/goats.example.com`)
    await until(() => expect(conditions('v1.example.com')).rejects.toMatchObject({ code: 404 }))
  })
})
