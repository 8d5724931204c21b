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
beforeEach(async () => {
  broken = false
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
  return { apiVersion, kind: 'ConversionReview', response: { uid, result, convertedObjects } }
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
