/** The metadata service over real sockets, on a real API server; only the pods' networks are missing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EndpointSlice, Node, Pod, Service } from '../../../src/api/types.ts'
import { endpointSlices, nodes, replicaSets, services } from '../../../src/client/resources.ts'
import { MetadataService } from '../../../src/node/metadata/metadata-service.ts'
import { MAX_REQUESTS_AT_ONCE } from '../../../src/node/metadata/pod-door.ts'
import { plainConnect, plainListen, plainUdp } from '../../../src/node/runtime/local/network.ts'
import { createObjectWatches } from '../../../src/node/sources/object-watches.ts'
import { createInformer } from '../../../src/watch/index.ts'
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts'

let plane: ControlPlane
let service: MetadataService
let stop: AbortController
/** Where the pods' listeners are, by sandbox. */
let doors: Map<string, number>

beforeEach(async () => {
  plane = await startControlPlane()
  stop = new AbortController()
  doors = new Map()
  const base = { ...plane, signal: stop.signal }
  await plane.client.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } } as Node)
  const informers = {
    nodes: createInformer<Node>({ ...base, resource: nodes }),
    services: createInformer<Service>({ ...base, resource: services }),
    slices: createInformer<EndpointSlice>({ ...base, resource: endpointSlices }),
  }
  await Promise.all(Object.values(informers).map((informer) => informer.whenSynced()))
  service = new MetadataService({
    ...informers,
    slices: () => informers.slices,
    watches: createObjectWatches(base),
    nodeName: 'n1',
    clusterDomain: 'cluster.local',
    clock: plane.clock,
    network: {
      ...{ reach: 'none', nodeAddress: '127.0.0.1', podCidr: '127.0.0.1/32', claimRange: () => Promise.resolve() },
      ...{ connect: plainConnect, listen: plainListen, bindUdp: plainUdp },
    },
    async listenInside(sandboxId) {
      if (sandboxId.startsWith('host-')) return undefined
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      doors.set(sandboxId, (server.address() as AddressInfo).port)
      return server
    },
  })
})
afterEach(async () => {
  await service.stop()
  stop.abort()
  await plane.close()
})

interface World {
  pod: Pod
  url: string
  variables: { name: string; value: string }[]
}

async function open(name: string, metadata: Partial<Pod['metadata']> = {}): Promise<World> {
  const world: World = {
    pod: {
      metadata: { name, namespace: 'default', uid: `uid-${name}`, ...metadata },
      spec: { containers: [{ name: 'web', image: 'web:v1' }] },
    },
    url: '',
    variables: [],
  }
  const config = { env: [], entrypoint: [], cmd: [], workingDir: '/', labels: { maker: 'us' }, exposedPorts: [], volumes: [] }
  const image = { id: 'sha256:abc', tags: [], sizeBytes: 1, config }
  const pod = {
    uid: `uid-${name}`,
    pod: () => world.pod,
    addresses: () => ({ podIps: ['10.0.0.2'], hostIps: ['10.0.0.1'] }),
    notify: (container: string | undefined, text: string) => ({ status: 200, body: `${container} ${text}` }),
    image: (container: string) => (container === 'web' ? image : undefined),
  }
  world.variables = await service.open(pod, name)
  world.url = world.variables[0]?.value ?? `http://127.0.0.1:${doors.get(name)}`
  return world
}

/** Waits with 125 requests at every URL once its input has ended, and says how many came back with what. */
const READERS = `
const http = require('node:http')
const agent = new http.Agent({ keepAlive: false, maxSockets: Infinity })
const options = { agent, headers: { 'Metadata-Flavor': 'Google' } }
const seen = {}
process.stdin.resume().on('end', () => {
  for (const url of process.argv.slice(1)) for (let i = 0; i < 125; i += 1)
    http.get(url + '/computeMetadata/v1/pod/?recursive=true&wait_for_change=true', options, async (response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      const { woken } = JSON.parse(body).labels
      seen[woken] = (seen[woken] ?? 0) + 1
    })
})
process.on('exit', () => console.log(Object.entries(seen).flat().join(' ')))
`

