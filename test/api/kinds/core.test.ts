import { describe, expect, test } from 'vitest'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { create, definitionOf, NOW, update, updateStatus } from './write.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('services', () => {
  const port = { port: 80 }
  test('defaults', () => {
    expect(create('services', { spec: { ports: [port] } }).object.spec).toEqual({
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    })
    expect(
      create('services', { spec: { ports: [port], type: 'LoadBalancer', sessionAffinity: 'ClientIP' } }).object.spec,
    ).toMatchObject({
      externalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
    })
    expect(create('services', { spec: { type: 'ExternalName', externalName: 'x.example' } }).object.spec).toEqual({
      type: 'ExternalName',
      externalName: 'x.example',
      sessionAffinity: 'None',
    })
  })
  test.each<[string, object, string[]]>([
    ['no ports', {}, ['Required | spec.ports | Required value']],
    ['headless needs none', { clusterIP: 'None' }, []],
    [
      'two need names',
      { ports: [port, { port: 81 }] },
      ['Required | spec.ports[0].name | Required value', 'Required | spec.ports[1].name | Required value'],
    ],
    [
      'one port twice',
      {
        ports: [
          { name: 'a', ...port },
          { name: 'b', ...port },
        ],
      },
      [
        'Duplicate | spec.ports[1] | Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
      ],
    ],
    [
      'port 0',
      { ports: [{ port: 0 }] },
      ['port', 'targetPort'].map(
        (f) => `Invalid | spec.ports[0].${f} | Invalid value: 0: must be between 1 and 65535, inclusive`,
      ),
    ],
    [
      'a type',
      { ports: [port], type: 'Weird' },
      [
        'NotSupported | spec.type | Unsupported value: "Weird": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    ['no external name', { ports: [port], type: 'ExternalName' }, ['Required | spec.externalName | Required value']],
    [
      'an address',
      { ports: [port], clusterIP: 'nonsense' },
      ['Invalid | spec.clusterIPs[0] | Invalid value: "nonsense": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'a node port without nodes',
      { ports: [{ ...port, nodePort: 30001 }] },
      ["Forbidden | spec.ports[0].nodePort | Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'traffic from nowhere',
      { ports: [port], sessionAffinity: 'X', externalTrafficPolicy: 'Local' },
      [
        'Invalid | spec.externalTrafficPolicy | Invalid value: "Local": may only be set for externally-accessible services',
        'NotSupported | spec.sessionAffinity | Unsupported value: "X": supported values: "ClientIP", "None"',
      ],
    ],
  ])('%s', (_, spec, causes) => expect(create('services', { spec }).causes).toEqual(causes))
  test('the address stays', () => {
    const before = { spec: { ports: [port], clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'] } }
    const { causes } = update('services', before, (o) =>
      Object.assign(o.spec, { clusterIP: '10.96.0.6', clusterIPs: ['10.96.0.6'] }),
    )
    expect(causes).toEqual(['Invalid | spec.clusterIPs[0] | Invalid value: ["10.96.0.6"]: may not change once set'])
  })
})

describe('config maps and secrets', () => {
  test('keys, sizes, and one key in one place', () => {
    expect(create('configmaps', { data: { 'a/b': '' }, binaryData: {} }).causes[0]).toMatch(
      /^Invalid \| data\[a\/b\] \| Invalid value: "a\/b": a valid config key/,
    )
    expect(create('configmaps', { data: { a: 'x'.repeat(1024 * 1024 + 1) } }).causes).toEqual([
      'TooLong | [] | Too long: may not be more than 1048576 bytes',
    ])
    expect(create('configmaps', { data: { a: '' }, binaryData: { a: '' } }).causes).toEqual([
      'Invalid | data[a] | Invalid value: "a": duplicate of key present in binaryData',
    ])
    expect(create('secrets', { data: { a: base64('x'.repeat(1024 * 1024 + 1)) } }).causes).toEqual([
      'TooLong | data | Too long: may not be more than 1048576 bytes',
    ])
  })
  test('immutable is immutable', () => {
    const before = { data: { a: 'b' }, immutable: true }
    expect(update('configmaps', before, (o) => Object.assign(o.data, { a: 'c' })).causes).toEqual([
      'Forbidden | data | Forbidden: field is immutable when `immutable` is set',
    ])
    expect(update('configmaps', before, (o) => Object.assign(o, { immutable: false })).causes).toEqual([
      'Forbidden | immutable | Forbidden: field is immutable when `immutable` is set',
    ])
    expect(update('configmaps', before, (o) => Object.assign(o.metadata, { labels: { a: 'b' } })).causes).toEqual([])
  })
  test('string data is merged, and never stored', () => {
    const { object, causes } = create('secrets', { data: { a: base64('one'), z: base64('z') }, stringData: { a: 'two', u: 'ü' } })
    expect(causes).toEqual([])
    expect(object.data).toEqual({ a: base64('two'), z: base64('z'), u: base64('ü') })
    expect(object).not.toHaveProperty('stringData')
    expect(object.type).toBe('Opaque')
  })
  test.each([
    ['kubernetes.io/tls', {}, ['Required | data[tls.crt] | Required value', 'Required | data[tls.key] | Required value']],
    [
      'kubernetes.io/dockerconfigjson',
      { '.dockerconfigjson': base64('{') },
      [expect.stringContaining('Invalid | data[.dockerconfigjson] | Invalid value: "<secret contents redacted>"')],
    ],
    [
      'kubernetes.io/basic-auth',
      {},
      ['Required | data[password] | Required value', 'Required | data[username] | Required value'],
    ],
    [
      'kubernetes.io/service-account-token',
      {},
      ['Required | metadata.annotations[kubernetes.io/service-account.name] | Required value'],
    ],
  ])('%s', (type, data, causes) => expect(create('secrets', { type, data }).causes).toEqual(causes))
  test('a certificate that is none is warned of; a type stays', () => {
    const { object } = create('secrets', { type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'a', 'tls.key': 'b' } })
    expect(definitionOf('secrets').strategy.warnings!(object)).toEqual(['tls: failed to find any PEM data in certificate input'])
    expect(update('secrets', {}, (o) => Object.assign(o, { type: 'other' })).causes).toEqual([
      'Invalid | type | Invalid value: "other": field is immutable',
    ])
  })
})

describe('namespaces', () => {
  test('know their name, and keep their finalizer', () => {
    const { object } = create('namespaces', { metadata: { name: 'x' } })
    expect(object.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'x' })
    expect(object).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } })
    expect(update('namespaces', {}, (o) => Object.assign(o.spec, { finalizers: [] })).object.spec.finalizers).toEqual([
      'kubernetes',
    ])
    const finalize = definitionOf('namespaces').subresources.find((s) => s.name === 'finalize')!.strategy!
    const next = { ...structuredClone(object), spec: {} }
    finalize.prepareForUpdate!(next, object, { now: NOW })
    expect(finalize.validateUpdate!(next, object)).toEqual([])
    expect(next.spec).toEqual({})
  })
})

