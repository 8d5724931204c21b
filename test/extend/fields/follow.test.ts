import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod } from '../../../src/api/types.ts'
import type { Client } from '../../../src/client/client.ts'
import { events, namespaces, nodes, pods, services } from '../../../src/client/resources.ts'
import type { Cluster } from '../../../src/cluster.ts'
import { changesOf } from '../../../src/extend/fields/changes.ts'
import { startTestCluster } from '../../../src/testing.ts'
import { until } from '../../controllers/until.ts'
import { file, podOf, refusalOf, variable } from './cluster.ts'

const IN = { namespace: 'default' }
let cluster: Cluster
let client: Client
const get = (name: string) => client.get(pods, name, IN)
const bound = async (name: string): Promise<Pod> => {
  await until(async () => expect((await get(name)).spec?.nodeName).toBeTruthy())
  return get(name)
}
const label = (labels: object) => client.patch(nodes, 'skiff', 'merge', { metadata: { labels } })
const service = (name: string) => ({ metadata: { name, ...IN }, spec: { ports: [{ port: 80 }] } })

beforeAll(async () => {
  cluster = await startTestCluster()
  client = cluster.client
}, 60_000)
afterAll(() => cluster.stop())

describe('a path without a value', () => {
  it('holds the pod back with a reason, until there is one', async () => {
    const env = { IP: 'service/late:spec.clusterIP', TIER: "pod:metadata.labels.tier ?? 'none'" }
    const created = await client.create(pods, podOf('waits', { env }))
    expect(created.spec?.schedulingGates).toEqual([{ name: 'skiff.dev/fields' }])
    await until(async () => {
      const condition = (await get('waits')).status?.conditions?.find(({ type }) => type === 'skiff.dev/FieldsResolved')
      expect(condition).toMatchObject({
        status: 'False',
        reason: 'NoValue',
        message: 'service/late:spec.clusterIP has no value: the Service late does not exist',
      })
      const told = await client.list(events, { ...IN, fieldSelector: 'involvedObject.name=waits' })
      expect(told.items.map(({ reason }) => reason)).toContain('FieldHasNoValue')
    })
    const ungated = client.patch(pods, 'waits', 'json', [{ op: 'remove', path: '/spec/schedulingGates' }], IN)
    expect((await refusalOf(ungated)).message).toMatch(
      /the scheduling gate skiff.dev\/fields stays until "service\/late:spec.clusterIP"/,
    )
    const { spec } = await client.create(services, service('late'))
    const pod = await bound('waits')
    expect(variable(pod, 'IP')).toBe(spec?.clusterIP)
    expect(variable(pod, 'TIER')).toBe('none')
    await until(async () => {
      const condition = (await get('waits')).status?.conditions?.find(({ type }) => type === 'skiff.dev/FieldsResolved')
      expect(condition?.status).toBe('True')
    })
  })

  it('may be a field of the pod itself', async () => {
    await client.create(pods, podOf('labelled', { env: { TIER: 'metadata.labels.tier|json' } }))
    expect((await get('labelled')).spec?.schedulingGates?.length).toBe(1)
    await client.patch(pods, 'labelled', 'merge', { metadata: { labels: { tier: 'front' } } }, IN)
    expect(variable(await bound('labelled'), 'TIER')).toBe('"front"')
  })
})

describe('a file', () => {
  it('follows the pod, its status, its node, its namespace and a Service; variables do not', async () => {
    await client.create(services, service('api'))
    await label({ 'topology.kubernetes.io/zone': 'a' })
    const zone = "node:metadata.labels['topology.kubernetes.io/zone']"
    const files = {
      zone,
      ip: 'status.podIP',
      team: 'namespace:metadata.labels.team ?? "none"',
      tier: 'pod:metadata.labels.tier ?? ""',
      port: 'service/api:spec.ports[*].port',
    }
    await client.create(pods, podOf('follows', { env: { ZONE: zone }, files }))
    await until(async () => expect(file(await get('follows'), 'ip')).toBe((await get('follows')).status?.podIP ?? 'none yet'))
    await label({ 'topology.kubernetes.io/zone': 'b' })
    await client.patch(pods, 'follows', 'merge', { metadata: { labels: { tier: 'back' } } }, IN)
    await client.patch(namespaces, 'default', 'merge', { metadata: { labels: { team: 'red' } } })
    await client.patch(services, 'api', 'json', [{ op: 'replace', path: '/spec/ports/0/port', value: 81 }], IN)
    await until(async () => {
      const pod = await get('follows')
      expect(['zone', 'team', 'tier', 'port'].map((path) => file(pod, path))).toEqual(['b', 'red', 'back', '81'])
    })
    expect(variable(await get('follows'), 'ZONE')).toBe('a')
    await client.delete(services, 'api', IN)
    await label({ 'topology.kubernetes.io/zone': 'c' })
    await until(async () => expect(file(await get('follows'), 'zone')).toBe('c'))
    expect(file(await get('follows'), 'port')).toBe('81')
  })
})

const nodeInfo = (kubeletVersion: string) => ({
  ...{ kubeletVersion, architecture: 'amd64', bootID: '', containerRuntimeVersion: '', kernelVersion: '', kubeProxyVersion: '' },
  ...{ machineID: '', operatingSystem: 'linux', osImage: '', systemUUID: '' },
})

