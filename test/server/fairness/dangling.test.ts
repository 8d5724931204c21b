import { afterEach, beforeEach, expect, it } from 'vitest'
import { startServer, type TestServer } from '../start-server.ts'

const API = '/apis/flowcontrol.apiserver.k8s.io/v1'
let server: TestServer
beforeEach(async () => {
  server = await startServer()
})
afterEach(() => server.close())

const conditions = async (name: string) => (await server.call('GET', `${API}/flowschemas/${name}`)).status?.conditions
const dangling = (name: string, status: string) =>
  expect.poll(() => conditions(name), { timeout: 30_000 }).toMatchObject([{ type: 'Dangling', status }])

it('says whether the level that a schema names is there, as it comes and goes', async () => {
  const found = await conditions('catch-all')
  expect(found).toEqual([
    {
      ...{ type: 'Dangling', status: 'False', reason: 'Found', lastTransitionTime: expect.stringMatching(/^\d{4}-.*Z$/) },
      message: 'This FlowSchema references the PriorityLevelConfiguration object named "catch-all" and it exists',
    },
  ])
  const spec = { priorityLevelConfiguration: { name: 'later' }, rules: [] }
  await server.call('POST', `${API}/flowschemas`, { metadata: { name: 's' }, spec })
  await dangling('s', 'True')
  expect(await conditions('s')).toMatchObject([
    {
      reason: 'NotFound',
      message: 'This FlowSchema references the PriorityLevelConfiguration object named "later" but there is no such object',
    },
  ])
  const level = { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } }
  await server.call('POST', `${API}/prioritylevelconfigurations`, { metadata: { name: 'later' }, spec: level })
  await dangling('s', 'False')
  await server.call('DELETE', `${API}/prioritylevelconfigurations/later`)
  await dangling('s', 'True')
  const schema = await server.call('GET', `${API}/flowschemas/s`)
  expect(schema.metadata.managedFields).toContainEqual(
    expect.objectContaining({
      manager: 'api-priority-and-fairness-config-consumer-v1',
      operation: 'Apply',
      subresource: 'status',
    }),
  )
  // Its own writes call for no further ones.
  expect((await server.call('GET', `${API}/flowschemas/s`)).metadata.resourceVersion).toBe(schema.metadata.resourceVersion)
})
