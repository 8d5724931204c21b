/** metrics.k8s.io over a node that says what it uses: objects, lists, selectors, Tables, refusals, rights, discovery. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { metricsDefinitions } from '../../../src/api/kinds/metrics.ts'
import type { NodeStreams } from '../../../src/api/streams.ts'
import type { NodeMetrics, PodMetrics, PodMetricsList } from '../../../src/api/types.ts'
import type { Usage } from '../../../src/api/usage.ts'
import { until } from '../../controllers/until.ts'
import { reviewServer } from '../dynamic/https-server.ts'
import { startServer, type TestServer } from '../start-server.ts'
import { createProcessNode } from '../streams/process-node.ts'

const METRICS = '/apis/metrics.k8s.io/v1beta1'
const AT = Date.parse('2026-01-01T00:00:10Z')
const TABLE = { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' } }

const usage = (cpuMillis: number, mebibytes: number): Usage => ({
  timestampMs: AT,
  windowMs: 15_104,
  cpuNanoCores: cpuMillis * 1_000_000 + 1,
  cpuNanoSeconds: 5_000_000_000,
  memoryBytes: mebibytes * 2 ** 20 + 4096,
})

let server: TestServer
/** Which pods the node was last asked about. */
let asked: ReadonlySet<string> | undefined
const running = new Map<string, { namespace: string; name: string }>()

beforeAll(async () => {
  server = await startServer({ definitions: [...builtinDefinitions, ...metricsDefinitions] })
  const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { zone: name } } })
  for (const name of ['n1', 'away']) await server.call('POST', '/api/v1/nodes', node(name))
  const streams: NodeStreams = {
    ...createProcessNode(),
    usage: async (pods) => {
      asked = pods
      const chosen = [...running].filter(([uid]) => pods?.has(uid) ?? true)
      return {
        node: { ...usage(1500, 2048), startedAtMs: AT - 60_000, memoryAvailableBytes: 2 ** 30 },
        pods: chosen.map(([uid, { namespace, name }]) => ({
          ...{ namespace, name, uid, startedAtMs: AT - 5000 },
          containers: ['main', 'side'].map((container, index) => ({
            ...{ name: container, startedAtMs: AT - 4000 },
            ...usage(100 + index, 10 + index),
          })),
        })),
      }
    },
  }
  server.server.connectNode('n1', streams)
  for (const namespace of ['default', 'kube-public']) {
    await server.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, {
      metadata: { name: 'default' },
    })
    for (const name of ['a', 'b']) await runPod(namespace, name, 'n1')
  }
  await runPod('default', 'elsewhere', 'away')
  await makePod('default', 'pending')
})
afterAll(() => server.close())

function makePod(namespace: string, name: string, nodeName?: string) {
  return server.call('POST', `/api/v1/namespaces/${namespace}/pods`, {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { of: name } } },
    spec: { containers: [{ name: 'main', image: 'x' }], ...(nodeName && { nodeName }) },
  })
}

async function runPod(namespace: string, name: string, nodeName: string) {
  const { metadata } = await makePod(namespace, name, nodeName)
  const patch = { headers: { 'content-type': 'application/merge-patch+json' } }
  await server.call('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}/status`, { status: { phase: 'Running' } }, patch)
  running.set(metadata.uid ?? '', { namespace, name })
}

const names = async (path: string, query: Record<string, string> = {}) => {
  const list = await server.call<PodMetricsList>('GET', METRICS + path, undefined, { query })
  return list.items.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)
}

describe('objects', () => {
  it('of a pod have its labels, and what each container uses', async () => {
    const found = await server.call<PodMetrics>('GET', `${METRICS}/namespaces/default/pods/a`)
    expect(found).toEqual({
      kind: 'PodMetrics',
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: { name: 'a', namespace: 'default', creationTimestamp: expect.stringMatching(/Z$/), labels: { of: 'a' } },
      timestamp: '2026-01-01T00:00:10Z',
      window: '15.104s',
      containers: [
        { name: 'main', usage: { cpu: '100000001n', memory: '10244Ki' } },
        { name: 'side', usage: { cpu: '101000001n', memory: '11268Ki' } },
      ],
    })
    expect(asked?.size).toBe(1)
  })

  it('of a node say what the machine uses', async () => {
    const found = await server.call<NodeMetrics>('GET', `${METRICS}/nodes/n1`)
    expect(found).toMatchObject({
      kind: 'NodeMetrics',
      metadata: { name: 'n1', labels: { zone: 'n1' } },
      usage: { cpu: '1500000001n', memory: '2097156Ki' },
    })
    expect(asked?.size).toBe(0)
  })

  it.each([
    ['pods', '/namespaces/default/pods/none', 'pods "default/none" not found'],
    ['pods that do not run', '/namespaces/default/pods/pending', 'pods.metrics.k8s.io "default/pending" not found'],
    ['pods of a node that is away', '/namespaces/default/pods/elsewhere', 'pods.metrics.k8s.io "default/elsewhere" not found'],
    ['nodes', '/nodes/none', 'nodes "none" not found'],
    ['nodes that are away', '/nodes/away', 'nodes.metrics.k8s.io "away" not found'],
  ])('of %s are not found', async (_, path, message) => {
    await expect(server.call('GET', METRICS + path)).rejects.toMatchObject({ status: { code: 404, message } })
  })
})

