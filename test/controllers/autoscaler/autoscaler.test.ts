/** Autoscalers on a real API server: nodes that say what pods use, targets of several kinds, metrics of servers outside. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { metricsDefinitions } from '../../../src/api/kinds/metrics.ts'
import type { NodeStreams } from '../../../src/api/streams.ts'
import type {
  CustomResourceDefinition,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  MetricSpec,
} from '../../../src/api/types.ts'
import type { ResourceRef } from '../../../src/client/client.ts'
import { horizontalPodAutoscalers as autoscalers, deployments, events, pods, services } from '../../../src/client/resources.ts'
import { serviceAccountController } from '../../../src/controllers/accounts/service-account.ts'
import { horizontalPodAutoscaler } from '../../../src/controllers/autoscaler/autoscaler.ts'
import { deploymentController } from '../../../src/controllers/deployment/deployment.ts'
import { endpointSliceController } from '../../../src/controllers/endpoints/endpoint-slices.ts'
import { replicaSetController } from '../../../src/controllers/replicas/replica-set.ts'
import { reviewServer } from '../../server/dynamic/https-server.ts'
import { createProcessNode } from '../../server/streams/process-node.ts'
import { startTestCluster, type TestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const namespace = 'default'
const AT_ONCE = {
  scaleUp: { stabilizationWindowSeconds: 0 },
  scaleDown: { stabilizationWindowSeconds: 0 },
}
const cpu = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})

let cluster: TestCluster
/** What all pods use together, in millicores; each has its share. */
let load = 0

beforeEach(async () => {
  load = 0
  const reconcilers = [
    serviceAccountController(),
    deploymentController(),
    replicaSetController(),
    endpointSliceController(),
    horizontalPodAutoscaler({ syncMs: 50 }),
  ]
  cluster = await startTestCluster({ definitions: [...builtinDefinitions, ...metricsDefinitions], nodeCount: 1, reconcilers })
  const node: NodeStreams = {
    ...createProcessNode(),
    usage: async (wanted) => {
      const running = cluster.informers.get(pods).store.list(namespace)
      const share = { timestampMs: Date.now(), windowMs: 0, cpuNanoSeconds: 0, memoryBytes: 2 ** 20 }
      const used = { ...share, cpuNanoCores: Math.round((load * 1e6) / Math.max(1, running.length)) }
      return {
        node: { ...used, startedAtMs: 0, memoryAvailableBytes: 0 },
        pods: [...(wanted ?? [])].map((uid) => ({
          ...{ uid, namespace, name: '', startedAtMs: 0 },
          containers: [{ name: 'c', startedAtMs: 0, ...used }],
        })),
      }
    },
  }
  cluster.server.connectNode('node-0', node)
})
afterEach(() => cluster.stop())

async function deploy(name: string, replicas: number, requests: Record<string, string> = { cpu: '100m' }): Promise<void> {
  const labels = { app: name }
  await cluster.client.create(deployments, {
    metadata: { name, namespace },
    spec: {
      ...{ replicas, selector: { matchLabels: labels } },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'web:v1', resources: { requests } }] } },
    },
  })
}

function autoscale(name: string, more: Partial<HorizontalPodAutoscalerSpec> = {}): Promise<HorizontalPodAutoscaler> {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name }
  const spec = { scaleTargetRef, minReplicas: 1, maxReplicas: 10, metrics: [cpu(50)], behavior: AT_ONCE, ...more }
  return cluster.client.create(autoscalers, { metadata: { name, namespace }, spec })
}

const read = (name: string) => cluster.client.get(autoscalers, name, { namespace })
const replicasOf = async (name: string) => (await cluster.client.get(deployments, name, { namespace })).spec?.replicas

/** `Type=Status Reason: message` */
async function condition(name: string, type: string): Promise<string> {
  const { status } = await read(name)
  const found = status?.conditions?.find((one) => one.type === type)
  return `${found?.status} ${found?.reason}: ${found?.message}`
}

