import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Deployment, Pod } from '../../../src/api/types.ts'
import type { Client } from '../../../src/client/client.ts'
import {
  configMaps,
  deployments,
  namespaces,
  nodes,
  pods,
  replicaSets,
  serviceAccounts,
  services,
} from '../../../src/client/resources.ts'
import type { Cluster } from '../../../src/cluster.ts'
import { startTestCluster } from '../../../src/testing.ts'
import { until } from '../../controllers/until.ts'
import { clientAs, file, grant, podOf, refusalOf, variable } from './cluster.ts'

const IN = { namespace: 'default' }
const ZONE = "node:metadata.labels['topology.kubernetes.io/zone']"
let cluster: Cluster
let client: Client
const get = (name: string) => client.get(pods, name, IN)
const bound = async (name: string): Promise<Pod> => {
  await until(async () => expect((await get(name)).spec?.nodeName).toBeTruthy())
  return get(name)
}
const service = (name: string) => ({ metadata: { name, ...IN }, spec: { ports: [{ port: 80 }] } })

beforeAll(async () => {
  cluster = await startTestCluster()
  client = cluster.client
  await client.patch(nodes, 'skiff', 'merge', { metadata: { labels: { 'topology.kubernetes.io/zone': 'b1' } } })
  await client.create(services, service('db'))
}, 60_000)
afterAll(() => cluster.stop())

