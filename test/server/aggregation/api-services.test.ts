/** An APIService whose server is a real HTTPS server, reached through a Service. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { until } from '../../controllers/until.ts'
import { type ReviewServer, reviewServer } from '../dynamic/https-server.ts'
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
beforeEach(async () => {
  server = await startServer()
  outside = await reviewServer((path) => LISTS[path] ?? { kind: 'Status', status: 'Failure' }, ['ext.default.svc'])
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
  await expectCondition('False', 'MissingEndpoints')
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
