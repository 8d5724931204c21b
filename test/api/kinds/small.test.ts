/** Rules of small kinds that others write more often than people do: slices, addresses, leases, events, signing requests. */
import { describe, expect, test } from 'vitest'
import { create, definitionOf, update, updateStatus } from './write.ts'

const matching = (pattern: RegExp) => expect.stringMatching(pattern) as unknown as string
const slice = (endpoint: object, more: object = {}) => ({
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'], ...endpoint }],
  ...more,
})
const hints = (...names: string[]) => ({ hints: { forZones: names.map((name) => ({ name })) } })

describe('endpoint slices', () => {
  test.each<[string, object, string[]]>([
    ['a zone', slice(hints('a')), []],
    ['a zone twice', slice(hints('a', 'a')), ['Duplicate | endpoints[0].hints.forZones[1].name | Duplicate value: "a"']],
    [
      'too many zones',
      slice(hints(...'abcdefghi')),
      ['TooMany | endpoints[0].hints.forZones | Too many: 9: must have at most 8 items'],
    ],
    [
      'nodes that cannot be',
      slice({ hints: { forNodes: [{ name: 'N' }] } }),
      [matching(/^Invalid \| endpoints\[0\]\.hints\.forNodes\[0\]\.name \| Invalid value: "N": a lowercase RFC 1123 subdomain/)],
    ],
    [
      'an unknown protocol',
      slice({}, { ports: [{ appProtocol: 'a b' }] }),
      [matching(/^Invalid \| ports\[0\]\.appProtocol \| Invalid value: "a b": name part must consist/)],
    ],
    [
      'half a domain',
      slice({ addresses: ['local'] }, { addressType: 'FQDN' }),
      [
        'Invalid | endpoints[0].addresses[0] | Invalid value: "local": should be a domain with at least two segments separated by dots',
      ],
    ],
  ])('with %s', (_, given, causes) => expect(create('endpointslices', given).causes).toEqual(causes))
  test('say nothing of topology', () => {
    const { object } = create('endpointslices', slice({ deprecatedTopology: { 'kubernetes.io/hostname': 'n' } }))
    expect(object.endpoints[0]).toEqual({ addresses: ['10.0.0.1'], conditions: {} })
  })
})

describe('service ranges', () => {
  const ranges = (...cidrs: string[]) => ({ spec: { cidrs } })
  const becoming = (...cidrs: string[]) =>
    update('servicecidrs', ranges('10.0.0.0/24'), (o) => Object.assign(o.spec, { cidrs })).causes
  test('are one of each family', () => {
    expect(create('servicecidrs', ranges('10.0.0.0/24', '10.1.0.0/24')).causes).toEqual([
      'Invalid | spec.cidrs | Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96',
    ])
  })
  test('stay, and may get a second', () => {
    expect(becoming('10.0.0.0/24', 'fd00::/64')).toEqual([])
    expect(becoming('10.1.0.0/24')).toEqual(['Invalid | spec.cidrs[0] | Invalid value: "10.1.0.0/24": field is immutable'])
    expect(becoming()).toEqual(['Invalid | spec.cidrs | Invalid value: []: field is immutable'])
  })
  test('are given to what has a name', () => {
    const parentRef = { group: 'G', resource: 'a/b', name: '..' }
    expect(create('ipaddresses', { metadata: { name: '10.0.0.1' }, spec: { parentRef } }).causes).toEqual([
      matching(/^Invalid \| spec\.parentRef\.group \| Invalid value: "G": a lowercase RFC 1123 subdomain/),
      'Invalid | spec.parentRef.name | Invalid value: "..": may not be \'..\'',
      'Invalid | spec.parentRef.resource | Invalid value: "a/b": may not contain \'/\'',
    ])
  })
})

test('leases do not elect', () => {
  const { object, causes } = create('leases', { spec: { holderIdentity: 'a', preferredHolder: 'b', strategy: 'x' } })
  expect(causes).toEqual([])
  expect(object.spec).toEqual({ holderIdentity: 'a' })
})

describe('events', () => {
  const regarding = { kind: 'Pod', name: 'p', namespace: 'default' }
  const event = {
    ...{ regarding, eventTime: '2026-01-02T03:04:05.000000Z', type: 'Normal', reason: 'R', action: 'A', note: 'n' },
    ...{ reportingController: 'x.example/y', reportingInstance: 'i' },
  }
  test.each<[string, string, object, string[]]>([
    ['a right one', 'events.events.k8s.io', event, []],
    ['an old one', 'events', { involvedObject: regarding }, []],
    [
      'of another namespace',
      'events',
      { involvedObject: { ...regarding, namespace: 'other' } },
      ['Invalid | involvedObject.namespace | Invalid value: "other": does not match event.namespace'],
    ],
    [
      'that say when, but not who',
      'events',
      { involvedObject: regarding, eventTime: event.eventTime, reason: 'R', action: 'A', reportingInstance: 'i' },
      [
        matching(/^Invalid \| reportingComponent \| Invalid value: "": name part must be non-empty/),
        matching(/^Invalid \| reportingComponent \| Invalid value: "": name part must consist/),
        'Required | reportingComponent | Required value',
      ],
    ],
    [
      'that speak the old tongue',
      'events.events.k8s.io',
      { ...event, deprecatedCount: 2, deprecatedSource: { component: 'c' }, series: { count: 1 } },
      [
        'Invalid | count | Invalid value: "": needs to be unset',
        'Invalid | series.count | Invalid value: "": should be at least 2',
        'Invalid | source | Invalid value: "": needs to be unset',
        'Required | series.lastObservedTime | Required value',
      ],
    ],
  ])('%s (%s)', (_, plural, given, causes) => expect(create(plural, given).causes).toEqual(causes))
  test('go on, and keep what they said', () => {
    const change = (more: object) => update('events.events.k8s.io', event, (o) => Object.assign(o, more)).causes
    expect(change({ series: { count: 2, lastObservedTime: '2026-01-02T03:04:06.000000Z' } })).toEqual([])
    expect(change({ note: 'other' })).toEqual(['Invalid | message | Invalid value: "other": field is immutable'])
  })
})