async function saying(name: string): Promise<string[]> {
  const { items } = await cluster.client.list(events, { namespace })
  return items.filter((one) => one.involvedObject.name === name).map(({ reason, message }) => `${reason}: ${message}`)
}

it('follows the load up and down, and says so', async () => {
  await deploy('web', 2)
  await autoscale('web')
  load = 200
  await until(async () => expect(await replicasOf('web')).toBe(4))
  await until(async () => {
    const { status } = await read('web')
    expect(status).toMatchObject({ currentReplicas: 4, desiredReplicas: 4, lastScaleTime: expect.any(String) })
    expect(status?.currentMetrics).toEqual([
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 50, averageValue: '50m' } } },
    ])
  })
  expect(await condition('web', 'ScalingActive')).toBe(
    'True ValidMetricFound: the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
  )
  expect(await condition('web', 'ScalingLimited')).toBe(
    'False DesiredWithinRange: the desired count is within the acceptable range',
  )
  load = 90
  await until(async () => expect(await replicasOf('web')).toBe(2))
  await until(async () =>
    expect(await condition('web', 'AbleToScale')).toBe('True ReadyForNewScale: recommended size matches current size'),
  )
  await until(async () =>
    expect(await saying('web')).toEqual(
      expect.arrayContaining([
        'SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
        'SuccessfulRescale: New size: 2; reason: All metrics below target',
      ]),
    ),
  )
})

it('stays within its bounds, whatever the load is', async () => {
  await deploy('web', 2)
  await autoscale('web', { minReplicas: 3, maxReplicas: 5 })
  await until(async () => expect(await replicasOf('web')).toBe(3))
  load = 1000
  await until(async () => expect(await replicasOf('web')).toBe(5))
  await until(async () =>
    expect(await condition('web', 'ScalingLimited')).toBe(
      'True TooManyReplicas: the desired replica count is more than the maximum replica count',
    ),
  )
  await until(async () =>
    expect(await saying('web')).toContain(
      'SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas',
    ),
  )
})

it('leaves alone what was scaled to zero', async () => {
  await deploy('web', 0)
  await autoscale('web')
  await until(async () =>
    expect(await condition('web', 'ScalingActive')).toBe(
      'False ScalingDisabled: scaling is disabled since the replica count of the target is zero',
    ),
  )
  expect(await replicasOf('web')).toBe(0)
})

interface Farm {
  metadata: { name: string; namespace: string }
  spec: { size: number }
  status?: object
}
const farms: ResourceRef<Farm> = { group: 'example.com', version: 'v1', plural: 'farms', kind: 'Farm', namespaced: true }

/** A kind of its own with a scale. */
async function defineFarms(): Promise<void> {
  const definitions: ResourceRef<CustomResourceDefinition> = {
    ...{ group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
    ...{ kind: 'CustomResourceDefinition', namespaced: false },
  }
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const paths = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' }
  await cluster.client.create(definitions, {
    metadata: { name: 'farms.example.com' },
    spec: {
      ...{ group: 'example.com', scope: 'Namespaced', names: { plural: 'farms', kind: 'Farm', singular: 'farm' } },
      versions: [
        {
          ...{ name: 'v1', served: true, storage: true, subresources: { status: {}, scale: paths } },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: open, status: open } } },
        },
      ],
    },
  })
}

function makeFarm(size: number): Promise<Farm> {
  const farm = { apiVersion: 'example.com/v1', kind: 'Farm', metadata: { name: 'hill', namespace }, spec: { size } }
  return until(() => cluster.client.create(farms, farm))
}

it('scales custom resources by their scale', async () => {
  await defineFarms()
  await cluster.client.updateStatus(farms, { ...(await makeFarm(1)), status: { size: 1, selector: 'app=sheep' } })
  await deploy('sheep', 1)
  load = 150
  await autoscale('hill', { scaleTargetRef: { apiVersion: 'example.com/v1', kind: 'Farm', name: 'hill' } })
  await until(async () => expect((await cluster.client.get(farms, 'hill', { namespace })).spec.size).toBe(3))
})

