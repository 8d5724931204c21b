import { describe, expect, it } from 'vitest'
import { DEFAULT_NODE_FIELDS, nodeFieldsOf } from '../../../src/api/downward/node-fields.ts'
import type { EndpointSlice, Node, Pod, Service } from '../../../src/api/types.ts'
import { answer } from '../../../src/node/metadata/answer.ts'
import { visibleNode } from '../../../src/node/metadata/node-tree.ts'
import { parseQuery } from '../../../src/node/metadata/query.ts'
import type { Facts } from '../../../src/node/metadata/tree.ts'

const pod: Pod = {
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    uid: 'u-1',
    labels: { app: 'web', 'skiff.dev/template': 'abc' },
    annotations: { note: 'two\nlines' },
  },
  spec: {
    nodeName: 'n1',
    serviceAccountName: 'robot',
    containers: [{ name: 'web', image: 'web:v1', resources: { limits: { cpu: '1' } }, ports: [{ containerPort: 80 }] }],
  },
  status: { phase: 'Running' },
}
const node: Node = {
  metadata: {
    name: 'n1',
    labels: { 'topology.kubernetes.io/zone': 'a', 'kubernetes.io/arch': 'amd64', 'internal.example/rack-password': 'x' },
    annotations: { secret: 'yes' },
  },
  status: { capacity: { cpu: '4' } },
}
const service: Service = {
  metadata: { name: 'db', namespace: 'shop' },
  spec: { clusterIP: '10.96.0.7', ports: [{ port: 5432, protocol: 'TCP' }] },
}
const slice: EndpointSlice = {
  metadata: { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
  addressType: 'IPv4',
  ports: [{ port: 5432, protocol: 'TCP' }],
  endpoints: [{ addresses: ['10.244.0.9'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'db-0' } }],
}
let allowed: readonly string[] = DEFAULT_NODE_FIELDS
const facts: Facts = {
  pod,
  podIps: ['10.244.0.2'],
  hostIps: ['10.244.0.1'],
  clusterDomain: 'cluster.local',
  node: () => visibleNode(node, allowed),
  services: () => [service],
  slices: () => [slice],
  owners: () => [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'r', object: { metadata: { labels: { tier: 'front' } } } },
    { apiVersion: 'example.com/v1', kind: 'Shop', name: 'all', uid: 's', object: undefined },
  ],
}

function ask(url: string): { status: number; body: string } {
  const { pathname, searchParams } = new URL(`http://metadata/${url}`)
  const { status, body } = answer(facts, parseQuery(pathname.slice(1), searchParams))
  return { status, body }
}
const text = (url: string) => {
  const { status, body } = ask(url)
  expect(`${url} ${status}`).toBe(`${url} 200`)
  return body
}

describe('the metadata tree', () => {
  it('lists directories, and sends who forgot the slash there', () => {
    expect(text('').split('\n')).toEqual([
      ...['instance/', 'project/', 'universe/', 'pod/', 'containers/', 'node/', 'owner/', 'services/', ''],
    ])
    expect(ask('pod')).toEqual({ status: 301, body: '' })
    expect(text('pod/labels/')).toBe('app\nskiff.dev%2Ftemplate\n')
    expect(text('containers/web/')).toBe('image\nports/\nresources/\n')
    expect(JSON.parse(text('pod/labels/?alt=json'))).toEqual(['app', 'skiff.dev%2Ftemplate'])
  })

  it('answers leaves as text, and as JSON when asked', () => {
    expect(text('pod/name')).toBe('web-1')
    expect(text('pod/ips')).toBe('10.244.0.2')
    expect(text('pod/labels/skiff.dev%2Ftemplate')).toBe('abc')
    expect(text('pod/labels/skiff.dev%2ftemplate?alt=json')).toBe('"abc"')
    expect(text('containers/web/ports/0/port')).toBe('80')
    expect(text('services/db/endpoints/0/pod-name')).toBe('db-0')
    expect(text('owner/kind')).toBe('ReplicaSet')
    expect(text('owner/owner/name')).toBe('all')
    expect(text('instance/zone')).toBe('projects/shop/zones/a')
    expect(text('project/project-id')).toBe('shop')
  })

  it('answers everything below a directory', () => {
    expect(JSON.parse(text('services/?recursive=true'))).toMatchObject({
      db: { clusterIp: '10.96.0.7', ports: [{ port: 5432 }], endpoints: [{ ip: '10.244.0.9', ready: true, podName: 'db-0' }] },
    })
    expect(text('owner/?recursive=true&alt=text')).toBe(
      'api-version apps/v1\nkind ReplicaSet\nname web\nuid r\nlabels/tier front\n' +
        'owner/api-version example.com/v1\nowner/kind Shop\nowner/name all\nowner/uid s\n',
    )
    expect(JSON.parse(text('?recursive=true')).instance).toMatchObject({
      attributes: { note: 'two\nlines' },
      serviceAccounts: { default: { email: 'robot@shop' } },
    })
  })

  it('shows of the node what is on the list, and nothing else', () => {
    const shown = text('node/?recursive=true')
    expect(JSON.parse(shown).labels).toEqual({ 'kubernetes.io/arch': 'amd64', 'topology.kubernetes.io/zone': 'a' })
    expect(shown).not.toMatch(/password|secret/)
    allowed = nodeFieldsOf({ metadata: {}, data: { allow: "# little\nstatus.capacity\nmetadata.labels['kubernetes.io/*']\n" } })
    expect(JSON.parse(text('node/?recursive=true'))).toEqual({
      ...{ labels: { 'kubernetes.io/arch': 'amd64' }, ips: ['10.244.0.1'], capacity: { cpu: '4' } },
    })
    expect(ask('instance/zone').status).toBe(404)
    allowed = DEFAULT_NODE_FIELDS
  })

  it('says how far a wrong path led, and what there is', () => {
    expect(ask('pod/lables/app')).toEqual({
      status: 404,
      body: expect.stringContaining('no lables in /pod; there is: name namespace'),
    })
    expect(ask('services/db/endpoints/7/ip')).toEqual({ status: 404, body: 'no 7 in /services/db/endpoints; there is: 0/\n' })
    expect(ask('toString')).toMatchObject({ status: 404 })
    expect(ask('pod/name/').status).toBe(404)
  })

  it('refuses parameters that it cannot follow', () => {
    expect(() => ask('pod/?recursiv=true')).toThrow('unknown parameter "recursiv"; there are recursive, alt, wait_for_change')
    expect(() => ask('pod/?recursive=yes')).toThrow('recursive is true or false, not "yes"')
    expect(() => ask('pod/?alt=xml')).toThrow('alt is json or text, not "xml"')
    expect(() => ask('pod/?timeout_sec=-1')).toThrow('timeout_sec is a number of seconds')
    expect(() => ask('pod/%zz')).toThrow('broken escape')
  })
})