describe('nodes', () => {
  test('come with their status, and what they have is what can be had', () => {
    const { object } = create('nodes', { status: { capacity: { cpu: '4' } } })
    expect(object.status.allocatable).toEqual({ cpu: '4' })
    expect(update('nodes', {}, (o) => Object.assign(o, { status: { phase: 'x' } })).object.status.phase).toBeUndefined()
    expect(
      updateStatus('nodes', {}, (o) => Object.assign(o.spec, { unschedulable: true })).object.spec.unschedulable,
    ).toBeUndefined()
  })
  test('taints', () => {
    expect(
      create('nodes', {
        spec: {
          taints: [
            { key: 'a', effect: 'X' },
            { key: 'b', effect: 'NoSchedule' },
            { key: 'b', effect: 'NoSchedule' },
          ],
        },
      }).causes,
    ).toEqual([
      'Duplicate | metadata.taints[2] | Duplicate value: {"Key":"b","Value":"","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
      'NotSupported | metadata.taints[0].effect | Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ])
  })
})

describe('storage', () => {
  const volume = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } }
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  test('volumes', () => {
    const { object, causes } = create('persistentvolumes', { spec: volume })
    expect(causes).toEqual([])
    expect(object).toMatchObject({
      spec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem', hostPath: { type: '' } },
      status: { phase: 'Pending', lastPhaseTransitionTime: NOW },
    })
    expect(create('persistentvolumes', { spec: { hostPath: { path: '/a' }, nfs: { server: 's', path: '/' } } }).causes).toEqual([
      'Forbidden | spec.nfs | Forbidden: may not specify more than 1 volume type',
      'NotSupported | spec.capacity | Unsupported value: null: supported values: "storage"',
      'Required | spec.accessModes | Required value',
      'Required | spec.capacity | Required value',
    ])
    expect(
      update('persistentvolumes', { spec: volume }, (o) => Object.assign(o.spec.hostPath, { path: '/y' })).causes[0],
    ).toMatch(
      /^Forbidden \| spec\.persistentvolumesource \| Forbidden: spec\.persistentvolumesource is immutable after creation\n@@ /,
    )
  })
  test('claims', () => {
    expect(create('persistentvolumeclaims', { spec: claim }).object).toMatchObject({
      spec: { volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    })
    expect(
      create('persistentvolumeclaims', { spec: { accessModes: ['Sometimes'], resources: { requests: { storage: '0' } } } })
        .causes,
    ).toEqual([
      'Invalid | spec.resources[storage] | Invalid value: "0": must be greater than zero',
      'NotSupported | spec.accessModes | Unsupported value: "Sometimes": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    ])
    expect(
      update('persistentvolumeclaims', { spec: claim }, (o) => Object.assign(o.spec.resources.requests, { storage: '2Gi' }))
        .causes[0],
    ).toMatch(/^Forbidden \| spec \| Forbidden: spec is immutable after creation except/)
    expect(update('persistentvolumeclaims', { spec: claim }, (o) => Object.assign(o.spec, { volumeName: 'v' })).causes).toEqual(
      [],
    )
  })
})

test('limit ranges fill their own gaps', () => {
  const limits = [{ type: 'Container', max: { cpu: '2' }, default: { cpu: '1' }, min: { memory: '1Mi' } }]
  expect(create('limitranges', { spec: { limits } }).object.spec.limits[0]).toMatchObject({
    default: { cpu: '1' },
    defaultRequest: { cpu: '1', memory: '1Mi' },
  })
  expect(create('limitranges', { spec: { limits: [{ type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' } }] } }).causes).toEqual([
    'Invalid | spec.limits[0].min[cpu] | Invalid value: "2": min value 2 is greater than max value 1',
  ])
})

test('quotas count what can be counted', () => {
  expect(
    create('resourcequotas', { spec: { hard: { secrets: '1', 'count/x.example': '5', 'requests.cpu': '1' } } }).causes,
  ).toEqual([])
  expect(create('resourcequotas', { spec: { hard: { gold: '1', pods: '-1' } } }).causes).toEqual([
    'Invalid | spec.hard[gold] | Invalid value: "gold": must be a standard resource for quota',
    'Invalid | spec.hard[gold] | Invalid value: "gold": must be a standard resource type or fully qualified',
    'Invalid | spec.hard[pods] | Invalid value: "-1": must be greater than or equal to 0',
  ])
})

test('endpoints lead somewhere', () => {
  const subsets = [{ addresses: [{ ip: '127.0.0.1' }, { ip: 'x' }], ports: [{ port: 80 }] }, {}]
  const { object, causes } = create('endpoints', { subsets })
  expect(object.subsets[0].ports[0].protocol).toBe('TCP')
  expect(causes).toEqual([
    'Invalid | subsets[0].addresses[0].ip | Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    'Invalid | subsets[0].addresses[1].ip | Invalid value: "x": must be a valid IP address',
    'Invalid | subsets[0].addresses[1].ip | Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'Required | subsets[1] | Required value: must specify `addresses` or `notReadyAddresses`',
  ])
})

test('events have two spellings', () => {
  const core = {
    apiVersion: 'v1',
    metadata: { name: 'e', namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'R',
    message: 'm',
    count: 2,
    source: { component: 'x' },
    type: 'Normal',
    eventTime: null,
    reportingComponent: '',
    reportingInstance: '',
  }
  const { fromStorage, toStorage } = newEvents()
  const renamed = fromStorage!(structuredClone(core))
  expect(renamed).toMatchObject({
    apiVersion: 'events.k8s.io/v1',
    regarding: { name: 'p' },
    note: 'm',
    deprecatedCount: 2,
    deprecatedSource: { component: 'x' },
  })
  expect(renamed).not.toHaveProperty('message')
  expect(toStorage!(renamed)).toMatchObject(core)
})

function newEvents() {
  const definition = builtinDefinitions.find((d) => d.plural === 'events' && d.group === 'events.k8s.io')
  if (!definition) throw new Error('no events.k8s.io')
  return definition
}
