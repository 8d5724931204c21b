/** Admission policies with bindings and parameters, on a real API server. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { startServer, type TestServer } from '../start-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const API = '/apis/admissionregistration.k8s.io/v1'
const RULES = [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }]

let server: TestServer
beforeEach(async () => {
  server = await startServer()
})
afterEach(() => server.close())

const create = (kind: string, name: string, spec: object) => {
  const plural = kind
    .toLowerCase()
    .replace(/policy$/, 'policie')
    .concat('s')
  return server.call('POST', `${API}/${plural}`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name },
    spec,
  })
}
const validating = (spec: object) =>
  create('ValidatingAdmissionPolicy', 'p', { matchConstraints: { resourceRules: RULES }, ...spec })
const bind = (spec: object = {}) =>
  create('ValidatingAdmissionPolicyBinding', 'b', { policyName: 'p', validationActions: ['Deny'], ...spec })
const mutating = async (spec: object) => {
  const whole = { matchConstraints: { resourceRules: RULES }, failurePolicy: 'Fail', reinvocationPolicy: 'Never', ...spec }
  await create('MutatingAdmissionPolicy', 'm', whole)
  await create('MutatingAdmissionPolicyBinding', 'm', { policyName: 'm' })
}
const map = (name: string, more: object = {}) => server.call('POST', MAPS, { metadata: { name }, ...more })

async function failure(run: Promise<unknown>): Promise<{ code: number; reason: string; message: string }> {
  return await run.then(
    () => expect.unreachable('it was accepted'),
    ({ code, reason, message }) => ({ code, reason, message }),
  )
}

describe('validating policies', () => {
  it('deny with their message and reason, in terms of their variables', async () => {
    await validating({
      variables: [
        { name: 'keys', expression: 'has(object.data) ? object.data.map(k, k) : []' },
        { name: 'count', expression: 'size(variables.keys)' },
      ],
      validations: [
        {
          expression: 'variables.count < 2',
          messageExpression: "'too many keys: ' + string(variables.count)",
          reason: 'Forbidden',
        },
        { expression: "!('bad' in variables.keys)" },
      ],
    })
    await bind()
    await map('a', { data: { one: '1' } })
    expect(await failure(map('b', { data: { one: '1', two: '2' } }))).toEqual({
      ...{ code: 403, reason: 'Forbidden' },
      message: "configmaps \"b\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: too many keys: 2",
    })
    const { code, message } = await failure(map('c', { data: { bad: '1' } }))
    expect([code, message]).toEqual([422, expect.stringContaining("failed expression: !('bad' in variables.keys)")])
  })

  it('warn instead, and are not asked where conditions or bindings leave them out', async () => {
    const matchConditions = [{ name: 'named', expression: "object.metadata.name.startsWith('a')" }]
    await validating({ matchConditions, validations: [{ expression: 'false', message: 'never' }] })
    await bind({ validationActions: ['Warn'], matchResources: { objectSelector: { matchLabels: { checked: 'yes' } } } })
    const warnings = async (name: string, labels: object) =>
      (await server.respond('POST', MAPS, { metadata: { name, labels } })).warnings
    expect(await warnings('a1', { checked: 'yes' })).toEqual([
      "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': never",
    ])
    expect(await warnings('a2', {})).toEqual([])
    expect(await warnings('b', { checked: 'yes' })).toEqual([])
  })

  it('take parameters, and say when there are none', async () => {
    await validating({
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'object.metadata.name == params.metadata.name || object.data.size == params.data.size' }],
    })
    await bind({ paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } })
    expect((await failure(map('x'))).message).toContain('no params found for policy binding with `Deny` parameterNotFoundAction')
    await server.call('DELETE', `${API}/validatingadmissionpolicybindings/b`)
    await map('limits', { data: { size: '5' } })
    await bind({ paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } })
    await map('right', { data: { size: '5' } })
    expect((await failure(map('wrong', { data: { size: '6' } }))).code).toBe(422)
  })

  it('count an expression that fails as their failure policy says', async () => {
    await validating({ failurePolicy: 'Fail', validations: [{ expression: 'object.data.missing == "x"' }] })
    await bind()
    expect((await failure(map('a', { data: {} }))).message).toContain(
      'denied request: expression \'object.data.missing == "x"\' resulted in error: no such key:',
    )
  })

  it('ask the authorizer', async () => {
    const check = "authorizer.group('').resource('secrets').namespace('default').check('get').allowed()"
    await validating({ validations: [{ expression: `${check} && authorizer.requestResource.check('delete').allowed()` }] })
    await bind()
    await map('a')
    const bob = server.server.inProcess({ name: 'bob', groups: ['writers'] })
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]
    await server.call('POST', `${rbac}/roles`, { metadata: { name: 'r' }, rules })
    const subjects = [{ kind: 'User', name: 'bob', apiGroup: 'rbac.authorization.k8s.io' }]
    const roleRef = { kind: 'Role', name: 'r', apiGroup: 'rbac.authorization.k8s.io' }
    await server.call('POST', `${rbac}/rolebindings`, { metadata: { name: 'r' }, subjects, roleRef })
    expect((await failure(bob.request({ method: 'POST', path: MAPS, body: { metadata: { name: 'b' } } }))).code).toBe(422)
  })

  it('are refused when their expressions make no sense', async () => {
    const { code, message } = await failure(validating({ validations: [{ expression: 'object.size() > 1 && params.x' }] }))
    expect([code, message]).toEqual([422, expect.stringContaining("undeclared reference to 'params' (in container '')")])
  })
})

describe('mutating policies', () => {
  it('apply configurations and JSON patches, each to what the one before made', async () => {
    await mutating({
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"injected": "yes"}}}' },
        },
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: '[JSONPatch{op: "add", path: "/data", value: {"label": object.metadata.labels.injected}}]' },
        },
      ],
    })
    const created = await map('m', { metadata: { name: 'm', labels: { own: '1' } } })
    expect([created.metadata.labels, created.data]).toEqual([{ own: '1', injected: 'yes' }, { label: 'yes' }])
  })

  it('merge lists by their keys, and refuse what does not fit the schema', async () => {
    const expression =
      'Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: "first", image: "busybox"}], nonsense: 1}}'
    const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }]
    const mutations = (text: string) => [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: text } }]
    await mutating({ matchConstraints: { resourceRules: rules }, mutations: mutations(expression) })
    await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
    const pod = () =>
      server.call<KubeObject>('POST', '/api/v1/namespaces/default/pods', {
        metadata: { name: 'p' },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      })
    expect((await failure(pod())).message).toContain(
      "policy 'm' with binding 'm' denied request: invalid ApplyConfiguration: .spec.nonsense",
    )
    const policy = structuredClone(await server.call('GET', `${API}/mutatingadmissionpolicies/m`))
    policy.spec!.mutations = mutations(expression.replace(', nonsense: 1', ''))
    await server.call('PUT', `${API}/mutatingadmissionpolicies/m`, policy)
    const created = await pod()
    expect(created.spec?.initContainers).toMatchObject([{ name: 'first', image: 'busybox', imagePullPolicy: 'Always' }])
    expect(created.spec?.volumes).toHaveLength(1)
  })
})
