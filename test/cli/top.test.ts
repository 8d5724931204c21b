/** `skiff top` and `skiff autoscale`, against a cluster whose pods say exactly what they use. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Node, NodeMetrics, PodMetrics } from '../../src/api/types.ts'
import { nodeRows, podRows } from '../../src/cli/top/rows.ts'
import { horizontalPodAutoscalers } from '../../src/client/resources.ts'
import type { Cluster } from '../../src/cluster.ts'
import { startTestCluster } from '../../src/testing.ts'
import { until } from '../controllers/until.ts'
import { start, startCommandLine } from './command-line.ts'

const deployment = (name: string, cpu: string, memory: string) => `
kind: Deployment
apiVersion: apps/v1
metadata: {name: ${name}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata:
      labels: {app: ${name}}
      annotations: {simulated.skiff.dev/cpu: ${cpu}, simulated.skiff.dev/side.cpu: 1500u, simulated.skiff.dev/memory: ${memory}}
    spec: {containers: [{name: main, image: x}, {name: side, image: x}]}
---
`

let cluster: Cluster
let directory: string
const skiff = (args: string[], more: object = {}) => start(args, { env: { KUBECONFIG: join(directory, 'config') }, ...more }).done
/** With the generated parts of names as `*`. */
const top = async (...args: string[]) => {
  const { code, out, err } = await skiff(['top', ...args])
  const lines = out.trimEnd().split('\n')
  return {
    code,
    err,
    lines: lines.map((line) => line.replaceAll(/-[a-z0-9]{8,10}-[a-z0-9]{5}\b/g, '-*').replaceAll(/ {2,}/g, ' ')),
  }
}