describe('signing requests', () => {
  const request = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\n').toString('base64')
  const asking = (signerName: string) => create('certificatesigningrequests', { spec: { request, usages: ['any'], signerName } })
  test.each<[string, string[]]>([
    ['example.com/a.b', []],
    [
      'kubernetes.io/legacy-unknown',
      [
        'Invalid | spec.signerName | Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
      ],
    ],
    [
      'a.b/c/d',
      [
        'Invalid | spec.signerName | Invalid value: "a.b/c/d": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
      ],
    ],
    [
      'a.B/c',
      [matching(/^Invalid \| spec\.signerName \| Invalid value: "a\.B": validating label "B": a lowercase RFC 1123 label/)],
    ],
    ['a.b/C', [matching(/^Invalid \| spec\.signerName \| Invalid value: "C": validating label "C": a lowercase RFC 1123 subd/)]],
  ])('to %s', (signer, causes) => expect(asking(signer).causes).toEqual(causes))
  test('are answered with certificates only', () => {
    const answer = (text: string) =>
      updateStatus('certificatesigningrequests', { spec: { request, usages: ['any'], signerName: 'a.b/c' } }, (o) => {
        o.status = { certificate: Buffer.from(text).toString('base64'), conditions: [{ type: 'Odd', status: 'Perhaps' }] }
      }).causes
    expect(answer('-----BEGIN X-----\nAAAA\n-----END X-----\n')).toEqual([
      'Invalid | status.certificate | Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "X"',
      'NotSupported | status.conditions[0].status | Unsupported value: "Perhaps": supported values: "False", "True", "Unknown"',
    ])
  })
})

test('ingress classes take their parameters from one scope', () => {
  const parameters = { kind: 'a/b', name: 'n', namespace: 'x' }
  expect(create('ingressclasses', { spec: { controller: 'x.example/y', parameters } }).causes).toEqual([
    "Forbidden | spec.parameters.namespace | Forbidden: `parameters.scope` is set to 'Cluster'",
    'Invalid | spec.parameters.kind | Invalid value: "a/b": may not contain \'/\'',
  ])
})

test('ingresses are reached at addresses', () => {
  const spec = { defaultBackend: { resource: { kind: 'K', name: 'n' } } }
  const { causes } = updateStatus('ingresses', { spec }, (o) => {
    o.status = { loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '1.2.3.4' }] } }
  })
  expect(causes).toEqual([
    matching(/^Invalid \| status\.loadBalancer\.ingress\[0\]\.ip \| Invalid value: "x": must be a valid IP address/),
    'Invalid | status.loadBalancer.ingress[1].hostname | Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
  ])
})

test('local API services trust nobody', () => {
  const spec = { version: 'v2', groupPriorityMinimum: 1, versionPriority: 1, caBundle: 'AAAA', insecureSkipTLSVerify: true }
  expect(create('apiservices', { metadata: { name: 'v2.' }, spec }).causes).toEqual([
    'Invalid | spec.caBundle | Invalid value: "3 bytes": local APIServices may not have a caBundle',
    'Invalid | spec.insecureSkipTLSVerify | Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
    'Required | spec.group | Required value: only v1 may have an empty group and it better be legacy kube',
  ])
})

test('claims grow by steps that are known', () => {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  const { causes } = updateStatus('persistentvolumeclaims', { spec }, (o) => {
    o.status = {
      capacity: { storage: '-1' },
      allocatedResources: { cpu: '1', storage: '2Gi' },
      allocatedResourceStatuses: { storage: 'Odd', 'x.example/y': 'NodeResizePending' },
    }
  })
  expect(causes).toEqual([
    'Invalid | status.capacity[storage] | Invalid value: -1: must be a valid resource quantity',
    'NotSupported | status.allocatedResourceStatus | Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
    'NotSupported | status.allocatedResources | Unsupported value: "cpu": supported values: "storage"',
  ])
})

test('slices say which fields they can be selected by', () => {
  expect(definitionOf('resourceslices').unknownField?.('spec.x')).toBe(
    'field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.x',
  )
})
