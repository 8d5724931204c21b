/** Pods whose images come from a real registry: with a password, and with content that is not what it should be. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ContainerStatus, Pod, Secret } from '../../src/api/types.ts'
import { pods, secrets } from '../../src/client/resources.ts'
import { type Cluster, startCluster } from '../../src/cluster.ts'
import { until } from '../controllers/until.ts'
import { startFront } from '../registry/front.ts'
import { hasRegistry, type RealRegistry, startRegistry, USER } from '../registry/real-registry.ts'

const PATIENCE_MS = 60_000
const namespace = 'default'

describe.skipIf(!hasRegistry)('images of a private registry (needs docker-registry)', () => {
  let cluster: Cluster
  let registry: RealRegistry
  beforeAll(async () => {
    ;[cluster, registry] = await Promise.all([startCluster({ runtime: 'local' }), startRegistry({ isPrivate: true })])
  })
  afterAll(async () => {
    await cluster.stop()
    await registry[Symbol.asyncDispose]()
  })

  const create = (name: string, image: string, imagePullSecrets: Secret['metadata'][] = []) =>
    cluster.client.create(pods, {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } },
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'c', image }],
        imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret.name! })),
      },
    } as Pod)
  const statusOf = async (name: string): Promise<ContainerStatus | undefined> =>
    (await cluster.client.get(pods, name, { namespace })).status?.containerStatuses?.[0]

  async function pullSecret(name: string, type: string, content: unknown): Promise<Secret['metadata']> {
    const data = { [`.${type.slice('kubernetes.io/'.length)}`]: Buffer.from(JSON.stringify(content)).toString('base64') }
    return (await cluster.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', type, metadata: { name, namespace }, data }))
      .metadata
  }

  it.each([
    ['kubernetes.io/dockerconfigjson', 'new', (auths: object) => ({ auths })],
    ['kubernetes.io/dockercfg', 'old', (auths: object) => auths],
  ])('run with a secret of type %s', async (type, name, wrap) => {
    const digest = await registry.push(name, 'v1')
    const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64')
    const secret = await pullSecret(name, type, wrap({ [registry.host]: { auth } }))
    await create(name, `${registry.host}/${name}:v1`, [secret])
    await until(async () => {
      const status = await statusOf(name)
      expect(status?.state?.terminated?.exitCode).toBe(0)
      expect(status?.imageID).toBe(`${registry.host}/${name}@${digest}`)
    }, PATIENCE_MS)
  })

  it('are refused without one, and the pod says so', async () => {
    await registry.push('closed', 'v1')
    await create('closed', `${registry.host}/closed:v1`)
    await until(async () => {
      const waiting = (await statusOf('closed'))?.state?.waiting
      expect(waiting?.reason).toMatch(/ErrImagePull|ImagePullBackOff/)
      expect(waiting?.message).toContain('401 Unauthorized: authentication required')
    }, PATIENCE_MS)
  })

  it('do not run when a layer is not what the manifest says', async () => {
    await using open = await startRegistry()
    await open.push('web', 'v1', 'honest')
    await using front = await startFront({
      host: open.host,
      change: (path, body) =>
        path.includes('/blobs/')
          ? { body: Buffer.from(body.toString('latin1').replace('honest', 'harmed'), 'latin1') }
          : undefined,
    })
    await create('lied-to', `${front.host}/web:v1`)
    await until(async () => {
      const waiting = (await statusOf('lied-to'))?.state?.waiting
      expect(waiting?.message).toMatch(/content has digest sha256:[0-9a-f]+, expected sha256:/)
    }, PATIENCE_MS)
  })
})
