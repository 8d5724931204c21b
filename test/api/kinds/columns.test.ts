import { describe, expect, test } from 'vitest'
import { humanDuration } from '../../../src/api/human-duration.ts'
import { cells, definitionOf, NOW, template } from './write.ts'

const ago = (seconds: number) => new Date(Date.parse(NOW) - seconds * 1000).toISOString()

describe('pods', () => {
  const pod = (status: object, more: object = {}) => ({
    metadata: { name: 'p', creationTimestamp: ago(90), ...more },
    spec: { containers: [{ name: 'a' }, { name: 'b' }], nodeName: 'n' },
    status,
  })
  const running = (name: string, ready: boolean, fields: object = {}) => ({
    name,
    ready,
    restartCount: 0,
    state: { running: {} },
    ...fields,
  })

  test.each<[string, object, object, string]>([
    ['a phase', { phase: 'Pending' }, {}, 'Pending'],
    ['a reason', { phase: 'Failed', reason: 'Evicted' }, {}, 'Evicted'],
    [
      'a container that waits',
      {
        phase: 'Running',
        containerStatuses: [running('a', true), { ...running('b', false), state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      },
      {},
      'CrashLoopBackOff',
    ],
    [
      'an exit code',
      { phase: 'Running', containerStatuses: [{ name: 'a', state: { terminated: { exitCode: 3 } } }] },
      {},
      'ExitCode:3',
    ],
    [
      'a signal',
      { phase: 'Running', containerStatuses: [{ name: 'a', state: { terminated: { exitCode: 0, signal: 9 } } }] },
      {},
      'Signal:9',
    ],
    [
      'one done, one running and ready',
      {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [{ name: 'a', state: { terminated: { exitCode: 0, reason: 'Completed' } } }, running('b', true)],
      },
      {},
      'Running',
    ],
    [
      'one done, one running and not ready',
      {
        phase: 'Running',
        containerStatuses: [{ name: 'a', state: { terminated: { exitCode: 0, reason: 'Completed' } } }, running('b', true)],
      },
      {},
      'NotReady',
    ],
    ['deleted', { phase: 'Running', containerStatuses: [running('a', true)] }, { deletionTimestamp: NOW }, 'Terminating'],
    ['deleted after its end', { phase: 'Succeeded', reason: 'Completed' }, { deletionTimestamp: NOW }, 'Completed'],
    ['lost', { phase: 'Running', reason: 'NodeLost' }, { deletionTimestamp: NOW }, 'Unknown'],
    [
      'gated',
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      {},
      'SchedulingGated',
    ],
  ])('STATUS of %s', (_, status, metadata, text) => expect(cells('pods', pod(status, metadata)).Status).toBe(text))

  test.each<[string, object[], object[], string, string]>([
    ['none done', [{ name: 'i', restartCount: 0, state: { running: {} } }], [], 'Init:0/2', '0/3'],
    [
      'the first done',
      [
        { name: 'i', state: { terminated: { exitCode: 0 } } },
        { name: 's', state: { waiting: { reason: 'PodInitializing' } } },
      ],
      [],
      'Init:1/2',
      '0/3',
    ],
    ['failed', [{ name: 'i', state: { terminated: { exitCode: 2 } } }], [], 'Init:ExitCode:2', '0/3'],
    ['waiting', [{ name: 'i', state: { waiting: { reason: 'ErrImagePull' } } }], [], 'Init:ErrImagePull', '0/3'],
    [
      'all done, sidecar running',
      [
        { name: 'i', state: { terminated: { exitCode: 0 } } },
        { name: 's', started: true, ready: true, restartCount: 0, state: { running: {} } },
      ],
      [running('a', true), running('b', false)],
      'Running',
      '2/3',
    ],
  ])('init containers, %s', (_, initContainerStatuses, containerStatuses, status, ready) => {
    const object = {
      metadata: { name: 'p' },
      spec: {
        initContainers: [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }],
        containers: [{ name: 'a' }, { name: 'b' }],
      },
      status: { phase: 'Running', initContainerStatuses, containerStatuses },
    }
    expect(cells('pods', object)).toMatchObject({ Status: status, Ready: ready })
  })

  test('restarts say when the last one was', () => {
    const lastState = { terminated: { finishedAt: ago(300) } }
    const status = {
      phase: 'Running',
      containerStatuses: [running('a', true, { restartCount: 2, lastState }), running('b', true, { restartCount: 1 })],
    }
    expect(cells('pods', pod(status))).toMatchObject({
      Ready: '2/2',
      Restarts: '3 (5m ago)',
      Age: '90s',
      Node: 'n',
      IP: '<none>',
    })
  })

  test('readiness gates are counted', () => {
    const object = {
      metadata: {},
      spec: { containers: [], readinessGates: [{ conditionType: 'x' }, { conditionType: 'y' }] },
      status: { conditions: [{ type: 'x', status: 'True' }] },
    }
    expect(cells('pods', object)['Readiness Gates']).toBe('1/2')
  })
})

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [125, '2m5s'],
  [600, '10m'],
  [3 * 3600 - 1, '179m'],
  [3 * 3600, '3h'],
  [3 * 3600 + 60, '3h1m'],
  [8 * 3600, '8h'],
  [47 * 3600, '47h'],
  [48 * 3600, '2d'],
  [49 * 3600, '2d1h'],
  [8 * 86400, '8d'],
  [700 * 86400, '700d'],
  [730 * 86400, '2y'],
  [731 * 86400, '2y1d'],
  [9 * 365 * 86400, '9y'],
  [-1, '0s'],
  [-5, '<invalid>'],
])('%d seconds are %s', (seconds, text) => expect(humanDuration(seconds * 1000)).toBe(text))

