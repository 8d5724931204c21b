import { describe, expect, it } from 'vitest'
import {
  keyOfReference,
  keyOfSource,
  readSources,
  referenceTo,
  variableOf,
  writeSources,
} from '../../../src/api/downward/annotations.ts'
import { checkSource } from '../../../src/api/downward/check.ts'
import { MAX_PATH_LENGTH, parseEnclosedSource, parseFieldSource } from '../../../src/api/downward/parse.ts'
import { asStockPath, isStockPath } from '../../../src/api/downward/stock.ts'
import { timingOf } from '../../../src/api/downward/timing.ts'
import { fieldValueOf, MAX_VALUE_BYTES, type Related } from '../../../src/api/downward/value.ts'
import type { KubeObject } from '../../../src/api/object.ts'

const POD: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    labels: { tier: 'front', 'a.b/c': 'dotted', empty: '' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true }],
  },
  spec: {
    nodeName: 'n1',
    containers: [
      { name: 'app', image: 'app:v1', ports: [{ containerPort: 80 }, { containerPort: 443 }] },
      { name: 'log', image: 'log:v2', resources: { limits: { cpu: '2' } } },
    ],
    hostNetwork: true,
  },
}
const OBJECTS: Record<string, KubeObject> = {
  'node/n1': {
    metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'b' } },
    status: {
      capacity: { cpu: '4', memory: '2Ki' },
      nodeInfo: { architecture: 'arm64', operatingSystem: 'linux' },
      addresses: [
        { type: 'Hostname', address: 'n1' },
        { type: 'InternalIP', address: '10.0.0.1' },
      ],
    },
  },
  'namespace/shop': { metadata: { name: 'shop', labels: { team: 'red' } } },
  'service/shop/db': { metadata: { name: 'db' }, spec: { clusterIP: '10.96.0.9', ports: [{ name: 'sql', port: 5432 }] } },
  'owner/rs': {
    kind: 'ReplicaSet',
    metadata: {
      name: 'web',
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'w', uid: 'd', controller: true }],
    },
  },
  'owner/d': { kind: 'Deployment', metadata: { name: 'w' }, spec: { replicas: 3 } },
}
const RELATED: Related = {
  node: async (name) => OBJECTS[`node/${name}`],
  namespace: async (name) => OBJECTS[`namespace/${name}`],
  service: async (namespace, name) => OBJECTS[`service/${namespace}/${name}`],
  owner: async ({ uid }) => OBJECTS[`owner/${uid}`],
}
const read = (path: string, pod = POD) => fieldValueOf(parseFieldSource(path), pod, RELATED)

describe('a field path', () => {
  it.each([
    ['metadata.name', 'web-1'],
    ['.metadata.name', 'web-1'],
    ['$.metadata.name', 'web-1'],
    ['pod:metadata.name', 'web-1'],
    ["metadata.labels['a.b/c']", 'dotted'],
    ['metadata.labels.a\\.b/c', 'dotted'],
    ['metadata.labels["tier"]', 'front'],
    ['metadata.labels.empty', ''],
    ['spec.containers[0].image', 'app:v1'],
    ['spec.containers[-1].image', 'log:v2'],
    ['spec.containers[*].name', 'app,log'],
    ['spec.containers[*].name | json', '["app","log"]'],
    ['spec.containers[0,1].name', 'app,log'],
    ['spec.containers[0:1].name', 'app'],
    ['spec.containers[?(@.name=="log")].image', 'log:v2'],
    ["spec.containers[?(@.name != 'log')].image", 'app:v1'],
    ['spec.containers[?(@.resources.limits)].name', 'log'],
    ['spec.containers[0].ports[?(@.containerPort > 100)].containerPort', '443'],
    ['spec..containerPort', '80,443'],
    ['spec.containers[0].ports', '[{"containerPort":80},{"containerPort":443}]'],
    ['spec.containers[0].ports[0].containerPort|json', '80'],
    ["metadata['name','namespace']", 'web-1,shop'],
    ['spec.hostNetwork', 'true'],
    ['spec.tolerations[*].key|json', '[]'],
    ['metadata.labels[\'none\'] ?? "x"', 'x'],
    ["metadata.labels['none'] ?? 'it''s'", undefined],
    ["metadata.labels.none??''", ''],
    ['metadata.labels.tier ?? "x"', 'front'],
    ["node:metadata.labels['topology.kubernetes.io/zone']", 'b'],
    ['namespace:metadata.labels.team', 'red'],
    ['service/db:spec.clusterIP', '10.96.0.9'],
    ['service/db:spec.ports[?(@.name=="sql")].port', '5432'],
    ['service/none:spec.clusterIP ?? "127.0.0.1"', '127.0.0.1'],
    ['owner:metadata.name', 'web'],
    ['owner/Deployment:metadata.name', 'w'],
    ['owner/deployment:spec.replicas', '3'],
    ['host:cpus', '4'],
    ['host:memory', '2048'],
    ['host:arch', 'arm64'],
    ['host:os', 'linux'],
    ['host:ip', '10.0.0.1'],
  ])('%s', async (path, expected) => {
    if (expected === undefined) expect(() => parseFieldSource(path)).toThrow()
    else expect(await read(path)).toEqual({ value: expected })
  })

  it.each([
    ["metadata.labels['none']", "metadata.labels['none'] has no value"],
    ['spec.containers[7].image', 'spec.containers[7].image has no value'],
    ['service/none:spec.clusterIP', 'service/none:spec.clusterIP has no value: the Service none does not exist'],
    ['owner/Job:metadata.name', 'owner/Job:metadata.name has no value: an owner of kind Job does not exist'],
  ])('%s says why it has none', async (path, missing) => expect(await read(path)).toEqual({ missing }))

  it('has no value of a node before there is one, nor one that is too large', async () => {
    const unbound = { ...POD, spec: { ...POD.spec, nodeName: undefined } }
    expect((await read('host:cpus', unbound)).missing).toBe('host:cpus has no value: the pod has no node yet')
    const large = { ...POD, metadata: { labels: { big: 'x'.repeat(MAX_VALUE_BYTES + 1) } } }
    expect((await read('metadata.labels.big', large)).missing).toMatch(/has a value of 16385 bytes, and 16384 are possible/)
  })

  it('never leads to a Secret, not even to one that calls itself an owner', async () => {
    const owned = {
      ...POD,
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'rs', controller: true }] },
    }
    expect((await read('owner:data.password', owned)).missing).toMatch(/no value/)
    expect(() => parseFieldSource('secret/login:data.password')).toThrow(/at character 1: a Secret is never shown/)
  })
})

