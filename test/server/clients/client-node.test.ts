/** The JavaScript client against a server: objects of every way to write them, errors, watches, informers that lose their watch. */
import {
  type ApiException,
  AppsV1Api,
  CoreV1Api,
  type KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Status,
  Watch,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { startServer, type TestServer } from '../start-server.ts'
import { adminConfig } from './kube-config.ts'

const namespace = 'default'
const WAIT = { timeout: 15_000, interval: 20 }

let server: TestServer
let config: KubeConfig
let core: CoreV1Api
beforeAll(async () => {
  server = await startServer()
  const { url } = await server.server.listen({ host: '127.0.0.1', port: 0 })
  config = await adminConfig(server.server, url)
  core = config.makeApiClient(CoreV1Api)
})
afterAll(() => server.close())

const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): V1ConfigMap => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels }, data },
})

it('creates, reads, replaces, patches, lists by pages and deletes', async () => {
  const created = await core.createNamespacedConfigMap({ namespace, body: configMap('one', { a: '1' }, { of: 'objects' }) })
  expect(created.metadata?.creationTimestamp).toBeInstanceOf(Date)
  const body = { ...created, data: { a: '2' } }
  const replaced = await core.replaceNamespacedConfigMap({ name: 'one', namespace, body })
  expect(replaced.data).toEqual({ a: '2' })
  const patched = await core.patchNamespacedConfigMap(
    { name: 'one', namespace, body: { data: { b: '3' } } },
    setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
  )
  expect(patched.data).toEqual({ a: '2', b: '3' })
  expect((await core.readNamespacedConfigMap({ name: 'one', namespace })).data).toEqual(patched.data)
  await core.createNamespacedConfigMap({ namespace, body: configMap('two', {}, { of: 'objects' }) })
  const page = { namespace, labelSelector: 'of=objects', limit: 1 }
  const first = await core.listNamespacedConfigMap(page)
  const second = await core.listNamespacedConfigMap({ ...page, _continue: first.metadata?._continue as string })
  expect([...first.items, ...second.items].map((item) => item.metadata?.name)).toEqual(['one', 'two'])
  expect(second.metadata?._continue).toBeUndefined()
  expect((await core.deleteNamespacedConfigMap({ name: 'one', namespace })).status).toBe('Success')
})

it('rejects with the Status and its code', async () => {
  const failed = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it was accepted'),
      (error: ApiException<string>) => ({ code: error.code, status: JSON.parse(error.body) as V1Status }),
    )
  const missing = await failed(core.readNamespacedConfigMap({ name: 'none', namespace }))
  expect(missing).toMatchObject({ code: 404, status: { reason: 'NotFound', details: { kind: 'configmaps', name: 'none' } } })
  const twice = configMap('twice')
  const { metadata } = await core.createNamespacedConfigMap({ namespace, body: twice })
  expect((await failed(core.createNamespacedConfigMap({ namespace, body: twice }))).status.reason).toBe('AlreadyExists')
  await core.replaceNamespacedConfigMap({ name: 'twice', namespace, body: { ...twice, data: { a: '1' } } })
  const stale = { name: 'twice', namespace, body: { ...twice, ...(metadata && { metadata }) } }
  expect(await failed(core.replaceNamespacedConfigMap(stale))).toMatchObject({ code: 409, status: { reason: 'Conflict' } })
  const invalid = { ...configMap('Bad_Name') }
  expect((await failed(core.createNamespacedConfigMap({ namespace, body: invalid }))).status.details?.causes?.[0]?.field).toBe(
    'metadata.name',
  )
})

it('applies and changes objects of any kind by their own words', async () => {
  const objects = KubernetesObjectApi.makeApiClient(config)
  const labels = { app: 'web' }
  const deployment = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace } },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec('web:v1') } },
  }
  const applied = await objects.patch(deployment, undefined, undefined, 'tests', true, PatchStrategy.ServerSideApply)
  expect(applied).toMatchObject({ spec: { strategy: { type: 'RollingUpdate' }, revisionHistoryLimit: 10 } })
  const apps = config.makeApiClient(AppsV1Api)
  const scale = await apps.readNamespacedDeploymentScale({ name: 'web', namespace })
  const wanted = { ...scale, spec: { replicas: 5 } }
  expect((await apps.replaceNamespacedDeploymentScale({ name: 'web', namespace, body: wanted })).spec?.replicas).toBe(5)
  const { items } = await objects.list('apps/v1', 'Deployment', namespace)
  expect(items).toMatchObject([{ metadata: { name: 'web' }, spec: { replicas: 5 } }])
  await objects.delete(deployment)
  expect((await objects.list('apps/v1', 'Deployment', namespace)).items).toEqual([])
})

const podSpec = (image: string) => ({ containers: [{ name: 'main', image }] })

it('watches with bookmarks from a resource version', async () => {
  const { metadata } = await core.listNamespacedConfigMap({ namespace })
  const seen: string[] = []
  const query = { resourceVersion: metadata?.resourceVersion, labelSelector: 'of=watch', allowWatchBookmarks: true }
  const ended = vi.fn()
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const abort = await new Watch(config).watch(
    path,
    query,
    (phase, object) => seen.push(`${phase} ${object.metadata.name}`),
    ended,
  )
  await core.createNamespacedConfigMap({ namespace, body: configMap('w', {}, { of: 'watch' }) })
  await core.createNamespacedConfigMap({ namespace, body: configMap('other') })
  await core.deleteNamespacedConfigMap({ name: 'w', namespace })
  await vi.waitFor(() => expect(seen).toEqual(['ADDED w', 'DELETED w']), WAIT)
  abort.abort()
  await vi.waitFor(() => expect(ended).toHaveBeenCalled(), WAIT)
})

it('keeps an informer up to date, also over the end of its watch', async () => {
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  const labelSelector = 'of=informer'
  const list = () => core.listNamespacedConfigMap({ namespace, labelSelector })
  const informer = makeInformer<V1ConfigMap>(config, path, list, labelSelector)
  const seen: string[] = []
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, (object: V1ConfigMap) => seen.push(`${verb} ${object.metadata?.name}`))
  }
  let connections = 0
  informer.on('connect', () => {
    connections += 1
  })
  await core.createNamespacedConfigMap({ namespace, body: configMap('first', {}, { of: 'informer' }) })
  await informer.start()
  expect(seen).toEqual(['add first'])
  await core.createNamespacedConfigMap({ namespace, body: configMap('second', {}, { of: 'informer' }) })
  await core.replaceNamespacedConfigMap({ name: 'first', namespace, body: configMap('first', { a: '1' }, { of: 'informer' }) })
  await vi.waitFor(() => expect(seen).toEqual(['add first', 'add second', 'update first']), WAIT)
  // A new start is what clients do after an error: it lists again and tells only what differs.
  await informer.stop()
  await core.deleteNamespacedConfigMap({ name: 'second', namespace })
  await informer.start()
  await vi.waitFor(() => expect(seen.at(-1)).toBe('delete second'), WAIT)
  expect(informer.list().map((object) => object.metadata?.name)).toEqual(['first'])
  expect(connections).toBe(2)
  await informer.stop()
})