describe('a pod', () => {
  it('has what is known of it as it is created, and the rest once it is bound', async () => {
    const env = {
      IMAGE: 'spec.containers[0].image',
      IP: 'service/db:spec.clusterIP',
      NS: 'namespace:metadata.name',
      ZONE,
      CPUS: 'host:cpus',
    }
    const files = { zone: ZONE, phase: 'status.phase ?? "none"', made: 'metadata.creationTimestamp' }
    const created = await client.create(pods, podOf('known', { env, files }))
    const { clusterIP } = (await client.get(services, 'db', IN)).spec!
    expect(variable(created, 'IMAGE')).toBe('app:v1')
    expect(variable(created, 'IP')).toBe(clusterIP)
    expect(variable(created, 'NS')).toBe('default')
    expect(variable(created, 'ZONE')).toBeUndefined()
    expect(file(created, 'phase')).toBe('none')
    const pod = await bound('known')
    expect(variable(pod, 'ZONE')).toBe('b1')
    expect(variable(pod, 'CPUS')).toMatch(/^\d+$/)
    expect(file(pod, 'zone')).toBe('b1')
    expect(file(pod, 'made')).toBe(pod.metadata.creationTimestamp)
    expect(pod.metadata.annotations?.['skiff.dev/field-sources']?.split('\n').length).toBe(8)
  })

  it('is refused with the place of what is wrong, all of it at once', async () => {
    const error = await refusalOf(
      client.create(pods, podOf('bad', { env: { A: 'spec.nodNam', B: 'secret/x:data', C: 'status.phase' } })),
    )
    expect(error.code).toBe(422)
    expect(error.status.details?.causes?.map(({ field }) => field)).toEqual(
      [0, 1, 2].map((i) => `spec.containers[0].env[${i}].valueFrom.fieldRef.fieldPath`),
    )
    expect(error.message).toContain('at character 6: PodSpec has no field "nodNam"; possible here: nodeName')
  })

  it('that names its node itself has everything at once, or is refused', async () => {
    const placed = await client.create(
      pods,
      podOf('placed', { env: { ZONE, NAME: 'pod:metadata.name ?? "x"' }, nodeName: 'skiff' }),
    )
    expect(variable(placed, 'ZONE')).toBe('b1')
    const error = await refusalOf(
      client.create(pods, podOf('never', { env: { T: 'metadata.labels.tier|json' }, nodeName: 'skiff' })),
    )
    expect(error.code).toBe(422)
    expect(error.message).toMatch(/metadata.labels.tier\|json has no value.*cannot wait for it/)
  })

  it('has no value but that of its source, whoever writes it', async () => {
    const created = await client.create(pods, podOf('forged', { env: { IMAGE: 'pod:spec.containers[0].image' } }))
    const name = Object.keys(created.metadata.annotations!).find((key) => key.startsWith('skiff.dev/field.'))!
    const stray = { [name]: 'evil', 'skiff.dev/field.stray-00000000': 'evil' }
    await client.delete(pods, 'forged', { ...IN, gracePeriodSeconds: 0 })
    const again = await client.create(
      pods,
      podOf('forged2', { env: { IMAGE: 'pod:spec.containers[0].image' }, annotations: stray }),
    )
    expect(again.metadata.annotations?.[name]).toBe('app:v1')
    expect(again.metadata.annotations?.['skiff.dev/field.stray-00000000']).toBeUndefined()
    const patch = (annotations: object, subresource?: string) =>
      client.patch(pods, 'forged2', 'merge', { metadata: { annotations } }, { ...IN, ...(subresource && { subresource }) })
    const error = await refusalOf(patch({ [name]: 'evil' }))
    expect(error.code).toBe(403)
    expect(error.message).toMatch(/holds what "pod:spec.containers\[0\].image" says, and is not written by hand/)
    await patch({ [name]: null, 'skiff.dev/field.stray-00000000': 'evil' })
    for (const subresource of ['status', 'ephemeralcontainers', 'resize']) {
      await patch({ [name]: 'evil', 'skiff.dev/field-sources': 'x y' }, subresource)
    }
    const { annotations } = (await get('forged2')).metadata
    expect(annotations?.[name]).toBe('app:v1')
    expect(annotations?.['skiff.dev/field.stray-00000000']).toBeUndefined()
    expect(annotations?.['skiff.dev/field-sources']).toContain('pod:spec.containers[0].image')
    const sources = await refusalOf(patch({ 'skiff.dev/field-sources': `${name.slice(16)} node:metadata.name` }))
    expect(sources.code).toBe(422)
  })

  it('is not started by a binding without the values, and says why', async () => {
    await client.create(pods, podOf('nowhere', { env: { RACK: "node:metadata.labels['topology.kubernetes.io/rack']" } }))
    await until(async () => {
      const condition = (await get('nowhere')).status?.conditions?.find(({ type }) => type === 'PodScheduled')
      expect(condition).toMatchObject({ status: 'False', reason: 'SchedulerError' })
      expect(condition?.message).toMatch(/binding rejected: .*cannot start on the node skiff: .*rack'\] has no value/)
    })
    await client.patch(nodes, 'skiff', 'merge', { metadata: { labels: { 'topology.kubernetes.io/rack': '7' } } })
    expect(variable(await bound('nowhere'), 'RACK')).toBe('7')
  })
})

describe('who may see what', () => {
  it('is asked of the API server, by the name of the creator', async () => {
    await grant(client, 'ann', ['pods', 'deployments'], ['create', 'get'])
    const ann = clientAs(cluster, 'ann')
    const error = await refusalOf(ann.create(pods, podOf('a1', { env: { ZONE } })))
    expect(error.code).toBe(403)
    expect(error.message).toMatch(/env\[0\].*"node:metadata.labels.*" needs the right to get nodes, which "ann" does not have/)
    const ip = { env: { IP: 'service/db:spec.clusterIP' } }
    expect((await refusalOf(ann.create(pods, podOf('a2', ip)))).message).toMatch(
      /needs the right to get services "db" in the namespace "default"/,
    )
    expect((await refusalOf(ann.create(pods, podOf('a3', { env: { T: 'namespace:metadata.labels.team' } })))).code).toBe(403)
    expect((await refusalOf(ann.create(deployments, deployment('a4', ip.env)))).code).toBe(403)
    await grant(client, 'ann', ['services', 'namespaces'], ['get'])
    await until(async () => void (await ann.create(pods, podOf('a2', ip))))
    await ann.create(pods, podOf('a5', { env: { CPUS: 'host:cpus', IMAGE: 'spec.containers[0].image' } }))
  })

  it('is asked of whoever gives the pod another owner', async () => {
    await grant(client, 'bob', ['pods'], ['create', 'get', 'patch', 'delete'])
    const bob = clientAs(cluster, 'bob')
    await bob.create(pods, podOf('orphan', { env: { O: 'owner:metadata.uid ?? "none"' }, files: { o: 'owner:spec ?? "none"' } }))
    const { metadata } = await client.create(deployments, deployment('hidden', {}))
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'hidden', uid: metadata.uid, controller: true }]
    const error = await refusalOf(bob.patch(pods, 'orphan', 'merge', { metadata: { ownerReferences } }, IN))
    expect(error.code).toBe(403)
    expect(error.message).toMatch(/metadata.ownerReferences: "owner:.*" needs the right to get deployments.apps/)
  })

  it('cannot be asked about a kind that nobody serves', async () => {
    const error = await refusalOf(client.create(pods, podOf('kind', { env: { O: 'owner/Deploiment:metadata.name ?? ""' } })))
    expect(error.code).toBe(422)
    expect(error.message).toMatch(/at character 7: there is no kind "Deploiment" on this server/)
  })

  it('is limited for nodes by a list that the administrator may change', async () => {
    const taints = podOf('taints', { env: { TAINTS: 'node:spec.taints|json ?? "[]"' } })
    const error = await refusalOf(client.create(pods, taints))
    expect(error.code).toBe(403)
    expect(error.message).toMatch(
      /"node:spec.taints.*" is not among the fields of a node that pods may see; allowed are metadata.name, .*kube-system\/skiff-node-fields/,
    )
    await client.create(configMaps, {
      metadata: { name: 'skiff-node-fields', namespace: 'kube-system' },
      data: { allow: "# what pods may see\nspec.taints\nmetadata.labels['topology.*']" },
    })
    await client.create(pods, taints)
    expect((await refusalOf(client.create(pods, podOf('n', { env: { N: 'node:metadata.name' } })))).code).toBe(403)
    await client.create(pods, podOf('z', { env: { ZONE } }))
    await client.delete(configMaps, 'skiff-node-fields', { namespace: 'kube-system' })
  })
})

