import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { createCluster, type TestCluster } from './cluster.ts'

const SERVICES = '/api/v1/namespaces/ns/services'
let cluster: TestCluster
beforeEach(async () => {
  cluster = await createCluster({ serviceCidr: '10.96.0.0/16' })
})
afterEach(() => cluster.close())

const service = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { selector: { app: 'a' }, ports: [{ port: 80 }], ...spec },
})
const create = async (name: string, spec: object = {}) => (await cluster.post(SERVICES, service(name, spec))).object
const put = async (object: KubeObject) => (await cluster.call('PUT', `${SERVICES}/${object.metadata.name}`, object)).object

describe('cluster addresses', () => {
  it('are given out of the upper part of the range, one to each', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, (_, i) => create(`s${i}`)))
    const addresses = made.map((s) => s.spec.clusterIP)
    expect(new Set(addresses).size).toBe(50)
    for (const s of made) {
      expect(s.spec.clusterIPs).toEqual([s.spec.clusterIP])
      const [, , c, d] = s.spec.clusterIP.split('.').map(Number)
      expect(c * 256 + d).toBeGreaterThan(256)
      expect(s.spec).toMatchObject({ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
    }
  })

  it('asked for by name are had once, and free again when the Service is gone', async () => {
    expect((await create('a', { clusterIP: '10.96.7.7' })).spec.clusterIPs).toEqual(['10.96.7.7'])
    const again = await create('b', { clusterIP: '10.96.7.7' })
    expect(again).toMatchObject({
      code: 422,
      message:
        'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.7.7"]: failed to allocate IP 10.96.7.7: provided IP is already allocated',
    })
    expect((await create('k', { clusterIP: '10.96.0.1' })).message).toContain('already allocated')
    for (const outside of ['1.2.3.4', '10.96.0.0', '10.96.255.255', '10.97.0.1']) {
      expect((await create('c', { clusterIP: outside })).message).toBe(
        `Service "c" is invalid: spec.clusterIPs: Invalid value: ["${outside}"]: failed to allocate IP ${outside}: the provided network does not match the current range`,
      )
    }
    await cluster.call('DELETE', `${SERVICES}/a`)
    expect((await create('b', { clusterIP: '10.96.7.7' })).spec.clusterIP).toBe('10.96.7.7')
  })

  it('are not spent by what is not written', async () => {
    const dry = await cluster.post(`${SERVICES}?dryRun=All`, service('a', { clusterIP: '10.96.7.7' }))
    expect(dry.object.spec.clusterIP).toBe('10.96.7.7')
    await create('taken')
    expect((await create('taken', { clusterIP: '10.96.7.7' })).code).toBe(409)
    expect((await create('b', { clusterIP: '10.96.7.7' })).spec?.clusterIP).toBe('10.96.7.7')
  })

  it('are known after a restart', async () => {
    const { clusterIP } = (await create('a')).spec
    const { admissionPlugins } = await import('../../../src/server/admission/plugins.ts')
    const { systemClock } = await import('../../../src/base/clock.ts')
    const { random } = await import('../auth/objects.ts')
    const { store, reader } = cluster
    const signal = AbortSignal.timeout(1000)
    const later = admissionPlugins({
      store,
      reader,
      clock: systemClock,
      random,
      signal,
      asks: () => true,
      definitionOf: () => undefined,
    })
    const allocation = later.find((plugin) => plugin.name === 'ServiceAllocation')!
    const object = { ...service('b', { type: 'ClusterIP', clusterIP }), metadata: { name: 'b', namespace: 'ns' } }
    const definition = { group: '', kind: 'Service', plural: 'services' }
    const request = { object, definition, operation: 'CREATE', dryRun: false } as unknown as Parameters<
      NonNullable<typeof allocation.validate>
    >[0]
    expect(() => allocation.validate?.(request)).toThrow('provided IP is already allocated')
  })

  it('are none for headless and external Services', async () => {
    expect((await create('h', { clusterIP: 'None' })).spec).toMatchObject({
      clusterIP: 'None',
      clusterIPs: ['None'],
      ipFamilies: ['IPv4'],
    })
    const free = await create('f', { clusterIP: 'None', selector: null })
    expect(free.spec).toMatchObject({ ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] })
    const external = await create('e', { type: 'ExternalName', externalName: 'a.example.com', ports: null, selector: null })
    expect(external.spec.type).toBe('ExternalName')
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) expect(external.spec[field]).toBeUndefined()
  })

  it('are of IPv4 only', async () => {
    expect((await create('a', { ipFamilies: ['IPv6'] })).message).toBe(
      'Service "a" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    )
    expect((await create('a', { ipFamilyPolicy: 'RequireDualStack' })).message).toContain('not configured for dual-stack')
    expect((await create('a', { ipFamilyPolicy: 'PreferDualStack' })).spec.ipFamilies).toEqual(['IPv4'])
  })
})

