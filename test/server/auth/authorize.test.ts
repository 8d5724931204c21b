import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { systemClock } from '../../../src/base/clock.ts'
import type { AdmissionRequest } from '../../../src/server/admission/contract.ts'
import { createAuth } from '../../../src/server/auth/auth.ts'
import type { Attributes } from '../../../src/server/auth/contract.ts'
import { forbiddenRequest } from '../../../src/server/auth/forbidden.ts'
import type { UserInfo } from '../../../src/server/contract.ts'
import { createObjects, random } from './objects.ts'

const RBAC = 'rbac.authorization.k8s.io'
const alice: UserInfo = { name: 'alice', groups: ['readers', 'system:authenticated'] }
const masters: UserInfo = { name: 'root', groups: ['system:masters'] }

async function setUp() {
  const objects = createObjects()
  const auth = await createAuth({ reader: objects.reader, clock: systemClock, random })
  const role = (namespace: string, name: string, rules: object[]) =>
    objects.put(RBAC, namespace ? 'roles' : 'clusterroles', { metadata: { ...(namespace && { namespace }), name }, rules })
  const bind = (namespace: string, name: string, kind: string, roleName: string, subjects: object[]) =>
    objects.put(RBAC, namespace ? 'rolebindings' : 'clusterrolebindings', {
      metadata: { ...(namespace && { namespace }), name },
      roleRef: { kind, name: roleName, apiGroup: RBAC },
      subjects,
    })
  const may = (user: UserInfo, verb: string, resource: string, rest: Partial<Attributes> = {}) =>
    auth.authorizer.authorize({ user, verb, group: '', version: 'v1', resource, namespace: 'ns', ...rest })
  return { objects, auth, role, bind, may }
}

const toAlice = [{ kind: 'User', name: 'alice', apiGroup: RBAC }]

describe('RBAC', () => {
  it('allows what a role says in its namespace, and says by which binding', async () => {
    const { role, bind, may, objects } = await setUp()
    expect(may(alice, 'list', 'pods')).toEqual({ allowed: false, reason: '' })
    await role('ns', 'r', [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }])
    await bind('ns', 'b', 'Role', 'r', toAlice)
    expect(may(alice, 'list', 'pods')).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "b/ns" of Role "r" to User "alice"',
    })
    expect(may(alice, 'list', 'pods', { namespace: 'other' }).allowed).toBe(false)
    expect(may(alice, 'list', 'pods', { namespace: '' }).allowed).toBe(false)
    expect(may(alice, 'list', 'pods', { group: 'apps' }).allowed).toBe(false)
    expect(may(alice, 'get', 'pods', { subresource: 'log' }).allowed).toBe(false)
    expect(may(alice, 'delete', 'pods').allowed).toBe(false)
    expect(may(masters, 'delete', 'pods').allowed).toBe(true)
    await role('ns', 'r', [{ apiGroups: [''], resources: ['pods/*', '*/scale'], verbs: ['*'] }])
    expect(may(alice, 'list', 'pods').allowed).toBe(false)
    expect(may(alice, 'update', 'deployments', { subresource: 'scale' }).allowed).toBe(true)
    await objects.remove(RBAC, 'rolebindings', 'ns', 'b')
    expect(may(alice, 'update', 'deployments', { subresource: 'scale' }).allowed).toBe(false)
  })

  it('follows names, groups, service accounts and paths', async () => {
    const { role, bind, may, auth } = await setUp()
    await role('', 'named', [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['allowed'] }])
    await bind('', 'b', 'ClusterRole', 'named', [{ kind: 'Group', name: 'readers' }])
    expect(may(alice, 'get', 'secrets', { name: 'allowed' })).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "named" to Group "readers"',
    })
    expect(may(alice, 'get', 'secrets', { name: 'other' }).allowed).toBe(false)
    expect(may(alice, 'get', 'secrets').allowed).toBe(false)
    await role('', 'paths', [{ nonResourceURLs: ['/healthz', '/logs/*'], verbs: ['get'] }])
    await bind('', 'p', 'ClusterRole', 'paths', [{ kind: 'ServiceAccount', name: 'bot', namespace: 'ns' }])
    const bot = { name: 'system:serviceaccount:ns:bot', groups: [] }
    const path = (verb: string, value: string) => auth.authorizer.authorize({ user: bot, verb, path: value })
    expect(path('get', '/healthz').reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "p" of ClusterRole "paths" to ServiceAccount "bot/ns"',
    )
    expect(path('get', '/logs/a/b').allowed).toBe(true)
    expect(path('get', '/logs').allowed).toBe(false)
    expect(path('post', '/healthz').allowed).toBe(false)
  })

  it('tells about a binding to a role that is not there', async () => {
    const { bind, may } = await setUp()
    await bind('ns', 'b', 'Role', 'gone', toAlice)
    const attributes: Attributes = { user: alice, verb: 'get', group: '', resource: 'pods', namespace: 'ns', name: 'x' }
    const { reason } = may(alice, 'get', 'pods', { name: 'x' })
    expect(forbiddenRequest(attributes, reason).message).toBe(
      'pods "x" is forbidden: User "alice" cannot get resource "pods" in API group "" in the namespace "ns": ' +
        'RBAC: role.rbac.authorization.k8s.io "gone" not found',
    )
  })

  it('gathers aggregated roles as parts come and go', async () => {
    const { objects, role, bind, may } = await setUp()
    await objects.put(RBAC, 'clusterroles', {
      metadata: { name: 'sum' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'sum' } }] },
    })
    await bind('', 'b', 'ClusterRole', 'sum', toAlice)
    expect(may(alice, 'get', 'widgets').allowed).toBe(false)
    const rules = [{ apiGroups: [''], resources: ['widgets'], verbs: ['get'] }]
    await objects.put(RBAC, 'clusterroles', { metadata: { name: 'part', labels: { to: 'sum' } }, rules })
    expect(may(alice, 'get', 'widgets').allowed).toBe(true)
    await role('', 'part', rules)
    expect(may(alice, 'get', 'widgets').allowed).toBe(false)
  })

  it('finds the roles that were there before it', async () => {
    const { objects, role, bind } = await setUp()
    await role('ns', 'r', [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }])
    await bind('ns', 'b', 'Role', 'r', toAlice)
    const later = await createAuth({ reader: objects.reader, clock: systemClock, random })
    expect(later.authorizer.authorize({ user: alice, verb: 'get', group: '', resource: 'pods', namespace: 'ns' }).allowed).toBe(
      true,
    )
  })
})

