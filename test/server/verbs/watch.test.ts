import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { KubeObject, WatchEvent } from '../../../src/api/object.ts'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
let server: TestServer
let stops: AbortController[]
beforeEach(async () => {
  server = await startServer()
  stops = []
})
afterEach(async () => {
  for (const stop of stops) stop.abort()
  await server.close()
})

const create = (name: string, labels: Record<string, string> = {}) =>
  server.call('POST', MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } })

function watch(query: Record<string, string> = {}) {
  const stop = new AbortController()
  stops.push(stop)
  const events: WatchEvent[] = []
  const ended = server.admin.watch({ method: 'GET', path: MAPS, query, signal: stop.signal }, (batch) => {
    events.push(...(batch as WatchEvent[]))
  })
  const seen = () => events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim())
  return { events, seen, stop, ended }
}

describe('watches', () => {
  it('begins with what is there, then follows', async () => {
    await create('a')
    const { seen } = watch()
    await vi.waitFor(() => expect(seen()).toEqual(['ADDED a']))
    await create('b')
    await server.call('PATCH', `${MAPS}/b`, { data: { x: '1' } }, PATCH_TYPES.merge)
    await server.call('DELETE', `${MAPS}/a`)
    await vi.waitFor(() => expect(seen()).toEqual(['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED a']))
  })

  it('goes on from a version, without gaps and without repeating', async () => {
    const first = await create('a')
    await create('b')
    const { seen } = watch({ resourceVersion: first.metadata.resourceVersion! })
    await create('c')
    await vi.waitFor(() => expect(seen()).toEqual(['ADDED b', 'ADDED c']))
  })

  it('turns changes into what a selector sees', async () => {
    const { events, seen } = watch({ labelSelector: 'on=yes', resourceVersion: String(server.store.revision) })
    await create('a', { on: 'no' })
    const label = (on: string) => server.call('PATCH', `${MAPS}/a`, { metadata: { labels: { on } } }, PATCH_TYPES.merge)
    await label('yes')
    const gone = await label('no')
    await vi.waitFor(() => expect(seen()).toEqual(['ADDED a', 'DELETED a']))
    const last = events[1]!.object as KubeObject
    expect(last.metadata.labels).toEqual({ on: 'yes' })
    expect(last.metadata.resourceVersion).toBe(gone.metadata.resourceVersion)
  })

  it('marks the end of the initial events', async () => {
    await create('a')
    const { events, seen } = watch({
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
    })
    await vi.waitFor(() => expect(seen()).toEqual(['ADDED a', 'BOOKMARK']))
    expect(events[1]!.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
  })

  it('says that a version is too old', async () => {
    const first = await create('a')
    await create('b')
    server.store.compact(server.store.revision)
    const { ended } = watch({ resourceVersion: first.metadata.resourceVersion! })
    await expect(ended).rejects.toMatchObject({ code: 410 })
  })

  it('ends when its reader stops, and when the server closes', async () => {
    const one = watch()
    one.stop.abort()
    await one.ended
    const two = watch()
    await vi.waitFor(() => expect(two.seen()).toEqual([]))
    await server.server.close()
    await two.ended
  })
})
