import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ImageStore, openImageStore } from '../../../src/node/images/store.ts'
import { hostPlatform } from '../../../src/registry/documents.ts'

let root: string
let server: Server
let host: string
let requests: string[]
/** Bodies by path below `/v2/`. */
let served: Map<string, Buffer>
/** Answers instead of the registry when it returns true. */
let guard: (request: IncomingMessage, response: ServerResponse) => boolean
let store: ImageStore

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'skiff-pull-'))
  store = openImageStore(join(root, 'data'))
  requests = []
  served = new Map()
  guard = () => false
  server = createServer((request, response) => {
    requests.push(request.url!)
    if (guard(request, response)) return
    const body = served.get(request.url!)
    if (body === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }))
    } else response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(root, { recursive: true, force: true })
})

/** Serves an image built by the store's own builder in another directory; answers digests and layer. */
async function publish(repository: string, tag: string) {
  const origin = join(root, 'origin')
  mkdirSync(join(root, 'app'), { recursive: true })
  writeFileSync(join(root, 'app', 'hello'), 'hello')
  const built = await openImageStore(origin).build({ directory: join(root, 'app'), tag: 'x', entrypoint: ['cat', 'hello'] })
  const digest = built.digest!.split('@')[1]!
  const blob = (name: string) => readFile(join(origin, 'images/blobs/sha256', name.slice(7)))
  const bytes = await blob(digest)
  const manifest = JSON.parse(bytes.toString('utf8')) as { config: { digest: string }; layers: { digest: string }[] }
  for (const name of [digest, tag]) served.set(`/v2/${repository}/manifests/${name}`, bytes)
  for (const entry of [manifest.config, ...manifest.layers])
    served.set(`/v2/${repository}/blobs/${entry.digest}`, await blob(entry.digest))
  return { built, digest, layer: manifest.layers[0]!.digest, size: bytes.length }
}

test('pulls what is absent, and leaves alone what is there', async () => {
  const { built, digest, layer } = await publish('team/web', 'v1')
  const image = await store.pull(`${host}/team/web:v1`, { policy: 'IfNotPresent' })
  expect(image).toMatchObject({ id: built.id, digest: `${host}/team/web@${digest}`, tags: [`${host}/team/web:v1`] })
  expect((await store.layers(image.id)).hostBase).toBe(true)
  const before = requests.length
  expect((await store.pull(`${host}/team/web@${digest}`, { policy: 'IfNotPresent' })).id).toBe(built.id)
  expect(requests).toHaveLength(before)
  await store.pull(`${host}/team/web:v1`, { policy: 'Always' })
  expect(requests.slice(before)).toEqual(['/v2/team/web/manifests/v1'])
  expect(requests.filter((path) => path.endsWith(layer))).toHaveLength(1)
})

test('pulls of one name at once fetch its layers once', async () => {
  const { layer } = await publish('web', '1')
  const pull = () => store.pull(`${host}/web:1`, { policy: 'IfNotPresent' })
  const images = await Promise.all([pull(), pull(), pull()])
  expect(new Set(images.map((image) => image.id)).size).toBe(1)
  expect(requests.filter((path) => path.endsWith(layer))).toHaveLength(1)
})

test('chooses this platform from an index and keeps the digest of the index', async () => {
  const { built, digest, size } = await publish('web', 'only')
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      manifests: [
        { mediaType, digest: `sha256:${'0'.repeat(64)}`, size: 1, platform: { os: 'plan9', architecture: 'vax' } },
        { mediaType, digest, size, platform: hostPlatform() },
      ],
    }),
  )
  const indexDigest = `sha256:${createHash('sha256').update(index).digest('hex')}`
  served.set('/v2/web/manifests/many', index)
  const image = await store.pull(`${host}/web:many`, { policy: 'Always' })
  expect(image).toMatchObject({ id: built.id, digest: `${host}/web@${indexDigest}` })
  for (const name of [indexDigest, digest]) expect((await store.resolve(`${host}/web@${name}`))?.id).toBe(built.id)
  const other = JSON.stringify({
    schemaVersion: 2,
    manifests: [{ mediaType, digest, size, platform: { os: 'a', architecture: 'b' } }],
  })
  served.set('/v2/web/manifests/foreign', Buffer.from(other))
  await expect(store.pull(`${host}/web:foreign`, { policy: 'Always' })).rejects.toThrow('only for a/b')
})

test('a token is fetched with the matching credential', async () => {
  const { built } = await publish('private/web', '1')
  guard = (request, response) => {
    const { authorization } = request.headers
    if (request.url!.startsWith('/token')) {
      const good = authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`
      response.writeHead(good ? 200 : 401).end(good ? '{"token":"t0"}' : '{"errors":[{"message":"wrong password"}]}')
      return true
    }
    if (authorization === 'Bearer t0') return false
    const challenge = `Bearer realm="http://${host}/token",service="reg",scope="repository:private/web:pull"`
    response.writeHead(401, { 'www-authenticate': challenge }).end('{}')
    return true
  }
  const credentials = [
    { registry: host, username: 'me', password: 'wrong' },
    { registry: 'elsewhere.example', username: 'x', password: 'y' },
    { registry: `${host}/private`, username: 'me', password: 'secret' },
  ]
  expect((await store.pull(`${host}/private/web:1`, { policy: 'Always', credentials })).id).toBe(built.id)
  expect(requests).toContain('/token?service=reg&scope=repository%3Aprivate%2Fweb%3Apull')
  await expect(
    store.pull(`${host}/private/web:1`, { policy: 'Always', credentials: credentials.slice(0, 1) }),
  ).rejects.toMatchObject({
    reason: 'ErrImagePull',
    message: expect.stringContaining('wrong password'),
  })
})

test('errors say what happened, and leave nothing behind', async () => {
  const { layer } = await publish('web', '1')
  await expect(store.pull(`${host}/web:2`, { policy: 'IfNotPresent' })).rejects.toMatchObject({
    reason: 'ErrImagePull',
    message: `failed to pull image "${host}/web:2": ${host}/web:2: not found: manifest unknown`,
  })
  await expect(store.pull(`${host}/web:2`, { policy: 'Never' })).rejects.toMatchObject({ reason: 'ErrImageNeverPull' })
  await expect(store.pull('a b', { policy: 'Never' })).rejects.toMatchObject({ reason: 'InvalidImageName' })
  await expect(store.pull('127.0.0.1:1/web:2', { policy: 'Always' })).rejects.toThrow(/failed to pull .*(ECONNREFUSED|bad port)/)
  served.set(`/v2/web/blobs/${layer}`, Buffer.from('something else'))
  await expect(store.pull(`${host}/web:1`, { policy: 'Always' })).rejects.toThrow(`expected ${layer}`)
  expect(await store.list()).toEqual([])
  expect(readdirSync(join(root, 'data/images/tmp'))).toEqual([])
})

test('an abort ends the pull', async () => {
  const { layer } = await publish('web', '1')
  const abort = new AbortController()
  guard = (request, response) => {
    if (!request.url!.endsWith(layer)) return false
    response.writeHead(200).write('begun')
    abort.abort(new Error('no longer wanted'))
    return true
  }
  await expect(store.pull(`${host}/web:1`, { policy: 'Always', signal: abort.signal })).rejects.toThrow('no longer wanted')
  expect(readdirSync(join(root, 'data/images/tmp'))).toEqual([])
})
