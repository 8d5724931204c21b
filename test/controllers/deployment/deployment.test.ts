import { expect, test } from 'vitest'
import type { Deployment, ReplicaSet } from '../../../src/api/types.ts'
import type { Client } from '../../../src/client/client.ts'
import { deployments, events, pods, replicaSets } from '../../../src/client/resources.ts'
import { startTestCluster } from '../cluster.ts'
import { until } from '../until.ts'

const namespace = 'default'
const REVISION = 'deployment.kubernetes.io/revision'

function deployment(name: string, replicas: number, spec: Partial<Deployment['spec']> = {}): Deployment {
  return {
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } },
      ...spec,
    },
  }
}

const setImage = (client: Client, name: string, image: string) =>
  client.patch(
    deployments,
    name,
    'strategic',
    {
      metadata: { annotations: { 'kubernetes.io/change-cause': image } },
      spec: { template: { spec: { containers: [{ name: 'c', image }] } } },
    },
    { namespace },
  )

/** What `kubectl rollout status` waits for. */
async function rolledOut(client: Client, name: string): Promise<Deployment> {
  let found: Deployment | undefined
  await until(async () => {
    found = await client.get(deployments, name, { namespace })
    const { status, spec, metadata } = found
    expect(status?.observedGeneration).toBe(metadata.generation)
    expect(status?.updatedReplicas ?? 0).toBe(spec?.replicas)
    expect(status?.replicas ?? 0).toBe(status?.updatedReplicas ?? 0)
    expect(status?.availableReplicas ?? 0).toBe(status?.updatedReplicas ?? 0)
    const progressing = status?.conditions?.find(({ type }) => type === 'Progressing')
    expect(progressing?.reason).toBe('NewReplicaSetAvailable')
  })
  return found as Deployment
}

async function setsOf(client: Client): Promise<Map<string, ReplicaSet>> {
  const { items } = await client.list(replicaSets, { namespace })
  return new Map(items.map((set) => [set.metadata.annotations?.[REVISION] ?? '', set]))
}

const sizes = (sets: Map<string, ReplicaSet>) =>
  Object.fromEntries([...sets].map(([revision, { spec }]) => [revision, spec?.replicas]))

test('rolls out, rolls on, and goes back as kubectl does it', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(deployments, deployment('web', 10))
  const first = await rolledOut(client, 'web')
  expect(first.metadata.annotations?.[REVISION]).toBe('1')
  expect(first.status?.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual([
    'Available True MinimumReplicasAvailable',
    'Progressing True NewReplicaSetAvailable',
  ])

  await setImage(client, 'web', 'web:v2')
  await rolledOut(client, 'web')
  await until(async () => expect(sizes(await setsOf(client))).toEqual({ 1: 0, 2: 10 }))
  const second = (await setsOf(client)).get('2')
  expect(second?.metadata.annotations?.['kubernetes.io/change-cause']).toBe('web:v2')

  // kubectl rollout undo: the template of the old set, without its hash, and the set's annotations.
  const old = (await setsOf(client)).get('1')
  const template = structuredClone(old?.spec?.template ?? {})
  delete template.metadata?.labels?.['pod-template-hash']
  await client.patch(deployments, 'web', 'json', [{ op: 'replace', path: '/spec/template', value: template }], { namespace })
  const back = await rolledOut(client, 'web')
  await until(async () => expect(sizes(await setsOf(client))).toEqual({ 2: 0, 3: 10 }))
  const third = (await setsOf(client)).get('3')
  expect(third?.metadata.uid).toBe(old?.metadata.uid)
  expect(third?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1')
  await until(async () =>
    expect((await client.get(deployments, 'web', { namespace })).metadata.annotations?.[REVISION]).toBe('3'),
  )
  expect(back.status?.updatedReplicas).toBe(10)
  await until(async () => {
    const { items } = await client.list(events, { namespace })
    const messages = items.filter(({ reason }) => reason === 'ScalingReplicaSet').map(({ message }) => message)
    expect(messages).toContain(`Scaled up replica set ${old?.metadata.name} from 0 to 10`)
    expect(items.find(({ reason }) => reason === 'ScalingReplicaSet')?.source?.component).toBe('deployment-controller')
  })
})

test('never has fewer available pods than allowed while it rolls', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  await client.create(deployments, deployment('web', 4, { strategy }))
  await rolledOut(client, 'web')
  let fewest = Number.POSITIVE_INFINITY
  let most = 0
  const count = () => {
    const live = cluster.informers
      .get(pods)
      .store.list(namespace)
      .filter(({ metadata }) => !metadata.deletionTimestamp)
    const ready = live.filter(({ status }) =>
      status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
    fewest = Math.min(fewest, ready.length)
    most = Math.max(most, live.length)
  }
  const stop = cluster.informers.get(pods).subscribe(count)
  fewest = Number.POSITIVE_INFINITY
  await setImage(client, 'web', 'web:v2')
  await rolledOut(client, 'web')
  stop()
  expect(fewest).toBeGreaterThanOrEqual(4)
  expect(most).toBeLessThanOrEqual(5)
})

test('stops at an image that never becomes ready, says so at the deadline, and recovers', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(deployments, deployment('web', 4, { progressDeadlineSeconds: 2 }))
  await rolledOut(client, 'web')
  cluster.setReady((image) => image !== 'web:broken')
  await setImage(client, 'web', 'web:broken')
  await until(async () => {
    const { status } = await client.get(deployments, 'web', { namespace })
    const progressing = status?.conditions?.find(({ type }) => type === 'Progressing')
    expect(progressing).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' })
    expect(progressing?.message).toMatch(/^ReplicaSet "web-.*" has timed out progressing\.$/)
    expect(status?.availableReplicas).toBe(3)
  })
  await setImage(client, 'web', 'web:v1')
  await rolledOut(client, 'web')
})