describe('node ports', () => {
  it('are given to each port, and one number to both protocols of a port', async () => {
    const { spec } = await create('np', {
      type: 'NodePort',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        { name: 'web', port: 80 },
      ],
    })
    const [udp, tcp, web] = spec.ports.map((p: { nodePort: number }) => p.nodePort)
    expect(udp).toBe(tcp)
    expect(web).not.toBe(tcp)
    expect(udp).toBeGreaterThanOrEqual(30000)
  })

  it('are refused when taken or out of range', async () => {
    const fixed = (nodePort: number) => ({ type: 'NodePort', ports: [{ port: 80, nodePort }] })
    await create('a', fixed(30001))
    expect((await create('b', fixed(30001))).message).toBe(
      'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated',
    )
    expect((await create('b', fixed(80))).message).toBe(
      'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    )
  })

  it('of a dry run are no ports at all', async () => {
    const ports = [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ]
    const { object } = await cluster.post(`${SERVICES}?dryRun=All`, service('d', { type: 'NodePort', ports }))
    expect(object.spec.ports.map((p: { nodePort: number }) => p.nodePort)).toEqual([32769, 32770])
  })

  it('of a load balancer come with a health port when traffic stays local, or not at all', async () => {
    const local = await create('lb', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' })
    expect(local.spec.healthCheckNodePort).toBeGreaterThanOrEqual(30000)
    expect(local.spec.allocateLoadBalancerNodePorts).toBe(true)
    const none = await create('no', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false })
    expect(none.spec.ports[0].nodePort).toBeUndefined()
  })
})

describe('an update', () => {
  it('keeps what was given out, and drops it with the type', async () => {
    const made = await create('np', { type: 'NodePort' })
    const { clusterIP, ports } = made.spec
    const bare = await put({ ...service('np', { type: 'NodePort' }), metadata: made.metadata })
    expect(bare.spec).toMatchObject({ clusterIP, clusterIPs: [clusterIP], ports: [{ nodePort: ports[0].nodePort }] })
    const inner = await put({ ...bare, spec: { ...bare.spec, type: 'ClusterIP' } })
    expect(inner.spec.ports[0].nodePort).toBeUndefined()
    expect(inner.spec.clusterIP).toBe(clusterIP)
    expect((await create('other', { type: 'NodePort', ports: [{ port: 1, nodePort: ports[0].nodePort }] })).spec).toBeDefined()
    const outer = await put({ ...inner, spec: { ...inner.spec, type: 'ExternalName', externalName: 'x.example' } })
    expect(outer.spec.clusterIP).toBeUndefined()
    expect((await create('reuse', { clusterIP })).spec.clusterIP).toBe(clusterIP)
    const back = await put({ ...outer, spec: { type: 'ClusterIP', ports: [{ port: 1 }] } })
    expect(back.spec.clusterIP).toMatch(/^10\.96\./)
  })
})