beforeAll(async () => {
  cluster = await startTestCluster()
  directory = mkdtempSync(join(tmpdir(), 'skiff-top-'))
  writeFileSync(join(directory, 'config'), cluster.kubeconfig())
  const input = deployment('web', '250m', '64Mi') + deployment('api', '100m', '128Mi')
  expect(await skiff(['apply', '-f', '-'], { input })).toMatchObject({ code: 0, err: '' })
  await until(async () => expect((await top('pods')).lines).toHaveLength(3))
}, 60_000)
afterAll(async () => {
  await cluster?.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('skiff top', () => {
  it('shows pods by name, or by what they use', async () => {
    expect((await top('pods')).lines).toEqual(['NAME CPU(cores) MEMORY(bytes)', 'api-* 102m 256Mi', 'web-* 252m 128Mi'])
    expect((await top('po', '--sort-by', 'cpu', '--no-headers')).lines).toEqual(['web-* 252m 128Mi', 'api-* 102m 256Mi'])
    expect((await top('pods', '-A', '-l', 'app=web', '--no-headers')).lines).toEqual(['default web-* 252m 128Mi'])
    expect((await top('pods', '--sum', '--no-headers')).lines.at(-1)).toBe(' 353m 384Mi')
  })

  it('shows containers', async () => {
    expect((await top('pods', '-l', 'app=web', '--containers', '--sort-by', 'memory')).lines).toEqual([
      'POD NAME CPU(cores) MEMORY(bytes)',
      'web-* main 250m 64Mi',
      'web-* side 2m 64Mi',
    ])
  })

  it('shows nodes', async () => {
    const { lines } = await top('nodes')
    expect(lines[0]).toBe('NAME CPU(cores) CPU(%) MEMORY(bytes) MEMORY(%)')
    expect(lines[1]).toMatch(/^skiff 353m \d+% 384Mi \d+%$/)
    expect((await top('no', 'skiff', '--no-headers')).lines).toEqual([lines[1]])
  })

  it('takes a name of anything that has pods, and of nodes', async () => {
    expect((await top('web', '--no-headers')).lines).toEqual(['web-* 252m 128Mi'])
    expect((await top('deploy/api', 'web', '--no-headers')).lines).toEqual(['api-* 102m 256Mi', 'web-* 252m 128Mi'])
    expect((await top('skiff', 'web', '--no-headers')).lines.map((line) => line.split(' ')[0])).toEqual(['skiff', '', 'web-*'])
  })

  it('prints the objects in other forms', async () => {
    const { out } = await skiff(['top', 'web', 'node/skiff', '-o', 'json'])
    expect(JSON.parse(out).items.map(({ kind }: { kind: string }) => kind)).toEqual(['NodeMetrics', 'PodMetrics'])
    expect((await top('web', '-o', 'name')).lines).toEqual(['pod.metrics.k8s.io/web-*'])
    const path = 'jsonpath={.items[0].containers[0].usage.cpu}'
    expect((await top('web', '-o', path)).lines).toEqual(['250m'])
  })

  it.each([
    [[], 'top of what? "nodes", "pods", or names'],
    [['none'], 'nothing in namespace default is named "none"'],
    [['pods', 'none'], 'pods "none" not found (NotFound)'],
    [['nodes', 'none'], 'nodes "none" not found (NotFound)'],
    [['web', '-l', 'app=web'], 'names and selectors cannot be given together'],
    [['pods', '-o', 'wide'], 'top has no wide form'],
  ])('%j: %s', async (args, message) => {
    expect(await skiff(['top', ...args])).toEqual({ code: 1, out: '', err: `error: ${message}\n` })
  })

  it('says that there is nothing', async () => {
    expect(await skiff(['top', 'pods', '-n', 'kube-system'])).toEqual({
      ...{ code: 0, out: '', err: 'No resources found in kube-system namespace.\n' },
    })
  })
})

it('says that nothing measures, where that is so', async () => {
  const line = await startCommandLine()
  try {
    const err = 'error: Metrics API not available: nothing on this cluster measures; metrics-server can be installed for it\n'
    expect(await line.run(['top', 'nodes'])).toEqual({ code: 1, out: '', err })
  } finally {
    await line.close()
  }
})

it('shows nodes that were not measured, and no share of what is not known', () => {
  const node = (name: string, allocatable: Record<string, string>): Node => ({ metadata: { name }, status: { allocatable } })
  const metrics: NodeMetrics = { metadata: { name: 'a' }, timestamp: '', window: '', usage: { cpu: '500m', memory: '1Gi' } }
  const nodes = [node('b', { cpu: '2', memory: '4Gi' }), node('a', { cpu: '2' })]
  expect(nodeRows(nodes, [metrics], { ofCapacity: false, sortBy: undefined }).rows).toEqual([
    ['a', '500m', '25%', '1024Mi', '<unknown>'],
    ['b', '<unknown>', '<unknown>', '<unknown>', '<unknown>'],
  ])
})

it('shows parts of a core and of a mebibyte as kubectl does', () => {
  const usage = { cpu: '1001n', memory: '1048575' }
  const pod: PodMetrics = { metadata: { name: 'p' }, timestamp: '', window: '', containers: [{ name: 'c', usage }] }
  const look = { containers: false, withNamespace: false, sortBy: undefined, sum: false }
  expect(podRows([pod], look).rows).toEqual([['p', '1m', '0Mi']])
})

describe('skiff autoscale', () => {
  const autoscaler = () => cluster.client.get(horizontalPodAutoscalers, 'api', { namespace: 'default' })

  it('makes an autoscaler, and changes the one there is', async () => {
    expect(await skiff(['autoscale', 'api', '--max', '5'])).toEqual({ code: 0, out: 'deployment.apps/api autoscaled\n', err: '' })
    expect((await autoscaler()).spec).toMatchObject({
      ...{ minReplicas: 1, maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' } },
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
    })
    const more = ['--min', '2', '--max', '6', '--cpu', '300m', '--memory', '70%', '-o', 'name']
    expect(await skiff(['autoscale', 'api', ...more])).toMatchObject({
      out: 'horizontalpodautoscaler.autoscaling/api\n',
      code: 0,
    })
    expect((await autoscaler()).spec).toMatchObject({
      ...{ minReplicas: 2, maxReplicas: 6 },
      metrics: [
        { resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '300m' } } },
        { resource: { name: 'memory', target: { averageUtilization: 70 } } },
      ],
    })
  })

  it('changes nothing in a dry run', async () => {
    const { out } = await skiff(['autoscale', 'web', '--max', '5', '--cpu-percent', '50', '--dry-run'])
    expect(out).toBe('deployment.apps/web autoscaled (server dry run)\n')
    const { items } = await cluster.client.list(horizontalPodAutoscalers, { namespace: 'default' })
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['api'])
  })

  it.each([
    [['web', '--max', '1', '--min', '2'], '--max 1 is less than --min 2'],
    [
      ['web', '--max', '2', '--cpu', 'much'],
      '--cpu "much": it takes a share of what is requested, such as 80%, or an amount such as 500m',
    ],
    [['configmap/kube-root-ca.crt', '--max', '2'], 'configmaps cannot be scaled'],
    [['none', '--max', '2'], 'nothing in namespace default is named "none"'],
  ])('%j: %s', async (args, message) => {
    expect(await skiff(['autoscale', ...args])).toEqual({ code: 1, out: '', err: `error: ${message}\n` })
  })
})