describe('lists', () => {
  it('hold what runs, of a namespace or of all', async () => {
    expect(await names('/namespaces/default/pods')).toEqual(['default/a', 'default/b'])
    expect(await names('/pods')).toEqual(['default/a', 'default/b', 'kube-public/a', 'kube-public/b'])
    expect(await names('/nodes')).toEqual(['/n1'])
    expect(await names('/namespaces/none/pods')).toEqual([])
  })

  it('take selectors of labels, names and namespaces', async () => {
    expect(await names('/pods', { labelSelector: 'of=b' })).toEqual(['default/b', 'kube-public/b'])
    expect(asked?.size).toBe(2)
    expect(await names('/pods', { fieldSelector: 'metadata.name=a,metadata.namespace!=default' })).toEqual(['kube-public/a'])
    expect(await names('/nodes', { labelSelector: 'zone!=n1' })).toEqual([])
    await expect(names('/pods', { fieldSelector: 'spec.nodeName=n1' })).rejects.toMatchObject({ status: { code: 400 } })
  })

  it('are Tables with the columns of metrics-server', async () => {
    const table = await server.call<Table>('GET', `${METRICS}/pods`, undefined, { ...TABLE, query: { labelSelector: 'of=a' } })
    expect(table.columnDefinitions.map(({ name, format }) => `${name}:${format}`)).toEqual([
      'Name:name',
      'cpu:quantity',
      'memory:quantity',
      'Window:duration',
    ])
    expect(table.rows.map(({ cells }) => cells)).toEqual([
      ['a', '201000002n', '21512Ki', '15.104s'],
      ['a', '201000002n', '21512Ki', '15.104s'],
    ])
  })

  it('come in protobuf, too', async () => {
    const accept = 'application/vnd.kubernetes.protobuf'
    const answer = await server.respond('GET', `${METRICS}/nodes/n1`, undefined, { headers: { accept } })
    expect(answer.headers['content-type']).toBe(accept)
    const bytes = Buffer.from(answer.bytes())
    expect(bytes.subarray(0, 4).toString('latin1')).toBe('k8s\0')
    expect(bytes.includes('1500000001n')).toBe(true)
  })
})

it.each([
  ['POST', '/namespaces/default/pods'],
  ['PUT', '/namespaces/default/pods/a'],
  ['PATCH', '/namespaces/default/pods/a'],
  ['DELETE', '/namespaces/default/pods/a'],
  ['DELETE', '/namespaces/default/pods'],
])('%s is not allowed', async (method, path) => {
  await expect(server.call(method, METRICS + path, {})).rejects.toMatchObject({ status: { code: 405 } })
})

it('is not watched', async () => {
  const watching = server.call('GET', `${METRICS}/pods`, undefined, { query: { watch: 'true' } })
  await expect(watching).rejects.toMatchObject({ status: { code: 405 } })
})

it('may be read by whoever may read pods', async () => {
  const role = await server.call('GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:aggregated-metrics-reader')
  for (const name of ['view', 'edit', 'admin'])
    expect(role.metadata.labels?.[`rbac.authorization.k8s.io/aggregate-to-${name}`]).toBe('true')
  const nobody = server.server.inProcess({ name: 'nobody', groups: [] })
  await expect(nobody.request({ method: 'GET', path: `${METRICS}/nodes` })).rejects.toMatchObject({ status: { code: 403 } })
})

