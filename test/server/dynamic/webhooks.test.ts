/** Admission webhooks: a real API server asks a real HTTPS server. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { PATCH_TYPES, startServer, type TestServer } from '../start-server.ts'
import { createProcessNode } from '../streams/process-node.ts'
import { type Answer, allow, patch, type ReviewServer, reviewServer } from './https-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const RULE = { operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }

let server: TestServer
let hooks: ReviewServer
let answer: Answer
beforeEach(async () => {
  server = await startServer()
  answer = (_path, review) => allow(review)
  hooks = await reviewServer((path, review) => answer(path, review), ['127.0.0.1', 'hook.default.svc'])
})
afterEach(async () => {
  await server.close()
  await hooks.close()
})

function configure(kind: 'Mutating' | 'Validating', webhooks: object[], name = 'test') {
  const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`
  const complete = webhooks.map((webhook) => ({
    ...{ name: 'a.example.com', rules: [RULE], sideEffects: 'None', admissionReviewVersions: ['v1'] },
    clientConfig: { url: `${hooks.url}/a`, caBundle: hooks.caBundle },
    ...webhook,
  }))
  const body = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name },
    webhooks: complete,
  }
  return server.call('POST', path, body)
}
const at = (path: string) => ({ url: `${hooks.url}${path}`, caBundle: hooks.caBundle })
const map = (name: string, more: object = {}) => ({ metadata: { name }, ...more })

async function failure(run: Promise<unknown>): Promise<{ code: number; message: string }> {
  return await run.then(
    () => expect.unreachable('it was accepted'),
    (error) => ({ code: error.code, message: error.message }),
  )
}

describe('mutating webhooks', () => {
  it('patch the object in the order of their names, and are told who writes what', async () => {
    await configure('Mutating', [
      { name: 'a.example.com', clientConfig: at('/one') },
      { name: 'b.example.com', clientConfig: at('/two') },
    ])
    answer = (path, review) =>
      path === '/one'
        ? patch(review, [{ op: 'add', path: '/data', value: { one: '1' } }], { warnings: ['one was here'] })
        : patch(review, [{ op: 'add', path: '/data/two', value: review.request.object.data.one }])
    const created = await server.respond('POST', MAPS, map('m'))
    expect((created.object as KubeObject).data).toEqual({ one: '1', two: '1' })
    expect(created.warnings).toEqual(['one was here'])
    expect(hooks.asked[0]!.body.request).toMatchObject({
      ...{ operation: 'CREATE', name: 'm', namespace: 'default', dryRun: false, oldObject: null },
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'm' } },
    })
  })

  it('are asked again when the object changed after them and they want to know', async () => {
    await configure('Mutating', [
      { name: 'a.example.com', clientConfig: at('/first'), reinvocationPolicy: 'IfNeeded' },
      { name: 'b.example.com', clientConfig: at('/second') },
    ])
    answer = (path, review) =>
      path === '/first' ? allow(review) : patch(review, [{ op: 'add', path: '/metadata/labels', value: { late: 'yes' } }])
    await server.call('POST', MAPS, map('m'))
    expect(hooks.asked.map(({ path }) => path)).toEqual(['/first', '/second', '/first'])
    expect(hooks.asked[2]!.body.request.object.metadata.labels).toEqual({ late: 'yes' })
  })

  it('are asked about deletes, with what is there', async () => {
    await server.call('POST', MAPS, map('m', { data: { a: '1' } }))
    await configure('Mutating', [{ rules: [{ ...RULE, operations: ['DELETE'] }] }])
    await server.call('DELETE', `${MAPS}/m`)
    expect(hooks.asked.map(({ body }) => body.request)).toMatchObject([
      { operation: 'DELETE', object: null, oldObject: { data: { a: '1' } } },
    ])
  })

  it('see the object in the version of their rules, and patch it there', async () => {
    const autoscalers = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers'
    await configure('Mutating', [
      { rules: [{ ...RULE, apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['horizontalpodautoscalers'] }] },
    ])
    answer = (_path, review) => patch(review, [{ op: 'replace', path: '/spec/maxReplicas', value: 7 }])
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
    const created = await server.call('POST', autoscalers, {
      ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'web' } },
      spec: { maxReplicas: 3, scaleTargetRef },
    })
    expect(hooks.asked[0]!.body.request).toMatchObject({ kind: { version: 'v1' }, requestKind: { version: 'v2' } })
    expect([created.apiVersion, created.spec?.maxReplicas]).toEqual(['autoscaling/v2', 7])
  })
})

describe('validating webhooks', () => {
  it('refuse in their own words, and are asked for what their selectors name', async () => {
    await configure('Validating', [{ objectSelector: { matchLabels: { watched: 'yes' } } }])
    answer = (_path, review) =>
      allow(review, { allowed: false, status: { message: 'not today', code: 403, reason: 'Forbidden' } })
    await server.call('POST', MAPS, map('free'))
    expect(hooks.asked).toEqual([])
    const refused = await failure(
      server.call('PATCH', `${MAPS}/free`, { metadata: { labels: { watched: 'yes' } } }, PATCH_TYPES.merge),
    )
    expect(refused).toEqual({ code: 403, message: 'admission webhook "a.example.com" denied the request: not today' })
  })

  it('that cannot be reached refuse or are ignored, as their failure policy says', async () => {
    const nowhere = { clientConfig: { url: 'https://127.0.0.1:1/x', caBundle: hooks.caBundle } }
    await configure('Validating', [{ ...nowhere, failurePolicy: 'Ignore' }], 'ignored')
    await server.call('POST', MAPS, map('a'))
    await configure('Validating', [{ ...nowhere, timeoutSeconds: 5 }], 'failing')
    expect(await failure(server.call('POST', MAPS, map('b')))).toEqual({
      code: 500,
      message:
        'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: Post "https://127.0.0.1:1/x?timeout=5s": dial tcp 127.0.0.1:1: connect: connection refused',
    })
  })

  it('have as long as they say', async () => {
    await configure('Validating', [{ timeoutSeconds: 1 }])
    answer = () => undefined
    const { message } = await failure(server.call('POST', MAPS, map('slow')))
    expect(message).toContain('context deadline exceeded')
  })

  it('must be known by the authority they name', async () => {
    const other = await reviewServer(() => undefined)
    await configure('Validating', [{ clientConfig: { url: `${hooks.url}/a`, caBundle: other.caBundle } }])
    const { message } = await failure(server.call('POST', MAPS, map('m')))
    expect(message).toContain('x509: certificate signed by unknown authority')
    await other.close()
  })

  it('are found through a Service, whose certificate names it', async () => {
    await server.call('POST', '/api/v1/namespaces/default/services', {
      metadata: { name: 'hook' },
      spec: { ports: [{ port: 443, targetPort: hooks.port }] },
    })
    // The pod's address leads nowhere: it is its node that knows the way.
    server.server.connectNode('node', createProcessNode())
    await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
    await server.call('POST', '/api/v1/namespaces/default/pods', {
      metadata: { name: 'hook-0' },
      spec: { nodeName: 'node', containers: [{ name: 'c', image: 'hook' }] },
    })
    const targetRef = { kind: 'Pod', namespace: 'default', name: 'hook-0' }
    await server.call('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      metadata: { name: 'hook-1', labels: { 'kubernetes.io/service-name': 'hook' } },
      ...{ addressType: 'IPv4', ports: [{ port: hooks.port }], endpoints: [{ addresses: ['10.0.0.1'], targetRef }] },
    })
    const service = { namespace: 'default', name: 'hook', path: '/in' }
    await configure('Validating', [{ clientConfig: { service, caBundle: hooks.caBundle } }])
    await server.call('POST', MAPS, map('m'))
    expect(hooks.asked.map(({ path }) => path)).toEqual(['/in'])
    await server.call(
      'PATCH',
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/hook-1',
      { endpoints: [] },
      PATCH_TYPES.merge,
    )
  })

  it('are asked only when their conditions hold, and refuse when one cannot be evaluated', async () => {
    const condition = (expression: string) => [{ name: 'c', expression }]
    await configure('Validating', [
      { matchConditions: condition("request.userInfo.username != 'admin' || object.data.kind == 'asked'") },
    ])
    await server.call('POST', MAPS, map('a', { data: { kind: 'free' } }))
    await server.call('POST', MAPS, map('b', { data: { kind: 'asked' } }))
    expect(hooks.asked.map(({ body }) => body.request.name)).toEqual(['b'])
    expect((await failure(server.call('POST', MAPS, map('c')))).message).toContain('resulted in error: no such key: data')
  })

  it('are told of a dry run', async () => {
    await configure('Validating', [{ sideEffects: 'NoneOnDryRun' }])
    await server.call('POST', MAPS, map('m'), { query: { dryRun: 'All' } })
    expect(hooks.asked[0]!.body.request).toMatchObject({ dryRun: true, options: { dryRun: ['All'] } })
  })
})
