/** Versions of custom resources that a webhook converts, by a real HTTPS server. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { until } from '../../controllers/until.ts'
import { type Review, type ReviewServer, reviewServer } from '../dynamic/https-server.ts'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'
import { definition, establish } from './definition.ts'

const V1 = '/apis/stable.example.com/v1/namespaces/default/hosts'
const V2 = V1.replace('/v1/', '/v2/')

let server: TestServer
let hooks: ReviewServer
let broken: boolean
/** Spoils what the webhook answers. */
let spoil: (objects: KubeObject[]) => unknown[]
beforeEach(async () => {
  broken = false
  spoil = (objects) => objects
  server = await startServer()
  hooks = await reviewServer((_path, review) => converted(review))
  const crd = definition('hosts', 'Host', { type: 'object', properties: { hostPort: { type: 'string' } } })
  const [v1] = crd.spec.versions
  const parts = { type: 'object', properties: { host: { type: 'string' }, port: { type: 'string', default: '80' } } }
  const v2 = { ...definition('hosts', 'Host', parts).spec.versions[0]!, name: 'v2', storage: false }
  const webhook = { conversionReviewVersions: ['v1'], clientConfig: { url: `${hooks.url}/convert`, caBundle: hooks.caBundle } }
  const spec = { ...crd.spec, versions: [v1, v2], conversion: { strategy: 'Webhook', webhook } }
  await establish(server, Object.assign(crd, { spec }))
})
afterEach(async () => {
  await server.close()
  await hooks.close()
})

/** `hostPort: "web:80"` in v1 is `host` and `port` in v2. */
function converted({ request, apiVersion }: Review): Review {
  const { uid, desiredAPIVersion, objects } = request as { uid: string; desiredAPIVersion: string; objects: KubeObject[] }
  const result = broken ? { status: 'Failure', message: 'out of order' } : { status: 'Success' }
  const convertedObjects = objects.map(({ spec, ...rest }) => {
    const [host, port] = String(spec?.hostPort ?? '').split(':')
    const next = desiredAPIVersion.endsWith('v2') ? { host, port, surplus: true } : { hostPort: `${spec?.host}:${spec?.port}` }
    return { ...rest, apiVersion: desiredAPIVersion, spec: next }
  })
  return {
    apiVersion,
    kind: 'ConversionReview',
    response: { uid, result, convertedObjects: spoil(convertedObjects as KubeObject[]) },
  }
}

const host = (name: string, version: string, spec: object) => ({
  ...{ apiVersion: `stable.example.com/${version}`, kind: 'Host', metadata: { name }, spec },
})

it('are written, read, listed, patched and watched in each', async () => {
  const seen: { type: string; object: KubeObject }[] = []
  const stop = new AbortController()
  const watching = server.admin.watch({ method: 'GET', path: V2, signal: stop.signal }, (events) =>
    seen.push(...(events as never[])),
  )
  const created = await server.call('POST', V2, host('a', 'v2', { host: 'web' }))
  expect([created.apiVersion, created.spec]).toEqual(['stable.example.com/v2', { host: 'web', port: '80' }])
  await server.call('POST', V1, host('b', 'v1', { hostPort: 'db:5432' }))
  expect((await server.call('GET', `${V1}/a`)).spec).toEqual({ hostPort: 'web:80' })
  const listed = await server.call<{ items: KubeObject[] }>('GET', V2)
  expect(listed.items.map(({ spec }) => spec)).toEqual([
    { host: 'web', port: '80' },
    { host: 'db', port: '5432' },
  ])
  const patched = await server.call('PATCH', `${V2}/b`, { spec: { port: '1' } }, PATCH_TYPES.merge)
  expect([patched.spec, patched.metadata.generation]).toEqual([{ host: 'db', port: '1' }, 2])
  await server.call('DELETE', `${V1}/a`)
  await until(() => {
    expect(seen.map(({ type, object }) => `${type} ${object.metadata.name} ${object.spec?.host}:${object.spec?.port}`)).toEqual([
      ...['ADDED a web:80', 'ADDED b db:5432', 'MODIFIED b db:1', 'DELETED a web:80'],
    ])
  })
  stop.abort()
  await watching
})

it('say so when the webhook fails', async () => {
  await server.call('POST', V1, host('a', 'v1', { hostPort: 'web:80' }))
  broken = true
  await expect(server.call('GET', `${V2}/a`)).rejects.toThrow(
    'conversion webhook for stable.example.com/v1, Kind=Host failed: out of order',
  )
  expect((await server.call('GET', `${V1}/a`)).spec).toEqual({ hostPort: 'web:80' })
})

it('say what was wrong with what the webhook returned', async () => {
  await server.call('POST', V1, host('a', 'v1', { hostPort: 'web:80' }))
  const expectRefusal = async (how: typeof spoil, text: string) => {
    spoil = how
    await expect(server.call('GET', `${V2}/a`)).rejects.toThrow(`conversion webhook for stable.example.com/v1, Kind=Host ${text}`)
  }
  const each = (change: object) => (objects: KubeObject[]) => objects.map((one) => ({ ...one, ...change }))
  const metadata = (change: object) => (objects: KubeObject[]) =>
    objects.map((one) => ({ ...one, metadata: { ...one.metadata, ...change } }))
  await expectRefusal(() => [], 'returned 0 objects, expected 1')
  await expectRefusal(
    each({ apiVersion: 'x/v9' }),
    'returned invalid object at index 0: invalid groupVersion (expected stable.example.com/v2, received x/v9)',
  )
  await expectRefusal(each({ kind: 'Other' }), 'returned invalid object at index 0: invalid kind (expected Host, received Other)')
  await expectRefusal(metadata({ name: 'b' }), 'returned invalid object: must have the same name: a != b')
  await expectRefusal(
    metadata({ labels: { x: 1 } }),
    'returned invalid metadata: metadata.labels[x] must be a string, but is number in converted object',
  )
  await expectRefusal(
    metadata({ labels: { 'x y': '' } }),
    'returned invalid metadata: metadata.labels: Invalid value: "x y": name part',
  )
  await server.call('POST', V1, host('b', 'v1', { hostPort: 'db:80' }))
  spoil = each({ kind: 'Other' })
  await expect(server.call('GET', V2)).rejects.toThrow('returned invalid converted object at index 0: invalid kind')
})
