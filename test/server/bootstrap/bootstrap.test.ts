import { describe, expect, it } from 'vitest'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { createAuth } from '../../../src/server/auth/auth.ts'
import { type BootstrapOptions, ensureBootstrap, publishEndpoint } from '../../../src/server/bootstrap/bootstrap.ts'
import type { UserInfo } from '../../../src/server/contract.ts'
import { Registry } from '../../../src/server/registry.ts'
import { createObjects, random } from '../auth/objects.ts'

const RBAC = 'rbac.authorization.k8s.io'
const registry = new Registry(builtinDefinitions)

async function setUp() {
  const objects = createObjects()
  const options: BootstrapOptions = { store: objects.store, registry, clock: systemClock, random, caCertificate: 'PEM' }
  await ensureBootstrap(options)
  const auth = await createAuth({ reader: objects.reader, clock: systemClock, random })
  const may = (user: UserInfo, verb: string, resource: string, group = '', namespace = '', name = '') =>
    auth.authorizer.authorize({ user, verb, group, resource, namespace, name }).allowed
  return { ...objects, options, auth, may }
}

const account = (name: string): UserInfo => ({
  name: `system:serviceaccount:kube-system:${name}`,
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
})

describe('a fresh cluster', () => {
  it('has namespaces, the kubernetes Service, priorities and permissions, each with uid and time', async () => {
    const { reader } = await setUp()
    expect(reader.list('', 'namespaces').map((n) => n.metadata.name)).toEqual([
      ...['default', 'kube-node-lease', 'kube-public', 'kube-system'],
    ])
    expect(reader.get('', 'services', 'default', 'kubernetes')?.spec.clusterIP).toBe('10.96.0.1')
    expect(reader.list('scheduling.k8s.io', 'priorityclasses')).toHaveLength(2)
    expect(reader.get('', 'configmaps', 'kube-system', 'extension-apiserver-authentication')?.data).toMatchObject({
      ...{ 'client-ca-file': 'PEM', 'requestheader-client-ca-file': 'PEM' },
    })
    const role = reader.get(RBAC, 'clusterroles', '', 'cluster-admin')
    expect(role).toMatchObject({
      metadata: {
        labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
        annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
      },
      rules: [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
      ],
    })
    expect(role?.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(role?.metadata.creationTimestamp).toMatch(/^\d{4}-/)
  })

  it('holds nothing that its own rules refuse', async () => {
    const { reader } = await setUp()
    for (const definition of registry.resources()) {
      const { group, plural, storage, strategy } = definition.definition
      if (storage) continue
      for (const object of reader.list(group, plural)) {
        expect(strategy.validate?.(structuredClone(object)) ?? [], `${plural} ${object.metadata.name}`).toEqual([])
      }
    }
  })

  it('lets everybody in for what is public, and components for their work', async () => {
    const { auth, may } = await setUp()
    const path = (user: UserInfo, value: string) => auth.authorizer.authorize({ user, verb: 'get', path: value }).allowed
    expect(['/healthz', '/version', '/livez'].map((p) => path(auth.anonymous, p))).toEqual([true, true, true])
    expect(['/api', '/metrics', '/openapi/v3'].map((p) => path(auth.anonymous, p))).toEqual([false, false, false])
    const alice = { name: 'alice', groups: ['system:authenticated'] }
    expect(['/api', '/apis/apps/v1', '/openapi/v3'].map((p) => path(alice, p))).toEqual([true, true, true])
    expect(may(alice, 'create', 'selfsubjectreviews', 'authentication.k8s.io')).toBe(true)
    expect(may(alice, 'list', 'pods', '', 'default')).toBe(false)
    expect(may(account('replicaset-controller'), 'create', 'pods', '', 'default')).toBe(true)
    expect(may(account('replicaset-controller'), 'get', 'secrets', '', 'default')).toBe(false)
    expect(may(account('deployment-controller'), 'create', 'replicasets', 'apps', 'default')).toBe(true)
    expect(may({ name: 'system:kube-scheduler', groups: [] }, 'create', 'pods', '', 'default')).toBe(false)
    expect(
      auth.authorizer.authorize({
        user: { name: 'system:kube-scheduler', groups: [] },
        verb: 'create',
        group: '',
        resource: 'pods',
        subresource: 'binding',
        namespace: 'x',
      }).allowed,
    ).toBe(true)
    const node = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
    expect(may(node, 'watch', 'pods')).toBe(true)
    expect(may(node, 'create', 'deployments', 'apps', 'default')).toBe(false)
  })

  it('gives view, edit and admin each more than the one before', async () => {
    const { put, may } = await setUp()
    for (const role of ['view', 'edit', 'admin']) {
      await put(RBAC, 'rolebindings', {
        metadata: { namespace: 'ns', name: role },
        roleRef: { kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'User', name: role }],
      })
    }
    const can = (role: string) => {
      const user = { name: role, groups: [] }
      return [
        may(user, 'list', 'pods', '', 'ns'),
        may(user, 'get', 'secrets', '', 'ns'),
        may(user, 'create', 'deployments', 'apps', 'ns'),
        may(user, 'create', 'rolebindings', RBAC, 'ns'),
        may(user, 'list', 'pods', '', 'other'),
      ]
    }
    expect(can('view')).toEqual([true, false, false, false, false])
    expect(can('edit')).toEqual([true, true, true, false, false])
    expect(can('admin')).toEqual([true, true, true, true, false])
  })
})

