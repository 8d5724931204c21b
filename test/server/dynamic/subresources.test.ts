/** What webhooks and policies are asked about subresources and connections: rules, kinds, objects. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { KubeObject } from '../../../src/api/object.ts'
import { type HttpClient, httpsClient } from '../http/https-client.ts'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'
import { createProcessNode } from '../streams/process-node.ts'
import { type Answer, allow, patch, type Review, type ReviewServer, reviewServer } from './https-server.ts'

const NS = '/api/v1/namespaces/default'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const API = '/apis/admissionregistration.k8s.io/v1'

let server: TestServer
let http: HttpClient
let hooks: ReviewServer
let answer: Answer
beforeEach(async () => {
  server = await startServer()
  http = await httpsClient(server)
  answer = (_path, review) => allow(review)
  hooks = await reviewServer((path, review) => answer(path, review))
  server.server.connectNode('n', createProcessNode())
  await server.call('POST', `${NS}/serviceaccounts`, { metadata: { name: 'default' } })
  const spec = { containers: [{ name: 'c', image: 'i' }] }
  await server.call('POST', `${NS}/pods`, { metadata: { name: 'p' }, spec })
})
afterEach(async () => {
  await server.close()
  await hooks.close()
})

const rule = (operations: string[], apiGroups: string[], resources: string[]) => ({
  ...{ operations, apiGroups, apiVersions: ['*'], resources },
})

function hook(kind: 'Mutating' | 'Validating', ...rules: object[]) {
  return server.call('POST', `${API}/${kind.toLowerCase()}webhookconfigurations`, {
    metadata: { name: 'test' },
    webhooks: [
      {
        ...{ name: 'a.example.com', rules, sideEffects: 'None', admissionReviewVersions: ['v1'] },
        clientConfig: { url: `${hooks.url}/a`, caBundle: hooks.caBundle },
      },
    ],
  })
}

async function policy(kind: 'Mutating' | 'Validating', spec: object, ...resourceRules: object[]) {
  const matchConstraints = { resourceRules }
  const more = kind === 'Mutating' ? { failurePolicy: 'Fail', reinvocationPolicy: 'Never' } : {}
  const [plural, bindings] = ['ies', 'ybindings'].map((end) => `${API}/${kind.toLowerCase()}admissionpolic${end}`)
  await server.call('POST', plural!, { metadata: { name: 'p' }, spec: { matchConstraints, ...more, ...spec } })
  const actions = kind === 'Validating' ? { validationActions: ['Deny'] } : {}
  await server.call('POST', bindings!, { metadata: { name: 'b' }, spec: { policyName: 'p', ...actions } })
}

const deployment = (replicas: number) => ({
  metadata: { name: 'd', labels: { app: 'd' } },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'd' } },
    template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
})
const asked = () => hooks.asked.map(({ body }) => body.request as Review)
const failure = (run: Promise<unknown>) =>
  run.then(
    () => expect.unreachable('it was accepted'),
    ({ code, message }) => ({ code, message }),
  )

/** How a WebSocket was answered, and what it sent on its output until it closed. */
async function connect(path: string): Promise<{ code: number; message?: string; output: string }> {
  const { ca, cert, key } = http.options as { ca: string; cert: string; key: string }
  const socket = new WebSocket(`${http.url.replace('https', 'wss')}${path}`, ['v4.channel.k8s.io'], { ca, cert, key })
  let output = ''
  socket.on('message', (data: Buffer) => {
    if (data[0] === 1) output += data.subarray(1).toString()
  })
  return await new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => resolve({ code: 101, output }))
    socket.on('unexpected-response', (_request, response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ code: response.statusCode ?? 0, message: JSON.parse(text).message, output }))
    })
  })
}

async function running() {
  await server.call('POST', `${NS}/pods/p/binding`, { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } })
  await server.call('PATCH', `${NS}/pods/p/status`, { status: { phase: 'Running' } }, PATCH_TYPES.merge)
}