test('is scaled in proportion, paused, and resumed', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(deployments, deployment('web', 10))
  await rolledOut(client, 'web')
  cluster.setReady((image) => image === 'web:v1')
  await setImage(client, 'web', 'web:v2')
  await until(async () => expect(sizes(await setsOf(client))).toEqual({ 1: 8, 2: 5 }))
  await client.patch(deployments, 'web', 'merge', { spec: { replicas: 20 } }, { namespace })
  await until(async () => expect(sizes(await setsOf(client))).toEqual({ 1: 15, 2: 10 }))

  await client.patch(deployments, 'web', 'merge', { spec: { paused: true } }, { namespace })
  await setImage(client, 'web', 'web:v3')
  await until(async () => {
    const { status, metadata } = await client.get(deployments, 'web', { namespace })
    expect(status?.observedGeneration).toBe(metadata.generation)
    expect(status?.conditions?.find(({ type }) => type === 'Progressing')?.reason).toBe('DeploymentPaused')
  })
  expect((await setsOf(client)).size).toBe(2)
  cluster.setReady(() => true)
  await client.patch(deployments, 'web', 'merge', { spec: { paused: null } }, { namespace })
  await rolledOut(client, 'web')
  await until(async () => expect(sizes(await setsOf(client))).toEqual({ 1: 0, 2: 0, 3: 20 }))
})

test('Recreate runs nothing old beside the new, and history is kept to its limit', async () => {
  await using cluster = await startTestCluster()
  const { client } = cluster
  await client.create(deployments, deployment('web', 3, { strategy: { type: 'Recreate' }, revisionHistoryLimit: 1 }))
  await rolledOut(client, 'web')
  let mixed = false
  cluster.informers.get(pods).subscribe(() => {
    const images = cluster.informers
      .get(pods)
      .store.list(namespace)
      .map(({ spec }) => spec?.containers[0]?.image)
    if (new Set(images).size > 1) mixed = true
  })
  for (const image of ['web:v2', 'web:v3', 'web:v4']) {
    await setImage(client, 'web', image)
    await rolledOut(client, 'web')
  }
  expect(mixed).toBe(false)
  await until(async () => expect(sizes(await setsOf(client))).toEqual({ 3: 0, 4: 3 }))
})
