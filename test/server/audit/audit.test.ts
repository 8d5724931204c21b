import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { readApiServerFiles } from '../../../src/api-server-files.ts'
import { parsePolicy } from '../../../src/server/audit/policy.ts'
import { httpsClient } from '../http/https-client.ts'
import { startServer, type TestServer } from '../start-server.ts'
import { createProcessNode } from '../streams/process-node.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const SECRETS = '/api/v1/namespaces/default/secrets'
const POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: ["/healthz*"]
- level: Metadata
  resources: [{group: "", resources: [secrets]}]
- level: RequestResponse
  verbs: [create]
  resources: [{group: "", resources: [configmaps]}]
  omitManagedFields: true
- level: Request
  resources: [{group: ""}]
`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skiff-audit-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

type Event = Record<string, unknown>

/** Runs `work` on a server with this policy, and gives what it wrote. */
type Work = (http: Awaited<ReturnType<typeof httpsClient>>, server: TestServer) => Promise<void>
async function eventsOf(policy: string | undefined, work: Work) {
  const auditLog = join(folder, 'audit.log')
  const auditPolicy = policy && join(folder, 'policy.yaml')
  if (auditPolicy && policy) writeFileSync(auditPolicy, policy)
  const server = await startServer({ more: await readApiServerFiles({ auditLog, auditPolicy }) })
  await work(await httpsClient(server), server)
  await server.close()
  const lines = readFileSync(auditLog, 'utf8').trim().split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Event)
}

const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { k: 'v' } }

describe('the audit log', () => {
  it('holds as much of a request as the policy says', async () => {
    const events = await eventsOf(POLICY, async (http) => {
      await http.send('GET', '/healthz')
      await http.send('POST', MAPS, map)
      await http.send('GET', `${MAPS}/m`)
      await http.send('POST', SECRETS, { ...map, kind: 'Secret', data: {}, stringData: { k: 'hidden' } })
      await http.send('POST', MAPS, map)
    })
    expect(events.map((e) => [e.level, e.verb, (e.objectRef as Event).resource, (e.responseStatus as Event).code])).toEqual([
      ['RequestResponse', 'create', 'configmaps', 201],
      ['Request', 'get', 'configmaps', 200],
      ['Metadata', 'create', 'secrets', 201],
      ['RequestResponse', 'create', 'configmaps', 409],
    ])
    const [created, , secret, refused] = events
    expect(created).toMatchObject({
      stage: 'ResponseComplete',
      user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      requestURI: MAPS,
      requestObject: { data: { k: 'v' } },
      responseObject: { metadata: { name: 'm', namespace: 'default' } },
      annotations: { 'authorization.k8s.io/decision': 'allow' },
    })
    expect(JSON.stringify(created)).not.toContain('managedFields')
    expect(JSON.stringify(secret)).not.toContain('hidden')
    expect(refused).toMatchObject({ responseObject: { kind: 'Status', reason: 'AlreadyExists' } })
  })

  it('without a policy says who did what, as whom, and that it was refused', async () => {
    const events = await eventsOf(undefined, async (http) => {
      await http.send('GET', MAPS, undefined, { 'impersonate-user': 'jane' })
      await new Promise<void>((resolve, reject) => {
        const { cert: _, key: __, ...bare } = http.options
        get({ ...bare, path: MAPS, agent: false }, (response) => response.resume().on('end', () => resolve())).on('error', reject)
      })
    })
    expect(events[0]).toMatchObject({
      level: 'Metadata',
      user: { username: 'admin' },
      impersonatedUser: { username: 'jane', groups: ['system:authenticated'] },
      responseStatus: { code: 403, reason: 'Forbidden' },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    })
    expect(events[1]).toMatchObject({ user: { username: 'system:anonymous' }, responseStatus: { code: 403 } })
  })

  it('knows where a watch begins and where it ends', async () => {
    const events = await eventsOf(undefined, async (http) => {
      await http.send('GET', `${MAPS}?watch=1&timeoutSeconds=1`)
    })
    expect(events.map((event) => event.stage)).toEqual(['ResponseStarted', 'ResponseComplete'])
  })

  it('says what was tried by those whom nobody knows, and nothing of who they are', async () => {
    const policy = 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, users: [x]}, {level: RequestResponse}]'
    const events = await eventsOf(policy, async ({ options: { cert: _, key: __, ...bare } }) => {
      const headers = { authorization: 'Bearer nobody' }
      const [response] = await once(get({ ...bare, path: MAPS, agent: false, headers }), 'response')
      expect(response.resume().statusCode).toBe(401)
      const socket = new WebSocket(`wss://127.0.0.1:${bare.port}${MAPS}/m/exec`, [], { ca: bare.ca as string, headers })
      const [, refusal] = await once(socket, 'unexpected-response')
      expect(refusal.statusCode).toBe(401)
      socket.on('error', () => {}).terminate()
    })
    expect(events).toHaveLength(2)
    for (const event of events) {
      expect(event).toMatchObject({ stage: 'ResponseStarted', level: 'RequestResponse', user: {} })
      const message = 'Authentication failed, attempted: bearer'
      expect(event.responseStatus).toEqual({ metadata: {}, message, code: 401 })
      expect(event).not.toHaveProperty('responseObject')
    }
  })

  it('knows when a connection was upgraded, when it ended, and when it was not to be', async () => {
    const pod = '/api/v1/namespaces/default/pods/p'
    const events = await eventsOf(undefined, async ({ options }, server) => {
      server.server.connectNode('n', createProcessNode())
      const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] }
      await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
      await server.call('POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'p' }, spec })
      const { ca, cert, key, port } = options as { ca: string; cert: string; key: string; port: number }
      const open = (path: string) => new WebSocket(`wss://127.0.0.1:${port}${path}`, [], { ca, cert, key })
      await once(open(`${pod}/exec?stdout=1&command=true`), 'close')
      const refused = open(`${pod}x/exec?stdout=1&command=true`)
      await once(refused, 'unexpected-response')
      refused.on('error', () => {}).terminate()
    })
    expect(events.map(({ stage, objectRef, responseStatus, verb }) => [stage, verb, objectRef, responseStatus])).toMatchObject([
      ['ResponseStarted', 'get', { resource: 'pods', name: 'p', subresource: 'exec' }, { code: 101 }],
      ['ResponseComplete', 'get', { resource: 'pods', name: 'p', subresource: 'exec' }, { code: 101 }],
      ['ResponseStarted', 'get', { resource: 'pods', name: 'px' }, { code: 404 }],
      ['ResponseComplete', 'get', { resource: 'pods', name: 'px' }, { code: 404, reason: 'NotFound' }],
    ])
    expect(events[0]).toMatchObject({ user: { username: 'admin' }, annotations: { 'authorization.k8s.io/decision': 'allow' } })
  })

  it('tells of a caller who did not wait for the answer', async () => {
    const policy = 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]'
    const events = await eventsOf(policy, async ({ options }) => {
      const headers = { 'content-type': 'application/json', 'content-length': 100 }
      const asked = request({ ...options, method: 'POST', path: MAPS, agent: false, headers }).on('error', () => {})
      asked.write('{')
      await expect.poll(() => readFileSync(join(folder, 'audit.log'), 'utf8'), { timeout: 30_000 }).toContain('RequestReceived')
      asked.destroy()
    })
    expect(events.map(({ stage, responseStatus }) => [stage, responseStatus])).toEqual([
      ['RequestReceived', undefined],
      ['ResponseComplete', { metadata: {}, status: 'Success', message: 'Connection closed early', code: 200 }],
    ])
  })

  it('tells of a user who may not act as another', async () => {
    const events = await eventsOf(undefined, async ({ send }) => {
      expect((await send('GET', MAPS, undefined, { 'impersonate-group': 'g' })).status).toBe(400)
    })
    expect(events).toMatchObject([{ stage: 'ResponseComplete', user: { username: 'admin' }, responseStatus: { code: 400 } }])
  })
})

describe('a policy', () => {
  it.each([
    [{ kind: 'Policy' }, 'it must be a Policy of audit.k8s.io/v1'],
    [{ kind: 'Policy', apiVersion: 'audit.k8s.io/v1' }, 'it must have at least one rule'],
    [{ kind: 'Policy', apiVersion: 'audit.k8s.io/v1', rules: [{ level: 'All' }] }, 'rules[0].level must be one of None'],
  ])('%j is refused', (policy, text) => {
    expect(() => parsePolicy(policy, 'p.yaml')).toThrow(`p.yaml: ${text}`)
  })

  it('without a log is refused', async () => {
    await expect(readApiServerFiles({ auditPolicy: 'p.yaml' })).rejects.toThrow('name its file with --audit-log')
  })
})