/** Bytes in use after a collection, on the heap and beside it. */
function weight(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const GOOGLE = { 'Metadata-Flavor': 'Google' }
const APPC = { 'Metadata-Flavor': 'AppContainer' }
const get = (url: string, headers: Record<string, string> = GOOGLE, init: RequestInit = {}) => fetch(url, { headers, ...init })
const read = async (url: string) => (await get(url)).text()

describe('a door', () => {
  it("demands the header, refuses what is passed on, and answers with the header's own", async () => {
    const { url } = await open('one')
    const path = `${url}/computeMetadata/v1/pod/name`
    expect((await get(path, {})).status).toBe(403)
    expect((await get(path, { ...GOOGLE, 'X-Forwarded-For': '10.0.0.9' })).status).toBe(403)
    const answer = await get(path)
    expect([answer.status, answer.headers.get('metadata-flavor'), await answer.text()]).toEqual([200, 'Google', 'one'])
    expect(answer.headers.get('etag')).toMatch(/^[0-9a-f]{16}$/)
    expect(await (await get(url, {})).text()).toBe('acMetadata/\ncomputeMetadata/\nnotify\n')
    expect(await read(`${url}/computeMetadata/v1`)).toContain('services/\n')
    expect((await get(path, GOOGLE, { method: 'DELETE' })).status).toBe(405)
    expect((await get(`${url}/computeMetadata/v1/pod/?alt=xml`)).status).toBe(400)
  })

  it('takes notifications', async () => {
    const { url } = await open('notifies')
    const put = (path: string, body: string) => get(`${url}/${path}`, GOOGLE, { method: 'PUT', body })
    expect(await (await put('notify?container=web', 'READY=1')).text()).toBe('web READY=1')
    expect((await put('notify', 'x'.repeat(5000))).status).toBe(413)
    expect((await put('notify?pod=other', 'READY=1')).status).toBe(400)
    expect((await get(`${url}/notify`)).status).toBe(405)
    expect((await get(`${url}/notify`, {}, { method: 'PUT', body: 'READY=1' })).status).toBe(403)
  })

  it('is each pod its own, also where they share an address', async () => {
    const [one, two] = [await open('host-one'), await open('host-two')]
    expect(one.variables.map(({ name }) => name)).toEqual(['SKIFF_METADATA_URL', 'AC_METADATA_URL'])
    expect(await read(`${one.url}/computeMetadata/v1/pod/name`)).toBe('host-one')
    expect(await read(`${two.url}/computeMetadata/v1/pod`)).toContain('namespace')
    const { origin } = new URL(one.url)
    expect((await get(`${origin}/computeMetadata/v1/pod/name`)).status).toBe(404)
    expect((await get(`${origin}/${'0'.repeat(32)}/computeMetadata/v1/pod/name`)).status).toBe(404)
    service.close('uid-host-one')
    expect((await get(`${one.url}/computeMetadata/v1/pod/name`)).status).toBe(404)
  })

  it('follows owners, the node, and the endpoints of Services', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'web', image: 'web:v1' }] } }
    const set = await plane.client.create(replicaSets, {
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'set', namespace: 'default', labels: { tier: 'x' } } },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
    })
    const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'set', uid: set.metadata.uid ?? '', controller: true }
    const { url } = await open('owned', { ownerReferences: [reference] })
    const root = `${url}/computeMetadata/v1`
    expect(await read(`${root}/owner/labels/tier`)).toBe('x')
    expect(await read(`${root}/node/name`)).toBe('n1')
    const waiting = get(`${root}/services/?recursive=true&wait_for_change=true`)
    await expect.poll(() => service.waiting('uid-owned')).toBe(1)
    await plane.client.create(services, {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', namespace: 'default' } },
      spec: { ports: [{ port: 5432 }] },
    })
    expect(await (await waiting).json()).toMatchObject({ db: { ports: [{ port: 5432 }] } })
  })
})