describe('says what keeps it from scaling', () => {
  it('a target that is not there, or of no kind', async () => {
    await autoscale('none')
    await until(async () =>
      expect(await condition('none', 'AbleToScale')).toBe(
        'False FailedGetScale: the HPA controller was unable to get the target\'s current scale: deployments.apps "none" not found',
      ),
    )
    await until(async () => expect(await saying('none')).toContain('FailedGetScale: deployments.apps "none" not found'))
    await autoscale('odd', { scaleTargetRef: { apiVersion: 'odd.io/v1', kind: 'Thing', name: 'odd' } })
    await until(async () =>
      expect(await condition('odd', 'AbleToScale')).toContain('no matches for kind "Thing" in group "odd.io"'),
    )
  })

  it('a target whose scale does not say which pods it has', async () => {
    await defineFarms()
    const farm = await makeFarm(1)
    await cluster.client.updateStatus(farms, { ...farm, status: { size: 1 } })
    await autoscale('hill', { scaleTargetRef: { apiVersion: 'example.com/v1', kind: 'Farm', name: 'hill' } })
    await until(async () =>
      expect(await condition('hill', 'ScalingActive')).toBe(
        "False InvalidSelector: the HPA target's scale is missing a selector",
      ),
    )
    await until(async () =>
      expect(await saying('hill')).toContain("SelectorRequired: the HPA target's scale is missing a selector"),
    )
  })

  it('pods that request nothing', async () => {
    await deploy('web', 1, {})
    await autoscale('web')
    const { name } = await until(async () => {
      const { items } = await cluster.client.list(pods, { namespace })
      expect(items).toHaveLength(1)
      return items[0]!.metadata
    })
    const why = `failed to get cpu utilization: missing request for cpu in container c of Pod ${name}`
    await until(async () =>
      expect(await condition('web', 'ScalingActive')).toBe(
        `False FailedGetResourceMetric: the HPA was unable to compute the replica count: ${why}`,
      ),
    )
    await until(async () =>
      expect(await saying('web')).toEqual(
        expect.arrayContaining([
          `FailedGetResourceMetric: ${why}`,
          `FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
        ]),
      ),
    )
  })

  it('metrics that no server has', async () => {
    await deploy('web', 1)
    const target = { type: 'AverageValue', averageValue: '10' }
    await autoscale('web', { metrics: [{ type: 'Pods', pods: { metric: { name: 'qps' }, target } }] })
    const why = 'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered'
    await until(async () =>
      expect(await condition('web', 'ScalingActive')).toBe(
        `False FailedGetPodsMetric: the HPA was unable to compute the replica count: unable to get metric qps: ${why}`,
      ),
    )
    await autoscale('web2', {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      metrics: [{ type: 'External', external: { metric: { name: 'queue' }, target } }],
    })
    await until(async () =>
      expect(await condition('web2', 'ScalingActive')).toMatch(/^False AmbiguousSelector: pods by selector app=web /),
    )
    await cluster.client.delete(autoscalers, 'web', { namespace })
    await until(async () =>
      expect(await condition('web2', 'ScalingActive')).toMatch(
        /^False FailedGetExternalMetric: the HPA was unable to compute the replica count: failed to get queue external metric: unable to get external metric default\/queue\/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource \(get queue.external.metrics.k8s.io\)$/,
      ),
    )
  })

  it('one metric of two: it grows by the other, and does not shrink', async () => {
    await deploy('web', 3)
    const target = { type: 'AverageValue', averageValue: '10' }
    await autoscale('web', { metrics: [{ type: 'Pods', pods: { metric: { name: 'qps' }, target } }, cpu(50)] })
    await until(async () => expect(await condition('web', 'ScalingActive')).toMatch(/^False FailedGetPodsMetric/))
    expect(await replicasOf('web')).toBe(3)
    load = 300
    await until(async () => expect(await replicasOf('web')).toBe(6))
  })
})

it('asks servers outside for metrics of pods, objects and the world', async () => {
  await deploy('web', 2)
  const value = (describedObject: object, amount: string) => ({
    ...{ describedObject, metric: { name: 'm' }, timestamp: new Date().toISOString(), windowSeconds: 0, value: amount },
  })
  const asked = new Set<string>()
  const server = await reviewServer(
    (path) => {
      const [, group = '', rest = ''] = /^\/apis\/([^/]+)\/[^/]+(.*)$/.exec(path) ?? []
      const version = group.startsWith('custom') ? 'v1beta2' : 'v1beta1'
      if (rest === '') return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/${version}`, resources: [] }
      asked.add(rest)
      if (rest.startsWith('/namespaces/default/pods/*/qps')) {
        const here = cluster.informers.get(pods).store.list(namespace)
        return { kind: 'MetricValueList', items: here.map(({ metadata: { name } }) => value({ kind: 'Pod', name }, '15')) }
      }
      if (rest.startsWith('/namespaces/default/services/web/hits'))
        return { kind: 'MetricValueList', items: [value({}, '2500m')] }
      return { kind: 'ExternalMetricValueList', items: [{ value: '30' }, { value: '5' }] }
    },
    ['metrics.default.svc'],
  )
  try {
    await cluster.client.create(services, {
      metadata: { name: 'metrics', namespace },
      spec: { selector: { app: 'web' }, ports: [{ port: 443, targetPort: server.port }] },
    })
    for (const [group, version] of [
      ['custom.metrics.k8s.io', 'v1beta2'],
      ['external.metrics.k8s.io', 'v1beta1'],
    ])
      await cluster.client.transport.request({
        method: 'POST',
        path: '/apis/apiregistration.k8s.io/v1/apiservices',
        body: {
          ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: `${version}.${group}` } },
          spec: {
            ...{ group, version, groupPriorityMinimum: 1000, versionPriority: 10, caBundle: server.caBundle },
            service: { namespace, name: 'metrics' },
          },
        },
      })
    const only = (metric: MetricSpec) => ({ metrics: [metric] })
    await autoscale(
      'web',
      only({ type: 'Pods', pods: { metric: { name: 'qps' }, target: { type: 'AverageValue', averageValue: '10' } } }),
    )
    // Half as much again as the target, each time: 2, 3, 5, 8, 10.
    await until(async () => expect(await replicasOf('web')).toBe(10))
    expect((await read('web')).status?.currentMetrics?.[0]).toMatchObject({
      type: 'Pods',
      pods: { current: { averageValue: '15' } },
    })

    await cluster.client.patch(
      autoscalers,
      'web',
      'merge',
      {
        spec: only({
          type: 'External',
          external: {
            metric: { name: 'queue', selector: { matchLabels: { of: 'web' } } },
            target: { type: 'AverageValue', averageValue: '7' },
          },
        }),
      },
      { namespace },
    )
    await until(async () => expect(await replicasOf('web')).toBe(5))

    await cluster.client.patch(
      autoscalers,
      'web',
      'merge',
      {
        spec: only({
          type: 'Object',
          object: {
            describedObject: { apiVersion: 'v1', kind: 'Service', name: 'web' },
            metric: { name: 'hits' },
            target: { type: 'Value', value: '5' },
          },
        }),
      },
      { namespace },
    )
    // Half of the target: half of the pods, again and again.
    await until(async () => expect(await replicasOf('web')).toBe(1))
    await until(async () =>
      expect(await condition('web', 'ScalingActive')).toBe(
        'True ValidMetricFound: the HPA was able to successfully calculate a replica count from Service metric hits',
      ),
    )
    expect(asked).toContain('/namespaces/default/queue')
  } finally {
    await server.close()
  }
})
