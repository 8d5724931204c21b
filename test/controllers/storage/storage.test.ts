/** Claims, volumes and pods on a whole cluster of simulated nodes: binding, waiting, provisioning, protection and reclaiming. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../src/api/types.ts'
import type { Client } from '../../../src/client/client.ts'
import { events, nodes, persistentVolumeClaims, persistentVolumes, pods, storageClasses } from '../../../src/client/resources.ts'
import { type Cluster, startCluster } from '../../../src/cluster.ts'
import { until } from '../until.ts'

const namespace = 'default'
const PATIENCE_MS = 60_000
let cluster: Cluster
let client: Client

beforeAll(async () => {
  cluster = await startCluster({ runtime: 'simulated', nodes: 2 })
  client = cluster.client
}, PATIENCE_MS)
afterAll(() => cluster.stop())

const GIBIBYTE = { requests: { storage: '1Gi' } }
const claimOf = (name: string, spec: object = {}) =>
  client.create(
    persistentVolumeClaims,
    { metadata: { name, namespace }, spec: { accessModes: ['ReadWriteOnce'], resources: GIBIBYTE, ...spec } },
    { namespace },
  )
const volumeOf = (name: string, spec: object = {}) =>
  client.create(persistentVolumes, {
    metadata: { name },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: `/nowhere/${name}` }, ...spec },
  })
const podOf = (name: string, volumes: object[]) =>
  client.create(pods, { metadata: { name, namespace }, spec: { containers: [{ name: 'c', image: 'web:v1' }], volumes } } as Pod, {
    namespace,
  })
const using = (claimName: string) => ({ name: 'data', persistentVolumeClaim: { claimName } })
const claim = (name: string) => client.get(persistentVolumeClaims, name, { namespace })
const volume = (name: string) => client.get(persistentVolumes, name)

async function untilClaim(name: string, phase: string): Promise<PersistentVolumeClaim> {
  return until(async () => {
    const found = await claim(name)
    expect(found.status?.phase).toBe(phase)
    return found
  }, PATIENCE_MS)
}

async function untilVolume(name: string, phase: string): Promise<PersistentVolume> {
  return until(async () => {
    const found = await volume(name)
    expect(found.status?.phase).toBe(phase)
    return found
  }, PATIENCE_MS)
}

async function untilRuns(name: string): Promise<Pod> {
  return until(async () => {
    const pod = await client.get(pods, name, { namespace })
    expect(pod.status?.phase).toBe('Running')
    return pod
  }, PATIENCE_MS)
}

const untilScheduledSays = (name: string, message: string) =>
  until(async () => {
    const { status } = await client.get(pods, name, { namespace })
    expect(status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message).toContain(message)
  }, PATIENCE_MS)

const untilEvent = (name: string, reason: string) =>
  until(async () => {
    const { items } = await client.list(events, { namespace, fieldSelector: `involvedObject.name=${name}` })
    expect(items.map((event) => event.reason)).toContain(reason)
  }, PATIENCE_MS)

const gone = (get: () => Promise<unknown>) => until(() => expect(get()).rejects.toThrow('not found'), PATIENCE_MS)

describe('volumes that are there', { timeout: PATIENCE_MS * 3 }, () => {
  it('bind at once, are protected while a pod uses them, and stay behind when they are to be retained', async () => {
    await claimOf('static', { storageClassName: '' })
    await untilEvent('static', 'FailedBinding')
    await volumeOf('large', { capacity: { storage: '5Gi' } })
    await volumeOf('exact')
    const bound = await untilClaim('static', 'Bound')
    expect(['large', 'exact']).toContain(bound.spec?.volumeName)
    expect(bound.status).toMatchObject({
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: expect.stringMatching(/^[15]Gi$/) },
    })
    const name = bound.spec?.volumeName ?? ''
    expect((await untilVolume(name, 'Bound')).spec?.claimRef).toMatchObject({ name: 'static', uid: bound.metadata.uid })
    await podOf('static', [using('static')])
    await untilRuns('static')
    await client.delete(persistentVolumeClaims, 'static', { namespace })
    expect((await claim('static')).metadata.deletionTimestamp).toBeDefined()
    await client.delete(pods, 'static', { namespace })
    await gone(() => claim('static'))
    await untilVolume(name, 'Released')
    for (const one of ['large', 'exact']) await client.delete(persistentVolumes, one)
    for (const one of ['large', 'exact']) await gone(() => volume(one))
  })

  it('cannot be deleted by who does not know how, and a claim without its volume is lost', async () => {
    await volumeOf('doomed', { persistentVolumeReclaimPolicy: 'Delete', claimRef: { namespace, name: 'doomed' } })
    await untilVolume('doomed', 'Available')
    await claimOf('doomed', { storageClassName: '', volumeName: 'doomed' })
    await untilClaim('doomed', 'Bound')
    await client.delete(persistentVolumeClaims, 'doomed', { namespace })
    expect((await untilVolume('doomed', 'Failed')).status?.message).toContain('no volume plugin matched')

    await volumeOf('lost')
    await claimOf('lost', { storageClassName: '', volumeName: 'lost' })
    await untilClaim('lost', 'Bound')
    await client.patch(persistentVolumes, 'lost', 'merge', { metadata: { finalizers: null } })
    await client.delete(persistentVolumes, 'lost')
    expect((await untilClaim('lost', 'Lost')).status?.capacity).toBeUndefined()
    await untilEvent('lost', 'ClaimLost')
  })

  it('lead the pod to their node, when its claim waited for it', async () => {
    const [, second] = (await client.list(nodes)).items
    await client.create(storageClasses, {
      metadata: { name: 'by-hand' },
      ...{ provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' },
    })
    await claimOf('local', { storageClassName: 'by-hand' })
    await untilEvent('local', 'WaitForFirstConsumer')
    await podOf('local', [using('local')])
    await untilScheduledSays('local', "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.")
    const values = [second?.metadata.labels?.['kubernetes.io/hostname'] ?? '']
    const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values }]
    await volumeOf('local', {
      storageClassName: 'by-hand',
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
    })
    expect((await untilRuns('local')).spec?.nodeName).toBe(second?.metadata.name)
    expect((await untilClaim('local', 'Bound')).spec?.volumeName).toBe('local')
    await client.create(pods, {
      metadata: { name: 'elsewhere', namespace },
      spec: {
        containers: [{ name: 'c', image: 'web:v1' }],
        volumes: [using('local')],
        nodeSelector: { 'kubernetes.io/hostname': 'nowhere' },
      },
    } as Pod)
    await untilScheduledSays('elsewhere', "2 node(s) didn't match Pod's node affinity/selector")
  })
})

describe('the class standard', { timeout: PATIENCE_MS * 3 }, () => {
  it('is the default, and makes a volume where the pod goes, which goes with the claim', async () => {
    const made = await claimOf('made')
    expect(made.spec?.storageClassName).toBe('standard')
    await untilEvent('made', 'WaitForFirstConsumer')
    await podOf('made', [using('made')])
    await untilRuns('made')
    const bound = await untilClaim('made', 'Bound')
    const name = `pvc-${bound.metadata.uid}`
    expect(bound.spec?.volumeName).toBe(name)
    expect((await volume(name)).spec).toMatchObject({ persistentVolumeReclaimPolicy: 'Delete', capacity: { storage: '1Gi' } })
    await untilEvent('made', 'ProvisioningSucceeded')
    await client.delete(pods, 'made', { namespace })
    await client.delete(persistentVolumeClaims, 'made', { namespace })
    await gone(() => claim('made'))
    await gone(() => volume(name))
  })

  it('serves volumes that belong to a pod, and says what it cannot make', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: GIBIBYTE }
    await podOf('scratch', [{ name: 'tmp', ephemeral: { volumeClaimTemplate: { spec } } }])
    const pod = await untilRuns('scratch')
    expect((await claim('scratch-tmp')).metadata.ownerReferences).toMatchObject([{ uid: pod.metadata.uid, controller: true }])
    await client.delete(pods, 'scratch', { namespace })
    await gone(() => claim('scratch-tmp'))

    await claimOf('block', { volumeMode: 'Block' })
    await podOf('block', [using('block')])
    await untilEvent('block', 'ProvisioningFailed')
  })

  it('says of a pod what its claims lack', async () => {
    await podOf('early', [using('late')])
    await untilScheduledSays('early', '0/2 nodes are available: persistentvolumeclaim "late" not found.')
    await claimOf('late', { storageClassName: 'none-such' })
    await untilScheduledSays('early', 'pod has unbound immediate PersistentVolumeClaims')
    await volumeOf('late', { storageClassName: 'none-such' })
    await untilRuns('early')
  })
})

it('an API server that is alone has no class', async () => {
  await using alone = await startCluster({ runtime: 'none', controllers: false })
  expect((await alone.client.list(storageClasses)).items).toEqual([])
})