describe('a scale', () => {
  it('is what is seen of a write through it, before and after', async () => {
    await server.call('POST', DEPLOYMENTS, deployment(1))
    await hook('Validating', rule(['*'], ['apps'], ['*/scale']))
    await server.call('PATCH', `${DEPLOYMENTS}/d/scale`, { spec: { replicas: 3 } }, PATCH_TYPES.merge)
    await server.call('PATCH', `${DEPLOYMENTS}/d`, { spec: { replicas: 4 } }, PATCH_TYPES.merge)
    expect(asked()).toHaveLength(1)
    expect(asked()[0]).toMatchObject({
      ...{ operation: 'UPDATE', subResource: 'scale', requestSubResource: 'scale', name: 'd', namespace: 'default' },
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      requestKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      object: { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 3 }, status: { selector: 'app=d' } },
      oldObject: { kind: 'Scale', spec: { replicas: 1 } },
      options: { kind: 'PatchOptions' },
    })
  })

  it('is what a mutator changes, and what is checked afterwards', async () => {
    await server.call('POST', DEPLOYMENTS, deployment(1))
    await hook('Mutating', rule(['UPDATE'], ['apps'], ['deployments/scale']))
    answer = (_path, review) => patch(review, [{ op: 'replace', path: '/spec/replicas', value: 2 }])
    const scale = await server.call('PATCH', `${DEPLOYMENTS}/d/scale`, { spec: { replicas: 50 } }, PATCH_TYPES.merge)
    expect(scale.spec).toEqual({ replicas: 2 })
    expect((await server.call('GET', `${DEPLOYMENTS}/d`)).spec.replicas).toBe(2)
    answer = (_path, review) => patch(review, [{ op: 'replace', path: '/spec/replicas', value: -2 }])
    const refused = await failure(server.call('PATCH', `${DEPLOYMENTS}/d/scale`, { spec: { replicas: 1 } }, PATCH_TYPES.merge))
    expect(refused).toMatchObject({ code: 422, message: expect.stringContaining('spec.replicas: Invalid value: -2') })
  })

  it('is what policies see', async () => {
    await server.call('POST', DEPLOYMENTS, deployment(1))
    const expression = "object.spec.replicas <= oldObject.spec.replicas + 1 && request.kind.kind == 'Scale'"
    await policy('Validating', { validations: [{ expression }] }, rule(['UPDATE'], ['apps'], ['deployments/scale']))
    await server.call('PATCH', `${DEPLOYMENTS}/d/scale`, { spec: { replicas: 2 } }, PATCH_TYPES.merge)
    const refused = await failure(server.call('PATCH', `${DEPLOYMENTS}/d/scale`, { spec: { replicas: 9 } }, PATCH_TYPES.merge))
    expect(refused.message).toContain(`failed expression: ${expression}`)
    await server.call('PATCH', `${DEPLOYMENTS}/d`, { spec: { replicas: 9 } }, PATCH_TYPES.merge)
  })

  it('is what a mutating policy applies to', async () => {
    await server.call('POST', DEPLOYMENTS, deployment(1))
    const expression = 'Object{spec: Object.spec{replicas: 3}}'
    const mutations = [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }]
    await policy('Mutating', { mutations }, rule(['UPDATE'], ['apps'], ['deployments/scale']))
    await server.call('PATCH', `${DEPLOYMENTS}/d/scale`, { spec: { replicas: 9 } }, PATCH_TYPES.merge)
    expect((await server.call('GET', `${DEPLOYMENTS}/d`)).spec.replicas).toBe(3)
  })
})