describe('services', () => {
  test.each<[object, object]>([
    [
      {
        type: 'ClusterIP',
        clusterIP: '10.96.0.9',
        ports: [
          { port: 80, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
        selector: { app: 'a' },
      },
      { 'Cluster-IP': '10.96.0.9', 'External-IP': '<none>', 'Port(s)': '80/TCP,53/UDP', Selector: 'app=a' },
    ],
    [
      { type: 'NodePort', clusterIP: '10.96.0.9', ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }] },
      { 'Port(s)': '80:30080/TCP', Selector: '<none>' },
    ],
    [
      { type: 'ExternalName', externalName: 'x.example' },
      { 'Cluster-IP': '<none>', 'External-IP': 'x.example', 'Port(s)': '<none>' },
    ],
    [{ type: 'LoadBalancer', clusterIP: '10.96.0.9' }, { 'External-IP': '<pending>' }],
    [
      { type: 'ClusterIP', clusterIP: 'None', externalIPs: ['1.2.3.4'] },
      { 'Cluster-IP': 'None', 'External-IP': '1.2.3.4' },
    ],
  ])('%j', (spec, expected) => expect(cells('services', { metadata: {}, spec })).toMatchObject(expected))
})

describe('others', () => {
  test('nodes', () => {
    const node = {
      metadata: { labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'edge' } },
      spec: { unschedulable: true },
      status: {
        nodeInfo: { kubeletVersion: 'v1.36.2', osImage: 'os', kernelVersion: 'k', containerRuntimeVersion: 'c://1' },
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      },
    }
    expect(cells('nodes', node)).toEqual({
      Status: 'Ready,SchedulingDisabled',
      Roles: 'edge,worker',
      Age: '<unknown>',
      Version: 'v1.36.2',
      'Internal-IP': '10.0.0.1',
      'External-IP': '<none>',
      'OS-Image': 'os',
      'Kernel-Version': 'k',
      'Container-Runtime': 'c://1',
    })
  })
  test('workloads', () => {
    const spec = { replicas: 3, selector: { matchLabels: { app: 'a' } }, template }
    expect(
      cells('deployments', { metadata: {}, spec, status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 } }),
    ).toMatchObject({
      Ready: '1/3',
      'Up-to-date': 2,
      Available: 1,
      Containers: 'c',
      Images: 'img:1',
      Selector: 'app=a',
    })
    expect(cells('replicasets', { metadata: {}, spec, status: { replicas: 2 } })).toMatchObject({
      Desired: 3,
      Current: 2,
      Ready: 0,
    })
  })
  test('jobs', () => {
    const job = (status: object, spec: object = { completions: 4 }) => cells('jobs', { metadata: {}, spec, status })
    expect(job({})).toMatchObject({ Status: 'Running', Completions: '0/4', Duration: '' })
    expect(
      job({ succeeded: 4, startTime: ago(100), completionTime: ago(40), conditions: [{ type: 'Complete', status: 'True' }] }),
    ).toMatchObject({
      Status: 'Complete',
      Completions: '4/4',
      Duration: '60s',
    })
    expect(job({ startTime: ago(5) }, { parallelism: 3 })).toMatchObject({ Completions: '0/1 of 3', Duration: '5s' })
  })
  test('cron jobs, claims, volumes', () => {
    expect(cells('cronjobs', { metadata: {}, spec: { schedule: '@daily', suspend: false } })).toMatchObject({
      Schedule: '@daily',
      Timezone: '<none>',
      Suspend: 'False',
      Active: 0,
      'Last Schedule': '<none>',
    })
    expect(
      cells('persistentvolumeclaims', { metadata: {}, spec: { accessModes: ['ReadWriteOnce'] }, status: { phase: 'Pending' } }),
    ).toMatchObject({ Status: 'Pending', Volume: '', 'Access Modes': '', VolumeAttributesClass: '<unset>' })
    expect(
      cells('persistentvolumes', {
        metadata: {},
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
          claimRef: { namespace: 'd', name: 'c' },
        },
        status: {},
      }),
    ).toMatchObject({ Capacity: '1Gi', 'Access Modes': 'RWO,RWX', Claim: 'd/c' })
  })
  test('events come without a name first', () => {
    const event = {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', name: 'p' },
      reason: 'R',
      message: ' m \n',
      type: 'Normal',
      count: 2,
      lastTimestamp: ago(60),
      firstTimestamp: ago(600),
      source: { component: 'kubelet', host: 'n' },
    }
    expect(definitionOf('events').nameColumn).toBe(false)
    expect(cells('events', event)).toEqual({
      'Last Seen': '60s',
      Type: 'Normal',
      Reason: 'R',
      Object: 'pod/p',
      Subobject: '',
      Source: 'kubelet, n',
      Message: 'm',
      'First Seen': '10m',
      Count: 2,
      Name: 'e',
    })
  })
  test('endpoints, ingresses, autoscalers', () => {
    const subsets = [{ addresses: ['1', '2', '3', '4'].map((n) => ({ ip: `10.0.0.${n}` })), ports: [{ port: 80 }] }]
    expect(cells('endpoints', { metadata: {}, subsets }).Endpoints).toBe('10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...')
    expect(cells('ingresses', { metadata: {}, spec: { rules: [{ host: 'a.example' }], tls: [{}] } })).toMatchObject({
      Class: '<none>',
      Hosts: 'a.example',
      Address: '',
      Ports: '80, 443',
    })
    const hpa = {
      metadata: {},
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        maxReplicas: 5,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 80 } } }],
      },
    }
    expect(cells('horizontalpodautoscalers', hpa)).toMatchObject({
      Reference: 'Deployment/d',
      Targets: 'cpu: <unknown>/80%',
      MinPods: '<unset>',
    })
  })
})

test('a default class says so in its name', () => {
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  expect(definitionOf('storageclasses').nameColumn).toBe(false)
  expect(cells('storageclasses', { metadata: { name: 's', annotations } }).Name).toBe('s (default)')
  expect(cells('storageclasses', { metadata: { name: 's' } }).Name).toBe('s')
})