describe('skiff.dev/on-change', () => {
  const zone = "node:metadata.labels['topology.kubernetes.io/region']"
  it('restarts a container with the new value, or has it signalled', async () => {
    await label({ 'topology.kubernetes.io/region': 'a' })
    const annotations = { 'skiff.dev/on-change.ZONE': 'restart' }
    await client.create(pods, podOf('restarts', { env: { ZONE: zone }, annotations }))
    await client.create(
      pods,
      podOf('hears', { env: { ZONE: zone }, annotations: { 'skiff.dev/on-change.ZONE': 'signal:SIGHUP' } }),
    )
    await bound('restarts')
    await bound('hears')
    await label({ 'topology.kubernetes.io/region': 'b' })
    await until(async () => {
      const pod = await get('restarts')
      expect(variable(pod, 'ZONE')).toBe('b')
      expect(pod.metadata.annotations?.['skiff.dev/restart.app']).toMatch(/^[0-9a-f]{12}$/)
      const other = await get('hears')
      expect(variable(other, 'ZONE')).toBe('a')
      expect(other.metadata.annotations?.['skiff.dev/signal.app']).toMatch(/^SIGHUP:[0-9a-f]{12}$/)
    })
    const told = async (name: string) =>
      (await client.list(events, { ...IN, fieldSelector: `involvedObject.name=${name}` })).items.map(({ message }) => message)
    await until(async () => {
      expect(await told('restarts')).toContain('ZONE has moved on: container app restarts with its new value')
      expect(await told('hears')).toContain('ZONE has moved on: container app gets SIGHUP')
    })
    const heard = (await get('hears')).metadata.annotations?.['skiff.dev/signal.app']
    await label({ 'topology.kubernetes.io/region': 'a' })
    await until(async () => {
      const now = (await get('hears')).metadata.annotations?.['skiff.dev/signal.app']
      expect(now).toMatch(/^SIGHUP:/)
      expect(now).not.toBe(heard)
    })
  })

  it('says so where the node is not one that acts', async () => {
    const labels = { 'topology.kubernetes.io/region': 'a' }
    await client.create(nodes, { metadata: { name: 'foreign', labels }, status: { nodeInfo: nodeInfo('v1.36.0') } })
    await client.updateStatus(nodes, { ...(await client.get(nodes, 'foreign')), status: { nodeInfo: nodeInfo('v1.36.0') } })
    const annotations = { 'skiff.dev/on-change.ZONE': 'restart' }
    await client.create(pods, podOf('abroad', { env: { ZONE: zone }, annotations, nodeName: 'foreign' }))
    await client.patch(nodes, 'foreign', 'merge', { metadata: { labels: { 'topology.kubernetes.io/region': 'b' } } })
    await until(async () => {
      const { items } = await client.list(events, { ...IN, fieldSelector: 'involvedObject.name=abroad' })
      const event = items.find(({ reason }) => reason === 'ChangeNotActedOn')
      expect(event?.message).toMatch(
        /container app restarts with its new value: node foreign has no agent of skiff, and does not/,
      )
    })
    expect(variable(await get('abroad'), 'ZONE')).toBe('b')
  })

  it('is refused where nothing could follow it', async () => {
    const wrong = (annotations: Record<string, string>) =>
      client.create(pods, podOf('wrong', { env: { ZONE: zone }, annotations }))
    expect((await refusalOf(wrong({ 'skiff.dev/on-change.ZONE': 'reload' }))).message).toMatch(
      /must be restart, ignore, or signal: and one of SIGHUP/,
    )
    expect((await refusalOf(wrong({ 'skiff.dev/on-change.ZONES': 'restart' }))).message).toMatch(
      /no container has a variable ZONES with a field path/,
    )
  })

  it('settles with several variables and signals', () => {
    const reference = (key: string) => ({ fieldRef: { fieldPath: `metadata.annotations['skiff.dev/field.${key}']` } })
    const env = ['A', 'B', 'C'].map((name) => ({ name, valueFrom: reference(name.toLowerCase()) }))
    const annotations: Record<string, string> = {
      ...{ 'skiff.dev/field.a': '1', 'skiff.dev/field.b': '1', 'skiff.dev/field.c': '1' },
      ...{ 'skiff.dev/on-change.A': 'signal:SIGHUP', 'skiff.dev/on-change.B': 'signal:SIGHUP' },
      'skiff.dev/on-change.C': 'signal:SIGUSR1',
    }
    const pod: Pod = { metadata: { annotations }, spec: { containers: [{ name: 'app', env }] } }
    const known = { 'skiff.dev/field.a': '1', 'skiff.dev/field.b': '2', 'skiff.dev/field.c': '1' }
    const first = changesOf(pod, { known })
    expect(first.annotations['skiff.dev/signal.app']).toMatch(/^SIGHUP:[0-9a-f]{12}$/)
    expect(first.notices.length).toBe(1)
    Object.assign(annotations, first.annotations)
    expect(changesOf(pod, { known }).annotations).toEqual({})
    const second = changesOf(pod, { known: { ...known, 'skiff.dev/field.c': '2' } })
    expect(second.annotations['skiff.dev/signal.app']).toMatch(/^SIGHUP:[0-9a-f]{12} SIGUSR1:[0-9a-f]{12}$/)
    const back = changesOf(pod, { known: { ...known, 'skiff.dev/field.b': '1' } })
    expect(back.annotations['skiff.dev/signal.app']).not.toBe(first.annotations['skiff.dev/signal.app'])
  })
})