describe('waiting for a change', () => {
  it('answers at once for an old etag, later for a new one, and at its timeout with what is', async () => {
    const world = await open('waits', { annotations: { step: 'a' } })
    const path = `${world.url}/computeMetadata/v1/pod/annotations/step`
    const first = await get(path)
    const etag = first.headers.get('etag')
    expect(await read(`${path}?wait_for_change=true&last_etag=0`)).toBe('a')
    expect(await read(`${path}?wait_for_change=true&last_etag=${etag}&timeout_sec=0`)).toBe('a')
    let answered = false
    const waiting = read(`${path}?wait_for_change=true&last_etag=${etag}`).finally(() => {
      answered = true
    })
    // A change elsewhere in the pod is none of this reader's.
    world.pod = { ...world.pod, metadata: { ...world.pod.metadata, labels: { other: 'x' } } }
    service.changed('uid-waits')
    expect(await read(`${world.url}/computeMetadata/v1/pod/labels/other`)).toBe('x')
    expect(answered).toBe(false)
    world.pod = { ...world.pod, metadata: { ...world.pod.metadata, annotations: { step: 'b' } } }
    service.changed('uid-waits')
    expect(await waiting).toBe('b')
  })

  it(`takes ${MAX_REQUESTS_AT_ONCE} requests of a pod at once, says so at the limit, and forgets who left`, async () => {
    const { url } = await open('many')
    const agent = new Agent({ keepAlive: false, maxSockets: Infinity })
    const path = `${url}/computeMetadata/v1/pod/?recursive=true&wait_for_change=true`
    const readers = Array.from({ length: MAX_REQUESTS_AT_ONCE }, () => request(path, { agent, headers: GOOGLE }))
    for (const reader of readers) reader.on('error', () => {}).end()
    await expect.poll(async () => (await get(`${url}/computeMetadata/v1/pod/name`)).status).toBe(503)
    expect((await get(`${url}/computeMetadata/v1/pod/name`)).headers.get('retry-after')).toBe('1')
    for (const reader of readers) reader.destroy()
    await expect.poll(async () => (await get(`${url}/computeMetadata/v1/pod/name`)).status, { timeout: 5000 }).toBe(200)
  })

  it('limits the rate of a pod, and no other pod feels it', async () => {
    const [one, two] = [await open('fast'), await open('calm')]
    const path = (world: World) => `${world.url}/computeMetadata/v1/pod/name`
    const statuses = new Set<number>()
    for (let round = 0; round < 20 && !statuses.has(429); round += 1)
      for (const { status } of await Promise.all(Array.from({ length: 50 }, () => get(path(one))))) statuses.add(status)
    expect([...statuses].sort()).toEqual([200, 429])
    expect((await get(path(two))).status).toBe(200)
  })

  it('costs little: a thousand readers wait in less than 20 MB and wake together', async () => {
    const worlds = await Promise.all(['w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7'].map((name) => open(name)))
    // Both ends in one process would weigh double.
    const readers = spawn(process.execPath, ['-e', READERS, ...worlds.map(({ url }) => url)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const output = text(readers.stdout)
    await once(readers, 'spawn')
    const before = weight()
    readers.stdin.end('go')
    const waiting = () => worlds.reduce((sum, { pod }) => sum + service.waiting(pod.metadata.uid ?? ''), 0)
    await expect.poll(waiting, { timeout: 15_000 }).toBe(1000)
    const megabytes = (weight() - before) / 2 ** 20
    if (process.env.DEBUG) process.stderr.write(`1000 readers: ${megabytes.toFixed(1)} MB\n`)
    expect(megabytes).toBeLessThan(20)
    for (const world of worlds) {
      world.pod = { ...world.pod, metadata: { ...world.pod.metadata, labels: { woken: 'yes' } } }
      service.changed(world.pod.metadata.uid ?? '')
    }
    expect(await output).toBe('yes 1000\n')
  })
})

describe('the paths of rkt', () => {
  it('tell uuid, annotations, manifest and images', async () => {
    const { url } = await open('rkt', { annotations: { who: 'me' } })
    const root = `${url}/acMetadata/v1`
    const ask = async (path: string) => (await get(`${root}/${path}`, APPC)).text()
    expect((await get(`${root}/pod/uuid`, APPC)).headers.get('metadata-flavor')).toBe('AppContainer')
    expect(await ask('pod/uuid')).toBe('uid-rkt')
    expect(JSON.parse(await ask('pod/annotations'))).toEqual([{ name: 'who', value: 'me' }])
    expect(JSON.parse(await ask('pod/manifest'))).toMatchObject({ kind: 'Pod', spec: { containers: [{ name: 'web' }] } })
    expect(await ask('apps/web/image/id')).toBe('sha256:abc')
    expect(JSON.parse(await ask('apps/web/annotations'))).toEqual([{ name: 'maker', value: 'us' }])
    expect((await get(`${root}/apps/db/image/id`, APPC)).status).toBe(404)
  })

  it('sign for a pod, and verify for any pod of the node', async () => {
    const [one, two] = [await open('signer'), await open('checker')]
    const post = (world: World, path: string, form: Record<string, string>) =>
      get(`${world.url}/acMetadata/v1/pod/hmac/${path}`, APPC, { method: 'POST', body: new URLSearchParams(form) })
    const signature = await (await post(one, 'sign', { content: 'hello' })).text()
    expect(signature).toMatch(/^[A-Za-z0-9+/]{86}==$/)
    const check = (form: Record<string, string>) =>
      post(two, 'verify', { content: 'hello', signature, uuid: 'uid-signer', ...form }).then(({ status }) => status)
    expect(await check({})).toBe(200)
    expect(await check({ content: 'hallo' })).toBe(403)
    expect(await check({ uuid: 'uid-checker' })).toBe(403)
    expect((await post(two, 'verify', { content: 'x' })).status).toBe(400)
    expect((await post(two, 'sign', { content: 'x'.repeat(70_000) })).status).toBe(413)
  })
})