describe('a node', () => {
  it('reaches secrets only through its pods', async () => {
    const { objects, role, may } = await setUp()
    await role('', 'system:node', [{ apiGroups: [''], resources: ['pods', 'secrets'], verbs: ['get', 'list'] }])
    const node = { name: 'system:node:n1', groups: ['system:nodes'] }
    const spec = { nodeName: 'n1', volumes: [{ name: 'v', secret: { secretName: 'used' } }] }
    await objects.put('', 'pods', { metadata: { namespace: 'ns', name: 'p' }, spec })
    expect(may(node, 'list', 'pods').allowed).toBe(true)
    expect(may(node, 'get', 'secrets', { name: 'used' }).allowed).toBe(true)
    expect(may(node, 'get', 'secrets', { name: 'unused' })).toEqual({
      allowed: false,
      reason: "no relationship found between node 'n1' and this object",
    })
    expect(may({ ...node, name: 'system:node:n2' }, 'get', 'secrets', { name: 'used' }).allowed).toBe(false)
    expect(may({ name: 'system:node:n1', groups: [] }, 'list', 'pods').allowed).toBe(false)
    expect(may(node, 'list', 'secrets').reason).toBe('can only read secrets objects by name')
  })
})

describe('escalation', () => {
  const mallory: UserInfo = { name: 'mallory', groups: ['system:authenticated'] }
  const write = (plural: string, object: KubeObject, old?: KubeObject, user = mallory): AdmissionRequest =>
    ({
      operation: old ? 'UPDATE' : 'CREATE',
      definition: { group: RBAC, plural },
      subresource: '',
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
      user,
      object,
      old,
    }) as unknown as AdmissionRequest
  const roleOf = (name: string, rules: object[]) => ({ metadata: { namespace: 'ns', name }, rules })
  const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }

  it('is refused with what is lacking', async () => {
    const { auth, role, bind } = await setUp()
    await role('', 'mgr', [{ apiGroups: [RBAC], resources: ['roles'], verbs: ['get', 'create'] }])
    await role('', 'cluster-admin', [everything, { nonResourceURLs: ['*'], verbs: ['*'] }])
    await bind('ns', 'm', 'ClusterRole', 'mgr', [{ kind: 'User', name: 'mallory' }])
    const { mutate } = auth.escalation
    const attempt = (request: AdmissionRequest) => () => mutate?.(request)
    expect(attempt(write('roles', roleOf('fine', [{ apiGroups: [RBAC], resources: ['roles'], verbs: ['get'] }])))).not.toThrow()
    expect(
      attempt(write('roles', roleOf('evil', [{ apiGroups: [''], resources: ['secrets'], verbs: ['list', 'get'] }]))),
    ).toThrow(
      'roles.rbac.authorization.k8s.io "evil" is forbidden: user "mallory" (groups=["system:authenticated"]) is attempting to ' +
        'grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["list" "get"]}',
    )
    const evil = { metadata: { namespace: 'ns', name: 'evilb' }, roleRef: { kind: 'ClusterRole', name: 'cluster-admin' } }
    expect(attempt(write('rolebindings', evil))).toThrow(
      'not currently held:\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}',
    )
    const dangling = { ...evil, roleRef: { kind: 'Role', name: 'none' } }
    expect(attempt(write('rolebindings', dangling))).toThrow('rolebindings.rbac.authorization.k8s.io "none" not found')
    expect(attempt(write('rolebindings', dangling, undefined, masters))).not.toThrow()
    const kept = roleOf('old', [everything])
    expect(attempt(write('roles', { ...kept, metadata: { ...kept.metadata, labels: { a: 'b' } } }, kept))).not.toThrow()
  })

  it('is open to those who may bind or escalate', async () => {
    const { auth, role, bind } = await setUp()
    await role('ns', 'free', [{ apiGroups: [RBAC], resources: ['roles', 'clusterroles'], verbs: ['escalate', 'bind'] }])
    await role('', 'cluster-admin', [everything])
    await bind('ns', 'm', 'Role', 'free', [{ kind: 'User', name: 'mallory' }])
    const { mutate } = auth.escalation
    expect(() => mutate?.(write('roles', roleOf('evil', [everything])))).not.toThrow()
    // A ClusterRole is bound by a permission at the cluster scope.
    const binding = { metadata: { namespace: 'ns', name: 'b' }, roleRef: { kind: 'ClusterRole', name: 'cluster-admin' } }
    expect(() => mutate?.(write('rolebindings', binding))).toThrow(/not currently held/)
  })
})