describe('a bad path', () => {
  const CASES: [string, string][] = [
    ['', 'at character 1: the path ends too early: a field name is missing; possible here: FIELD, *'],
    ['metadata.', 'at character 10: the path ends too early: a field name is missing; possible here: FIELD, *'],
    ['metadata.name]', 'at character 14: "]" is not understood; possible here: .FIELD, [INDEX], | json, ?? "default"'],
    [
      'metadata.labels[',
      'at character 17: the path ends too early: this is nothing that can stand in brackets; possible here: \'NAME\', INDEX, FROM:TO, *, ?(@.FIELD=="VALUE")',
    ],
    ["metadata.labels['a", 'at character 17: the quotes are not closed'],
    ["metadata.labels['a'", 'at character 20: the path ends too early: the bracket is not closed; possible here: ]'],
    ['spec.containers[?(name)]', 'at character 19: a filter begins with a field of the element; possible here: @.FIELD'],
    ['spec.containers[?(@.name=x)]', 'at character 25: the filter is not understood; possible here: ==, !=, <=, >=, <, >, )'],
    ['metadata.name | yaml', 'at character 21: the path ends too early: unknown form after |; possible here: json'],
    ['metadata.name ?? x', 'at character 18: a default is a text in quotes; possible here: "…"'],
    [
      'nodes:metadata.name',
      'at character 1: there is no origin "nodes"; possible here: pod:, node:, owner:, owner/KIND:, namespace:, service/NAME:, host:',
    ],
    ['service:spec.clusterIP', 'at character 8: the name of a Service is missing; possible here: service/NAME:'],
    ['host:disks', 'at character 6: the host has no "disks"; possible here: cpus, memory, arch, os, ip'],
    ['node/x:metadata.name', "at character 6: node: takes no name, it is the pod's own; possible here: node:"],
    ["metadata.labels['a\nb']", 'at character 19: a path is one line, without control characters'],
  ]
  it.each(CASES)('%s', (path, message) => expect(() => parseFieldSource(path)).toThrow(message))

  it('is too long', () => {
    expect(() => parseFieldSource(`metadata.${'x'.repeat(MAX_PATH_LENGTH)}`)).toThrow(/a path has at most 1024 characters/)
  })

  const NAMES: [string, string][] = [
    [
      'metadata.nam',
      'at character 10: ObjectMeta has no field "nam"; possible here: name, namespace, generateName, annotations, creationTimestamp, deletionGracePeriodSeconds, deletionTimestamp, finalizers, generation, labels, managedFields, ownerReferences, and 3 more',
    ],
    ['spec.containers.image', 'at character 17: "image" follows a list; possible here: [0], [*], [?(@.name=="…")]'],
    ['metadata.name.first', 'at character 15: "first" follows a plain value; possible here: the end, | json, ?? "default"'],
    ['metadata[0]', 'at character 10: an index follows ObjectMeta; possible here: annotations'],
    ['spec.containers[?(@.nane=="x")].image', 'at character 21: Container has no field "nane"'],
    ["metadata['name','uid'].imag", 'at character 24: nothing here has a field "imag"'],
    ['node:spec.unschedulabel', 'at character 11: NodeSpec has no field "unschedulabel"; possible here: unschedulable'],
    ['service/db:spec.clusterIp', 'at character 17: ServiceSpec has no field "clusterIp"; possible here: clusterIP, clusterIPs'],
    ['owner:spec.replica', 'at character 12: ReplicaSetSpec has no field "replica"; possible here: replicas'],
  ]
  it.each(NAMES)('%s names what is not there', (path, message) => {
    const check = () => checkSource(parseFieldSource(path), { apiVersion: 'apps/v1', kind: 'ReplicaSet' })
    expect(check).toThrow(message)
  })

  it('is one that would change with its own value', async () => {
    for (const path of ['metadata.resourceVersion', 'metadata.managedFields[0].time']) {
      expect(() => checkSource(parseFieldSource(path), undefined)).toThrow(
        /at character 10: .* changes with every write of the pod/,
      )
    }
    const annotations = { a: 'b', 'skiff.dev/field.x-1': '1', 'skiff.dev/field-sources': 'y', 'skiff.dev/signal.app': 'SIGHUP:1' }
    const pod = { ...POD, metadata: { annotations, resourceVersion: '7' } }
    expect(await read('metadata | json', pod)).toEqual({ value: '{"annotations":{"a":"b"}}' })
  })

  it.each([
    'node:metadata.managedFields[*].fieldsV1.anything.at.all',
    'metadata.labels.anything',
    'spec..name',
    'owner/Widget:spec.whatever',
    'spec.containers[*].resources.limits.cpu',
    'status.conditions[?(@.type=="Ready")].status',
  ])('%s is none', (path) => checkSource(parseFieldSource(path), undefined))
})