describe('what is posted to a subresource', () => {
  it('is of its own kind', async () => {
    await hook('Validating', rule(['CREATE'], [''], ['pods/*', 'serviceaccounts/token', 'bindings']))
    await running()
    await server.call('POST', `${NS}/serviceaccounts/default/token`, { spec: { audiences: ['a'] } })
    await server.call('POST', `${NS}/pods/p/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } })
    await server.call('POST', `${NS}/pods`, { metadata: { name: 'q' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
    await server.call('POST', `${NS}/bindings`, { metadata: { name: 'q' }, target: { kind: 'Node', name: 'n' } })
    // As in Kubernetes, `pods/*` is the pods themselves, too.
    const [binding, token, eviction, pod, other] = asked().map((one) => [
      one.kind,
      one.resource.resource,
      one.subResource,
      one.name,
    ])
    expect(pod).toEqual([{ group: '', version: 'v1', kind: 'Pod' }, 'pods', undefined, 'q'])
    expect([binding, token, eviction, other]).toEqual([
      [{ group: '', version: 'v1', kind: 'Binding' }, 'pods', 'binding', 'p'],
      [{ group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }, 'serviceaccounts', 'token', 'default'],
      [{ group: 'policy', version: 'v1', kind: 'Eviction' }, 'pods', 'eviction', 'p'],
      [{ group: '', version: 'v1', kind: 'Binding' }, 'bindings', undefined, 'q'],
    ])
    expect(asked()[0]!.object).toMatchObject({ kind: 'Binding', target: { name: 'n' } })
  })

  it('can be changed: a token lasts as long as the webhook says', async () => {
    await hook('Mutating', rule(['CREATE'], [''], ['serviceaccounts/token']))
    answer = (_path, review) => patch(review, [{ op: 'add', path: '/spec/expirationSeconds', value: 700 }])
    const token = await server.call('POST', `${NS}/serviceaccounts/default/token`, { spec: { audiences: ['a'] } })
    expect(token.spec.expirationSeconds).toBe(700)
  })

  it('is the object itself for finalize and approval', async () => {
    await hook('Validating', rule(['UPDATE'], ['*'], ['namespaces/finalize', 'certificatesigningrequests/approval']))
    const namespace = await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'n' } })
    await server.call('PUT', '/api/v1/namespaces/n/finalize', namespace)
    expect(asked().map(({ kind, subResource, object }) => [kind.kind, subResource, object.metadata.name])).toEqual([
      ['Namespace', 'finalize', 'n'],
    ])
  })

  it('may be a question, which webhooks are asked about and policies are not', async () => {
    await hook('Validating', rule(['CREATE'], ['authorization.k8s.io'], ['*']))
    const all = rule(['CREATE'], ['authorization.k8s.io'], ['*'])
    await policy('Validating', { validations: [{ expression: 'false' }] }, all)
    const review = { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } }
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    expect((await server.call('POST', path, review)).status.allowed).toBe(true)
    expect(asked()[0]!.object.spec).toEqual(review.spec)
  })
})

describe('a connection', () => {
  it('is a CONNECT with its options, and may be refused or changed', async () => {
    await running()
    await hook('Mutating', rule(['CONNECT'], [''], ['pods/exec']))
    expect((await connect(`${NS}/pods/p/exec?stdout=1&command=echo&command=one&container=c`)).output).toBe('one\n')
    expect(asked()).toHaveLength(1)
    expect(asked()[0]).toMatchObject({
      ...{ operation: 'CONNECT', subResource: 'exec', name: 'p', dryRun: false, oldObject: null, options: null },
      kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
      object: { kind: 'PodExecOptions', apiVersion: 'v1', stdout: true, container: 'c', command: ['echo', 'one'] },
    })
    answer = (_path, review) => patch(review, [{ op: 'replace', path: '/command/1', value: 'two' }])
    expect((await connect(`${NS}/pods/p/exec?stdout=1&command=echo&command=one`)).output).toBe('two\n')
    answer = (_path, review) => allow(review, { allowed: false, status: { message: 'not in here' } })
    expect(await connect(`${NS}/pods/p/exec?stdout=1&command=true`)).toMatchObject({
      ...{ code: 400, message: 'admission webhook "a.example.com" denied the request: not in here' },
    })
  })

  it('is refused by a policy, for all that begins with pods', async () => {
    await running()
    const expression = "!has(object.command) || object.command[0] != 'rm'"
    await policy('Validating', { validations: [{ expression }] }, rule(['CONNECT'], ['*'], ['pods/*']))
    expect(await connect(`${NS}/pods/p/exec?stdout=1&command=rm`)).toMatchObject({ code: 422 })
    expect((await connect(`${NS}/pods/p/exec?stdout=1&command=echo&command=fine`)).output).toBe('fine\n')
  })

  it('through a proxy has the path in its options', async () => {
    await running()
    await hook('Validating', rule(['CONNECT'], [''], ['*/proxy']))
    const { body } = await http.send('GET', '/api/v1/nodes/none/proxy/healthz?dryRun=whatever')
    expect(JSON.parse(body.toString()).code).toBe(404)
    await http.send('POST', `${NS}/pods/p:1/proxy/a/b/`, 'x')
    await http.send('GET', `${NS}/services/s/proxy/`)
    expect(asked().map(({ kind, object, operation, name }) => [kind.kind, object.path, operation, name])).toEqual([
      ['NodeProxyOptions', 'healthz', 'CONNECT', 'none'],
      ['PodProxyOptions', 'a/b', 'CONNECT', 'p:1'],
      ['ServiceProxyOptions', undefined, 'CONNECT', 's'],
    ])
  })

  it('has no labels to be selected by', async () => {
    await running()
    await server.call('POST', `${API}/validatingwebhookconfigurations`, {
      metadata: { name: 'test' },
      webhooks: [
        {
          ...{
            name: 'a.example.com',
            rules: [rule(['*'], ['*'], ['*/*'])],
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
          clientConfig: { url: `${hooks.url}/a`, caBundle: hooks.caBundle },
          objectSelector: { matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] },
        },
      ],
    })
    await connect(`${NS}/pods/p/exec?stdout=1&command=true`)
    expect(asked()).toEqual([])
    const created: KubeObject = await server.call('POST', `${NS}/configmaps`, { metadata: { name: 'm' } })
    expect([created.metadata.name, asked().length]).toEqual(['m', 1])
  })
})
