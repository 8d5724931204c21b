/** Image pinning against a whole cluster of simulated nodes and a real registry. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StatusError } from '../../src/api/status.ts'
import type { Deployment, Pod, Secret } from '../../src/api/types.ts'
import type { Client } from '../../src/client/client.ts'
import { deployments, namespaces, nodes, pods, secrets, serviceAccounts } from '../../src/client/resources.ts'
import type { Cluster } from '../../src/cluster.ts'
import { startTestCluster } from '../../src/testing.ts'
import { until } from '../controllers/until.ts'
import { startFront } from '../registry/front.ts'
import { hasRegistry, type RealRegistry, startRegistry, USER } from '../registry/real-registry.ts'

const DIGEST = `sha256:${'d'.repeat(64)}`

let cluster: Cluster
let client: Client
beforeAll(async () => {
  cluster = await startTestCluster()
  client = cluster.client
})
afterAll(() => cluster.stop())

async function namespaceWith(name: string, mode: string): Promise<string> {
  await client.create(namespaces, {
    ...{ apiVersion: 'v1', kind: 'Namespace' },
    metadata: { name, labels: { 'skiff.dev/pin-images': mode } },
  })
  await until(async () => void (await client.get(serviceAccounts, 'default', { namespace: name })))
  return name
}

const deployment = (namespace: string, image: string): Deployment => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
  },
})
const pod = (namespace: string, name: string, image: string): Pod => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } },
  spec: { containers: [{ name: 'c', image }], initContainers: [{ name: 'i', image }] },
})
const imageOf = ({ spec }: Deployment) => spec?.template.spec?.containers[0]?.image
const refusalOf = async (work: Promise<unknown>): Promise<StatusError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof StatusError)) throw new Error('it was not refused', { cause: error })
  return error
}

describe.skipIf(!hasRegistry)('with a registry (needs docker-registry)', () => {
  let registry: RealRegistry
  beforeAll(async () => {
    registry = await startRegistry({ isPrivate: true })
  })
  afterAll(() => registry[Symbol.asyncDispose]())

  it('pins pods and templates, with the secrets of the pod or of its account', async () => {
    const namespace = await namespaceWith('pinned', 'require')
    const digest = await registry.push('web', 'v1')
    const image = `${registry.host}/web:v1`
    const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64')
    const secret: Secret = {
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/dockerconfigjson', metadata: { name: 'pull', namespace } },
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { [registry.host]: { auth } } })).toString('base64') },
    }
    await client.create(secrets, secret)
    const refused = await refusalOf(client.create(pods, pod(namespace, 'no-secret', image)))
    expect(refused.code).toBe(422)
    expect(refused.status.details?.causes).toMatchObject([
      {
        field: 'spec.initContainers[0].image',
        reason: 'FieldValueInvalid',
        message: expect.stringContaining('authentication required'),
      },
      { field: 'spec.containers[0].image' },
    ])

    const withSecret = pod(namespace, 'with-secret', image)
    withSecret.spec!.imagePullSecrets = [{ name: 'pull' }]
    const created = await client.create(pods, withSecret)
    expect(created.spec?.containers[0]?.image).toBe(`${image}@${digest}`)
    expect(created.spec?.initContainers?.[0]?.image).toBe(`${image}@${digest}`)

    await client.patch(serviceAccounts, 'default', 'merge', { imagePullSecrets: [{ name: 'pull' }] }, { namespace })
    expect(imageOf(await client.create(deployments, deployment(namespace, image)))).toBe(`${image}@${digest}`)
    await until(async () => {
      const made = (await client.list(pods, { namespace, labelSelector: 'app=web' })).items
      expect(made.map(({ spec }) => spec?.containers[0]?.image)).toEqual([`${image}@${digest}`])
    })
  })

  it('leaves a digest where the tag stays, and finds a new one where it changes', async () => {
    await using open = await startRegistry()
    const namespace = await namespaceWith('moving', 'require')
    const image = `${open.host}/web:v1`
    const first = await open.push('web', 'v1', 'one')
    await client.create(deployments, deployment(namespace, image))
    await open.push('web', 'v1', 'two')
    const again = await client.patch(deployments, 'web', 'apply', deployment(namespace, image), {
      ...{ namespace, fieldManager: 'test', force: true },
    })
    expect(imageOf(again)).toBe(`${image}@${first}`)
    const second = await open.push('web', 'v2')
    const moved = { spec: { template: { spec: { containers: [{ name: 'c', image: `${open.host}/web:v2` }] } } } }
    expect(imageOf(await client.patch(deployments, 'web', 'strategic', moved, { namespace }))).toBe(
      `${open.host}/web:v2@${second}`,
    )
  })

  it('under warn lets through what cannot be pinned, and says why', async () => {
    const namespace = await namespaceWith('warned', 'warn')
    const answer = await client.transport.request({
      ...{ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods` },
      body: pod(namespace, 'p', `${registry.host}/none:v1`),
    })
    expect(answer.warnings).toEqual([
      expect.stringMatching(/^spec\.initContainers\[0\]\.image: Invalid value: .*cannot be pinned to a digest: .*401/),
      expect.stringMatching(/^spec\.containers\[0\]\.image/),
    ])
  })
})

it('pins to what lies on the nodes, and refuses what they disagree on', async () => {
  const namespace = await namespaceWith('local', 'require')
  const images = [{ names: [`docker.io/library/web@${DIGEST}`, 'docker.io/library/web:v1'], sizeBytes: 1 }]
  await client.patch(nodes, 'skiff', 'merge', { status: { images } }, { subresource: 'status' })
  await until(async () => {
    expect(imageOf(await client.create(deployments, deployment(namespace, 'web:v1'), { dryRun: true }))).toBe(`web:v1@${DIGEST}`)
  })
})

it('does not wait for a registry that does not answer, and then leaves it alone for a while', async () => {
  const namespace = await namespaceWith('slow', 'require')
  await using front = await startFront({ intercept: () => true })
  const refused = await refusalOf(client.create(deployments, deployment(namespace, `${front.host}/web:v1`)))
  expect(refused.message).toContain(`${front.host} did not answer within 5 s`)
  const asked = front.requests.length
  await refusalOf(client.create(deployments, deployment(namespace, `${front.host}/other:v1`)))
  expect(front.requests.length).toBe(asked)
})

it('touches nothing where nobody asked for it, and refuses a mode that is none', async () => {
  const plain = await client.create(deployments, deployment('default', 'web:v1'), { dryRun: true })
  expect(imageOf(plain)).toBe('web:v1')
  const refused = await refusalOf(namespaceWith('odd', 'yes'))
  expect(refused.status.details?.causes).toMatchObject([{ field: 'metadata.labels[skiff.dev/pin-images]' }])
  expect(refused.message).toContain('supported values: "require", "warn", "off"')
})

it('leaves the template of a controller to its owner when the label comes later', async () => {
  const name = 'later'
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  await until(async () => void (await client.get(serviceAccounts, 'default', { namespace: name })))
  const images = [{ names: [`docker.io/library/app@${DIGEST}`, 'docker.io/library/app:v1'], sizeBytes: 1 }]
  await client.patch(nodes, 'skiff', 'merge', { status: { images } }, { subresource: 'status' })
  await client.create(deployments, deployment(name, 'app:v1'))
  await until(async () => expect((await client.get(deployments, 'web', { namespace: name })).status?.availableReplicas).toBe(1))
  await client.patch(namespaces, name, 'merge', { metadata: { labels: { 'skiff.dev/pin-images': 'require' } } })
  await client.patch(deployments, 'web', 'merge', { spec: { replicas: 3 } }, { namespace: name })
  await until(async () => {
    const { metadata, status } = await client.get(deployments, 'web', { namespace: name })
    expect(metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
    expect(status?.availableReplicas).toBe(3)
  })
  const made = (await client.list(pods, { namespace: name })).items.map(({ spec }) => spec?.containers[0]?.image).sort()
  expect(made).toEqual(['app:v1', `app:v1@${DIGEST}`, `app:v1@${DIGEST}`])
})
