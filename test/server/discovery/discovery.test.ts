import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ResourceDefinition } from '../../../src/api/definition.ts'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { OutsideVersions } from '../../../src/server/aggregation/outside.ts'
import { Discovery } from '../../../src/server/discovery/groups.ts'
import { Registry } from '../../../src/server/registry.ts'
import { startServer, type TestServer } from '../start-server.ts'

let server: TestServer
beforeEach(async () => {
  server = await startServer()
})
afterEach(() => server.close())

const get = <T>(path: string, accept = 'application/json') => server.call<T>('GET', path, undefined, { headers: { accept } })

describe('discovery', () => {
  it('lists groups and resources', async () => {
    expect(await get('/api')).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
    const { groups } = await get<{ groups: { name: string; preferredVersion: { version: string } }[] }>('/apis')
    expect(groups.find(({ name }) => name === 'autoscaling')?.preferredVersion.version).toBe('v2')
    const { resources } = await get<{ resources: { name: string }[] }>('/apis/apps/v1')
    expect(resources.map(({ name }) => name)).toContain('deployments/scale')
  })

  it('aggregates when asked to', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    expect(await get('/apis', accept)).toMatchObject({ kind: 'APIGroupDiscoveryList' })
  })

  it('follows the registry', () => {
    const registry = new Registry(builtinDefinitions)
    const discovery = new Discovery(registry, new OutsideVersions())
    expect(discovery.group('x.example')).toBeUndefined()
    const added: ResourceDefinition = { ...builtinDefinitions[0]!, group: 'x.example', version: 'v1', plural: 'things' }
    registry.add([added])
    expect(discovery.group('x.example')).toMatchObject({ name: 'x.example' })
    registry.remove([added])
    expect(discovery.group('x.example')).toBeUndefined()
  })

  it('answers for its health, version, metrics and documents', async () => {
    for (const path of ['/healthz', '/livez', '/readyz', '/livez/ping']) expect(await get(path)).toBe('ok')
    expect(await get('/version')).toMatchObject({ major: '1', minor: '36' })
    expect(await get('/metrics')).toContain('apiserver_request_total')
    expect(await get('/openapi/v3')).toHaveProperty(['paths', 'apis/apps/v1'])
    await expect(get('/nope')).rejects.toMatchObject({ code: 404 })
  })
})