describe('a second start', () => {
  it('changes nothing when nothing lacks', async () => {
    const { store, options } = await setUp()
    await publishEndpoint(options, { address: '10.0.0.1', port: 6443 })
    const { revision } = store
    await ensureBootstrap(options)
    await publishEndpoint(options, { address: '10.0.0.1', port: 6443 })
    expect(store.revision).toBe(revision)
  })

  it('completes roles and bindings, keeps what was added, and leaves alone what asks for it', async () => {
    const { reader, put, remove, options } = await setUp()
    const basic = reader.get(RBAC, 'clusterroles', '', 'system:basic-user')!
    const own = { verbs: ['get'], apiGroups: ['x'], resources: ['y'] }
    await put(RBAC, 'clusterroles', { ...basic, kind: 'ClusterRole', rules: [own] })
    const discovery = reader.get(RBAC, 'clusterroles', '', 'system:discovery')!
    const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' }
    await put(RBAC, 'clusterroles', { ...discovery, rules: [], metadata: { ...discovery.metadata, annotations } })
    const binding = reader.get(RBAC, 'clusterrolebindings', '', 'system:basic-user')!
    await put(RBAC, 'clusterrolebindings', { ...binding, subjects: [] })
    await remove(RBAC, 'clusterroles', '', 'system:monitoring')
    await ensureBootstrap(options)
    const rules = reader.get(RBAC, 'clusterroles', '', 'system:basic-user')?.rules
    expect(rules[0]).toEqual(own)
    expect(rules).toHaveLength(4)
    expect(reader.get(RBAC, 'clusterroles', '', 'system:discovery')?.rules).toEqual([])
    expect(reader.get(RBAC, 'clusterrolebindings', '', 'system:basic-user')?.subjects).toEqual(binding.subjects)
    expect(reader.get(RBAC, 'clusterroles', '', 'system:monitoring')).toBeDefined()
  })

  it('follows the address and port of the server', async () => {
    const { reader, options } = await setUp()
    await publishEndpoint(options, { address: '10.0.0.1', port: 6443 })
    const before = reader.get('discovery.k8s.io', 'endpointslices', 'default', 'kubernetes')!
    await publishEndpoint(options, { address: '10.0.0.2', port: 7443 })
    const slice = reader.get('discovery.k8s.io', 'endpointslices', 'default', 'kubernetes')!
    expect(slice).toMatchObject({
      endpoints: [{ addresses: ['10.0.0.2'] }],
      ports: [{ port: 7443 }],
      metadata: { generation: 2 },
    })
    expect(slice.metadata.uid).toBe(before.metadata.uid)
    expect(reader.get('', 'endpoints', 'default', 'kubernetes')?.subsets).toEqual([
      { addresses: [{ ip: '10.0.0.2' }], ports: [{ name: 'https', port: 7443, protocol: 'TCP' }] },
    ])
    expect(reader.get('', 'services', 'default', 'kubernetes')?.spec.ports[0].targetPort).toBe(7443)
  })
})
