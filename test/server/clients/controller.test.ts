/** Two instances of a controller with a Lease between them: one works, and when it is gone the other goes on. */
import { CoordinationV1Api, CoreV1Api, type V1ConfigMap } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { startServer, type TestServer } from '../start-server.ts'
import { type Controller, startController } from './controller.ts'
import { adminConfig } from './kube-config.ts'

const namespace = 'default'
const WAIT = { timeout: 15_000, interval: 20 }

let server: TestServer
let instances: [Controller, Controller]
let core: CoreV1Api
let leases: CoordinationV1Api
beforeAll(async () => {
  server = await startServer()
  const { url } = await server.server.listen({ host: '127.0.0.1', port: 0 })
  const config = await adminConfig(server.server, url)
  core = config.makeApiClient(CoreV1Api)
  leases = config.makeApiClient(CoordinationV1Api)
  instances = [startController(config, 'a'), startController(config, 'b')]
})
afterAll(async () => {
  await Promise.all(instances.map((instance) => instance.stop()))
  await server.close()
})

const asking = (name: string, data: Record<string, string>): V1ConfigMap => ({
  ...{ metadata: { name, namespace, labels: { mirror: 'yes' } }, data },
})

const secretHolds = (name: string, data: Record<string, string>) =>
  vi.waitFor(async () => {
    const secret = await core.readNamespacedSecret({ name, namespace })
    const plain = Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])
    expect(Object.fromEntries(plain)).toEqual(data)
    return secret
  }, WAIT)

it('reconciles with one leader, and with the next when that is gone', async () => {
  const before = await core.createNamespacedConfigMap({ namespace, body: asking('before', { a: '1' }) })
  const secret = await secretHolds('before', { A: '1' })
  expect(secret.metadata?.ownerReferences).toMatchObject([{ kind: 'ConfigMap', uid: before.metadata?.uid, controller: true }])
  await core.replaceNamespacedConfigMap({ name: 'before', namespace, body: asking('before', { a: '2' }) })
  await secretHolds('before', { A: '2' })

  expect(instances.filter((instance) => instance.leads())).toHaveLength(1)
  const [leader, follower] = instances[0].leads() ? instances : [instances[1], instances[0]]
  await leader.stop()
  await core.createNamespacedConfigMap({ namespace, body: asking('after', { b: '3' }) })
  await secretHolds('after', { B: '3' })
  expect(follower.leads()).toBe(true)
  const { spec } = await leases.readNamespacedLease({ name: 'mirror', namespace })
  expect(spec).toMatchObject({ holderIdentity: follower === instances[0] ? 'a' : 'b', leaseTransitions: 1 })
  expect(instances.flatMap((instance) => instance.errors)).toEqual([])
})