it('is there in discovery and in OpenAPI', async () => {
  const list = await server.call<{ resources: { name: string; kind: string; verbs: string[] }[] }>('GET', METRICS)
  expect(list.resources).toEqual([
    { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
    { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
  ])
  const v3 = await server.call<OpenApi>('GET', '/openapi/v3/apis/metrics.k8s.io/v1beta1')
  const schema = v3.components.schemas['io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics']
  expect(Object.keys(schema?.properties ?? {})).toEqual(['apiVersion', 'containers', 'kind', 'metadata', 'timestamp', 'window'])
  const v2 = await server.call<{ definitions: Record<string, object> }>('GET', '/openapi/v2')
  expect(v2.definitions).toHaveProperty(['io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics'])
})

it('is told by the nodes in the forms of a kubelet', async () => {
  const summary = await server.call<Summary>('GET', '/api/v1/nodes/n1/proxy/stats/summary')
  expect(summary.node).toMatchObject({ nodeName: 'n1', cpu: { usageNanoCores: 1_500_000_001 } })
  const pod = summary.pods.find(({ podRef }) => podRef.namespace === 'default' && podRef.name === 'b')
  expect(pod?.containers.map(({ name }) => name)).toEqual(['main', 'side'])
  expect(pod?.cpu.usageNanoCores).toBe(201_000_002)
  const text = await server.respond('GET', '/api/v1/nodes/n1/proxy/metrics/resource')
  const lines = Buffer.from(text.bytes()).toString().split('\n')
  expect(lines).toContain(`container_cpu_usage_seconds_total{container="main",namespace="default",pod="a"} 5 ${AT}`)
  expect(lines).toContain(`pod_memory_working_set_bytes{namespace="default",pod="a"} ${21 * 2 ** 20 + 8192} ${AT}`)
  expect(lines).toContain(`node_cpu_usage_seconds_total 5 ${AT}`)
})

it('gives way to a server outside that an APIService names', async () => {
  const list = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'metrics.k8s.io/v1beta1', resources: [] }
  const theirs = {
    kind: 'NodeMetricsList',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: {},
    items: [{ metadata: { name: 'theirs' } }],
  }
  const outside = await reviewServer((path) => (path === METRICS ? list : theirs), ['metrics.default.svc'])
  const mine = await startServer({ definitions: [...builtinDefinitions, ...metricsDefinitions] })
  try {
    mine.server.connectNode('node', createProcessNode())
    await mine.call('POST', '/api/v1/namespaces/default/services', {
      metadata: { name: 'metrics' },
      spec: { ports: [{ port: 443, targetPort: outside.port }] },
    })
    await mine.call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
    await mine.call('POST', '/api/v1/namespaces/default/pods', {
      metadata: { name: 'metrics' },
      spec: { nodeName: 'node', containers: [{ name: 'c', image: 'x' }] },
    })
    const targetRef = { kind: 'Pod', namespace: 'default', name: 'metrics' }
    await mine.call('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      ...{ addressType: 'IPv4', ports: [{ port: outside.port }], endpoints: [{ addresses: ['10.0.0.1'], targetRef }] },
      metadata: { name: 'metrics', labels: { 'kubernetes.io/service-name': 'metrics' } },
    })
    await mine.call('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
      ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1beta1.metrics.k8s.io' } },
      spec: {
        ...{ group: 'metrics.k8s.io', version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100 },
        ...{ service: { namespace: 'default', name: 'metrics' }, caBundle: outside.caBundle },
      },
    })
    await until(async () => expect(await mine.call('GET', `${METRICS}/nodes`)).toEqual(theirs))
    await mine.call('DELETE', '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io')
    await until(async () => expect(await mine.call('GET', `${METRICS}/nodes`)).toMatchObject({ items: [] }))
  } finally {
    await mine.close()
    await outside.close()
  }
})

it('is not there on a server of Kubernetes alone', async () => {
  const stock = await startServer()
  try {
    await expect(stock.call('GET', METRICS)).rejects.toThrow()
    const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
    await expect(stock.call('GET', `${roles}/system:aggregated-metrics-reader`)).rejects.toMatchObject({ status: { code: 404 } })
  } finally {
    await stock.close()
  }
})

interface Table {
  columnDefinitions: { name: string; format: string }[]
  rows: { cells: unknown[] }[]
}
interface OpenApi {
  components: { schemas: Record<string, { properties?: object }> }
}
interface Summary {
  node: object
  pods: { podRef: { namespace: string; name: string }; containers: { name: string }[]; cpu: { usageNanoCores: number } }[]
}
