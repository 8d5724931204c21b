/** What a requirement can say besides its target, and addresses that answer, on a real cluster. */
import { createServer as createHttp2Server, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import type { Pod } from '../../../src/api/types.ts'
import type { Client, ResourceRef } from '../../../src/client/client.ts'
import { configMaps, deployments, namespaces, pods } from '../../../src/client/resources.ts'
import type { Cluster } from '../../../src/cluster.ts'
import { startTestCluster } from '../../../src/testing.ts'
import { until } from '../../controllers/until.ts'
import { clientAs, grant } from '../fields/cluster.ts'

const IN = { namespace: 'default' }
let cluster: Cluster
let client: Client

beforeAll(async () => {
  cluster = await startTestCluster()
  client = cluster.client
}, 60_000)
afterAll(() => cluster.stop())

const podOf = (name: string, requires: string): Pod => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: { name, ...IN, annotations: { 'skiff.dev/requires': requires } },
  spec: { containers: [{ name: 'c', image: 'app:v1' }] },
})
const make = (resource: unknown, object: object) => client.create(resource as ResourceRef<object>, object)
const configMap = (name: string, namespace = 'default') => make(configMaps, { metadata: { name, namespace }, data: {} })
const get = (name: string) => client.get(pods, name, IN)
const conditionOf = ({ status }: Pod) => status?.conditions?.find(({ type }) => type === 'skiff.dev/RequirementsMet')
const waits = (name: string, message: string) =>
  until(async () => expect(conditionOf(await get(name))?.message).toBe(`waiting for ${message}`))
const runs = (name: string) => until(async () => expect((await get(name)).status?.phase).toBe('Running'))

describe('an address', () => {
  it('of https answers, whoever signed its certificate', async () => {
    const { port } = new URL(cluster.url)
    await client.create(pods, podOf('secure', `- https://127.0.0.1:${port}/livez`))
    await runs('secure')
  })

  it('of grpc answers when its health service says SERVING', async () => {
    let health = 2
    const asked: string[] = []
    const server: Http2Server = createHttp2Server()
    server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        asked.push(`${headers[':path']} ${Buffer.concat(chunks).subarray(7).toString()}`)
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
        stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, health]))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = `grpc://127.0.0.1:${(server.address() as AddressInfo).port}/acme.Stock`
    try {
      await client.create(pods, podOf('remote', `- ${address}`))
      await waits('remote', `${address} (its health is not SERVING)`)
      health = 1
      await runs('remote')
      expect(asked[0]).toBe('/grpc.health.v1.Health/Check acme.Stock')
    } finally {
      server.close()
    }
  })
})

describe('onLoss', () => {
  const deploymentOf = (name: string, requires: string): KubeObject => ({
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, ...IN, annotations: { 'skiff.dev/requires': requires } } },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'app:v1' }] } },
    },
  })
  const podsOf = async (app: string) =>
    (await client.list(pods, { ...IN, labelSelector: `app=${app}` })).items.filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    )
  const running = (app: string) =>
    until(async () => {
      const [pod, ...others] = await podsOf(app)
      expect(others).toEqual([])
      expect(pod?.status?.phase).toBe('Running')
      return pod!
    })

  it('restart: the pod goes when what it lost is back, and another comes; ignore: nothing happens', async () => {
    await configMap('license')
    await make(deployments, deploymentOf('careful', '- configmap/license: {onLoss: restart}'))
    await make(deployments, deploymentOf('careless', '- configmap/license: {onLoss: ignore}'))
    const [careful, careless] = [await running('careful'), await running('careless')]
    await client.delete(configMaps, 'license', IN)
    await until(async () =>
      expect(conditionOf((await podsOf('careful'))[0]!)).toMatchObject({
        status: 'False',
        reason: 'Lost',
        message: 'lost configmap/license (there is none)',
      }),
    )
    await configMap('license')
    await until(async () => {
      const next = await running('careful')
      expect(next.metadata.uid).not.toBe(careful.metadata.uid)
    })
    const same = await running('careless')
    expect(same.metadata.uid).toBe(careless.metadata.uid)
    expect(conditionOf(same)).toMatchObject({ status: 'True' })
  })
})

describe('another namespace', () => {
  it('is looked at for those who may read there, and refused to others', async () => {
    await make(namespaces, { metadata: { name: 'data' } })
    const requires = '- configmap/settings: {namespace: data}'
    await client.create(pods, podOf('abroad', requires))
    await waits('abroad', 'configmap/settings (there is none)')
    await configMap('settings')
    await configMap('settings', 'data')
    await runs('abroad')
    await grant(client, 'mia', ['pods'], ['create'])
    const mia = clientAs(cluster, 'mia')
    await mia.create(pods, podOf('own', '- configmap/settings'))
    await expect(mia.create(pods, podOf('foreign', requires))).rejects.toThrow(
      'configmap/settings: mia may not get configmaps in namespace data, so a pod of theirs cannot wait for it',
    )
  })
})