describe('a controller of the cluster', () => {
  it('needs no right for what it copies from a template, and all for the rest', async () => {
    await client.create(deployments, deployment('copied', { ZONE }))
    const replicaSet = await eventually(async () => {
      const list = await client.list(replicaSets, { ...IN, labelSelector: 'app=copied' })
      return list.items[0]
    })
    const controller = clientAs(cluster, 'system:serviceaccount:kube-system:replicaset-controller')
    const { name = '', uid = '' } = replicaSet.metadata
    const owned = (pod: Pod): Pod => {
      const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true }
      return { ...pod, metadata: { ...pod.metadata, ownerReferences: [reference] } }
    }
    await controller.create(pods, owned(podOf('copy', { env: { ZONE } })))
    const error = await refusalOf(controller.create(pods, owned(podOf('more', { env: { N: 'node:metadata.name' } }))))
    expect(error.message).toMatch(/needs the right to get nodes, which "system:serviceaccount:kube-system:replicaset-controller"/)
    expect((await refusalOf(controller.create(pods, podOf('alone', { env: { ZONE } })))).code).toBe(403)
  })
})

/** What `find` answers, once it does. */
async function eventually<T>(find: () => Promise<T | undefined>): Promise<T> {
  let found: T | undefined
  await until(async () => {
    found = await find()
    expect(found).toBeDefined()
  })
  return found!
}

describe('without the extension', () => {
  it('the paths are refused in the words of Kubernetes', async () => {
    await using stock = await startTestCluster({ runtime: 'none', extensions: false })
    const error = await refusalOf(stock.client.create(pods, podOf('stock', { env: { ZONE } })))
    expect(error.code).toBe(422)
    expect(error.message).toMatch(/fieldPath: Invalid value: "node:metadata.labels.*": error converting fieldPath: field label/)
  }, 60_000)
})

describe('what is there already', () => {
  it('does not stand in the way of an update, whatever it is', async () => {
    const broken = podOf('broken', { env: { A: "metadata.annotations['skiff.dev/field.none-00000000']" } })
    expect((await refusalOf(client.create(pods, broken))).code).toBe(422)
    const directory = mkdtempSync(join(tmpdir(), 'skiff-fields-'))
    const made = { dataDirectory: directory, inMemory: false, runtime: 'none', controllers: false } as const
    try {
      const off = await startTestCluster({ ...made, extensions: false })
      await off.client.create(namespaces, { metadata: { name: 'old' } })
      const finalizers = ['example.com/hold']
      const annotations = { 'skiff.dev/on-change.A': 'nonsense', 'skiff.dev/field-sources': 'none-00000000 nonsense:' }
      const pod = { ...broken, metadata: { name: 'broken', namespace: 'old', finalizers, annotations } }
      await off.client.create(serviceAccounts, { metadata: { name: 'default', namespace: 'old' } })
      await off.client.create(pods, { ...pod, spec: { ...pod.spec!, automountServiceAccountToken: false } })
      await off.stop()
      await using on = await startTestCluster({ ...made, extensions: true })
      await on.client.patch(pods, 'broken', 'merge', { metadata: { finalizers: null } }, { namespace: 'old' })
      expect((await on.client.get(pods, 'broken', { namespace: 'old' })).metadata.finalizers).toBeUndefined()
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }, 60_000)
})

const deployment = (name: string, env: Record<string, string>): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podOf(name, { env }).spec! },
  },
})

describe('a workload', () => {
  it('has its template compiled once, and its pods filled in', async () => {
    const env = { ZONE, OWNER: 'owner:metadata.name', ROOT: 'owner/Deployment:metadata.name' }
    const created = await client.create(deployments, deployment('web', env))
    const again = await client.update(deployments, {
      ...deployment('web', env),
      metadata: { ...created.metadata },
    })
    expect(again.spec!.template).toEqual(created.spec!.template)
    expect(again.metadata.generation).toBe(1)
    const { annotations } = created.spec!.template.metadata!
    expect(Object.keys(annotations!)).toEqual(['skiff.dev/field-sources'])
    await until(async () => {
      const [pod] = (await client.list(pods, { ...IN, labelSelector: 'app=web' })).items
      expect(pod?.spec?.nodeName).toBe('skiff')
      expect(variable(pod!, 'ZONE')).toBe('b1')
      expect(variable(pod!, 'OWNER')).toBe(pod?.metadata.ownerReferences?.[0]?.name)
      expect(variable(pod!, 'ROOT')).toBe('web')
    })
  })

  it('is refused as it is written, with the place in its template', async () => {
    const error = await refusalOf(client.create(deployments, deployment('bad', { R: 'owner:spec.replica' })))
    expect(error.code).toBe(422)
    expect(error.message).toMatch(
      /spec.template.spec.containers\[0\].env\[0\].*at character 12: ReplicaSetSpec has no field "replica"/,
    )
  })

  it('stays the same however often server-side apply sends it', async () => {
    const body = deployment('applied', { ZONE })
    const apply = () => client.patch(deployments, 'applied', 'apply', body, { ...IN, fieldManager: 'test' })
    const first = await apply()
    const second = await apply()
    expect(second.spec).toEqual(first.spec)
    expect(second.metadata.generation).toBe(first.metadata.generation)
  })
})
