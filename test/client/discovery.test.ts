import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDiscovery, type Discovery } from '../../src/client/discovery.ts'
import { createDiscoveryCache } from '../../src/client/discovery-cache.ts'
import { createHttpTransport } from '../../src/client/http.ts'
import { createInProcessTransport } from '../../src/client/in-process.ts'
import type { Transport } from '../../src/client/transport.ts'
import { startServer, type TestServer } from '../server/start-server.ts'

let server: TestServer
let transport: Transport
let discovery: Discovery
beforeAll(async () => {
  server = await startServer()
  transport = createInProcessTransport(server.admin)
  discovery = createDiscovery(transport)
})
afterAll(() => server.close())

describe('discovery', () => {
  it.each([
    ['pods', 'pods.'],
    ['Pod', 'pods.'],
    ['po', 'pods.'],
    ['deploy', 'deployments.apps'],
    ['deployments.apps', 'deployments.apps'],
    ['deployments.v1.apps', 'deployments.apps'],
    ['ingress', 'ingresses.networking.k8s.io'],
    ['networkpolicy.networking', 'networkpolicies.networking.k8s.io'],
    ['ev', 'events.'],
    ['events.events.k8s.io', 'events.events.k8s.io'],
  ])('takes %s for %s', async (word, expected) => {
    const found = await discovery.find(word)
    expect(`${found?.plural}.${found?.group}`).toBe(expected)
  })

  it('finds nothing for what there is not', async () => {
    expect(await discovery.find('deployments.batch')).toBeUndefined()
    expect(await discovery.find('ship')).toBeUndefined()
    expect(await discovery.forKind('apps/v1', 'Pod')).toBeUndefined()
  })

  it('is read from the cache for as long as the server says that it is still so', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'skiff-discovery-'))
    const { url } = await server.server.listen({ host: '127.0.0.1', port: 0 })
    const { certificate, key } = await server.server.issueClientCertificate('admin', ['system:masters'])
    const access = {
      ...{ server: url, ca: server.server.caCertificate, clientCertificate: certificate, clientKey: key },
      ...{ namespace: 'default', contextName: '' },
    }
    const https = createHttpTransport(access)
    let read = 0
    const counting: Transport = {
      ...https,
      request: async (request) => {
        const response = await https.request(request)
        read++
        return response
      },
    }
    const ask = () => createDiscovery(counting, createDiscoveryCache(directory, access)).resources()
    const first = await ask()
    expect(read).toBe(2)
    expect(await ask()).toEqual(first)
    // Both roots were answered with 304, which the transport throws.
    expect(read).toBe(2)
    for (const file of readdirSync(directory)) writeFileSync(join(directory, file), 'not JSON')
    expect(await ask()).toEqual(first)
    expect(read).toBe(4)
    https.close()
    rmSync(directory, { recursive: true })
  })

  it('is the same from a server that does not aggregate', async () => {
    const plainAnswers: Transport = { ...transport, request: ({ headers: _, ...request }) => transport.request(request) }
    const name = (one: { group: string; version: string; plural: string; subresources: readonly string[] }) =>
      `${one.group}/${one.version}/${one.plural} ${one.subresources.join()}`
    const plain = await createDiscovery(plainAnswers).resources()
    expect(plain.map(name).sort()).toEqual((await discovery.resources()).map(name).sort())
  })
})