describe('inside of a text', () => {
  it('ends at the parenthesis that is its own', () => {
    const text = 'at $(pod:spec.containers[?(@.name=="a)b")].image) and on'
    const { source, end } = parseEnclosedSource(text, 5)
    expect(source.text).toBe('pod:spec.containers[?(@.name=="a)b")].image')
    expect(text.slice(end)).toBe(') and on')
    expect(() => parseEnclosedSource('$(pod:metadata.name', 2)).toThrow(/closing parenthesis is missing/)
  })
})

describe('the stock form', () => {
  it.each([
    ['metadata.name', 'env', true],
    ['metadata.labels', 'env', false],
    ['metadata.labels', 'file', true],
    ["metadata.labels['a.b/c']", 'env', true],
    ['spec.nodeName', 'file', false],
    ['status.podIP', 'env', true],
    ['node:metadata.name', 'env', false],
  ] as const)('%s in %s: %s', (path, use, stock) => expect(isStockPath(path, use)).toBe(stock))

  it.each([
    ['pod:metadata.name', 'metadata.name'],
    ['$.metadata.labels.tier', "metadata.labels['tier']"],
    ['.status.podIP', 'status.podIP'],
    ['metadata.name ?? "x"', undefined],
    ['metadata.name|json', undefined],
    ['spec.restartPolicy', undefined],
    ['node:metadata.name', undefined],
  ])('of %s is %s', (path, stock) => expect(asStockPath(parseFieldSource(path), 'env')).toBe(stock))

  it('has keys that are names of annotations, the same for the same text', () => {
    const source = parseFieldSource('node:metadata.labels[\'topology.kubernetes.io/zone\'] ?? "nowhere at all"')
    const key = keyOfSource(source, 'env')
    expect(key).toMatch(/^[a-z0-9][A-Za-z0-9.-]*topology\.kubernetes\.io\.zone-[0-9a-f]{8}$/)
    expect(`field.${keyOfSource(source, 'file')}`.length).toBeLessThanOrEqual(63)
    expect(keyOfReference(referenceTo(key))).toBe(key)
    expect(keyOfSource(source, 'env')).toBe(key)
    expect(variableOf(source)).toMatch(/^SKIFF_FIELD_[A-Za-z0-9_]+_[0-9a-f]{8}$/)
    const sources = new Map([[key, source]])
    expect(readSources({ 'skiff.dev/field-sources': writeSources(sources) })).toEqual(sources)
  })
})

describe('a value is known', () => {
  it.each([
    ['metadata.labels.x', 'creation'],
    ['spec.containers[0].image', 'creation'],
    ['service/db:spec.clusterIP', 'creation'],
    ['owner:metadata.name', 'creation'],
    ['namespace:metadata.name', 'creation'],
    ['metadata.creationTimestamp', 'binding'],
    ['spec.nodeName ?? "x"', 'binding'],
    ['node:metadata.name', 'binding'],
    ['host:cpus', 'binding'],
    ['status.qosClass', 'binding'],
    ['$..image', 'binding'],
    ['status.podIP', 'running'],
    ['status.conditions[0].type', 'running'],
  ])('%s: %s', (path, timing) => expect(timingOf(parseFieldSource(path))).toBe(timing))
})
