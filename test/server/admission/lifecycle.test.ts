import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCluster, PODS, podOf, type TestCluster } from './cluster.ts'

const CSR = `-----BEGIN CERTIFICATE REQUEST-----
MIHXMH8CAQAwHTEMMAoGA1UECgwDZGV2MQ0wCwYDVQQDDARqYW5lMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEkezY89C8lkNzBhU1NFuMb1S571nlTLKKmk5sGtDP
z+sDvnjK1Co+u4wzVyRKWxk4//YzufuKsZqGUHDektyMGKAAMAoGCCqGSM49BAMC
A0gAMEUCIQCIeEmmOtlO6Pa6rvH/ga4ll1nYSTQU/WC+UxKKg+jZBgIgfQLyGbGK
lV8SCyrbsb9lRyHyOfshyUUAce5waBfGZkI=
-----END CERTIFICATE REQUEST-----
`

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createCluster()
})
afterEach(() => cluster.close())

describe('namespaces', () => {
  it('must be there', async () => {
    const { object } = await cluster.post('/api/v1/namespaces/gone/configmaps', { metadata: { name: 'x' } })
    expect(object).toMatchObject({
      code: 404,
      message: 'namespaces "gone" not found',
      details: { name: 'gone', kind: 'namespaces' },
    })
  })

  it('take nothing new once they are terminating', async () => {
    await cluster.post('/api/v1/namespaces/ns/configmaps', { metadata: { name: 'pre' } })
    expect((await cluster.call('DELETE', '/api/v1/namespaces/ns')).status).toBe(200)
    const { object } = await cluster.post('/api/v1/namespaces/ns/configmaps', { metadata: { name: 'post' } })
    expect(object).toMatchObject({
      code: 403,
      message: 'configmaps "post" is forbidden: unable to create new content in namespace ns because it is being terminated',
      details: {
        name: 'post',
        causes: [{ reason: 'NamespaceTerminating', message: 'namespace ns is being terminated', field: 'metadata.namespace' }],
      },
    })
    expect((await cluster.call('PATCH', '/api/v1/namespaces/ns/configmaps/pre', { data: { still: 'ok' } })).status).toBe(200)
    expect((await cluster.call('DELETE', '/api/v1/namespaces/ns/configmaps/pre')).status).toBe(200)
  })

  it('of the system stay', async () => {
    for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
      const { object } = await cluster.call('DELETE', `/api/v1/namespaces/${name}`)
      expect(object.message).toBe(`namespaces "${name}" is forbidden: this namespace may not be deleted`)
    }
  })
})

describe('nodes', () => {
  const n1 = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }

  it('start tainted', async () => {
    const { object } = await cluster.post('/api/v1/nodes', { metadata: { name: 'n1' } })
    expect(object.spec.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
  })

  it('keep to themselves', async () => {
    expect((await cluster.post('/api/v1/nodes', { metadata: { name: 'n1' } }, n1)).status).toBe(201)
    await cluster.post('/api/v1/nodes', { metadata: { name: 'n2' } })
    const other = await cluster.call('PATCH', '/api/v1/nodes/n2/status', { status: { phase: 'x' } }, n1)
    expect(other.object.message).toBe('nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"')
    const label = await cluster.call(
      'PATCH',
      '/api/v1/nodes/n1',
      { metadata: { labels: { 'node-restriction.kubernetes.io/x': '1' } } },
      n1,
    )
    expect(label.object.message).toContain('is not allowed to modify labels: node-restriction.kubernetes.io/x')
    const taint = await cluster.call('PATCH', '/api/v1/nodes/n1', { spec: { taints: [] } }, n1)
    expect(taint.object.message).toContain('is not allowed to modify taints')
    const pod = await cluster.post(PODS, podOf('p'), n1)
    expect(pod.object.message).toContain('can only create mirror pods')
    await cluster.post(PODS, podOf('theirs', { nodeName: 'n2' }))
    const status = await cluster.call('PATCH', `${PODS}/theirs/status`, { status: { phase: 'Running' } }, n1)
    expect(status.object.message).toBe(
      'pods "theirs" is forbidden: node "n1" can only update status for pods with spec.nodeName set to itself',
    )
    await cluster.post(PODS, podOf('mine', { nodeName: 'n1' }))
    expect((await cluster.call('PATCH', `${PODS}/mine/status`, { status: { phase: 'Running' } }, n1)).status).toBe(200)
    const token = await cluster.post('/api/v1/namespaces/ns/serviceaccounts/default/token', { spec: {} }, n1)
    expect(token.object.message).toContain('node requested token not bound to a pod')
  })
})

describe('claims and volumes', () => {
  const claim = (name: string, spec: object = {}) => ({
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  })
  const claims = '/api/v1/namespaces/ns/persistentvolumeclaims'

  it('are protected, and claims get the default class', async () => {
    const plain = await cluster.post(claims, claim('a'))
    expect(plain.object.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
    expect(plain.object.spec.storageClassName).toBeUndefined()
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
    await cluster.post('/apis/storage.k8s.io/v1/storageclasses', {
      metadata: { name: 'std', annotations },
      provisioner: 'x.example/y',
    })
    expect((await cluster.post(claims, claim('b'))).object.spec.storageClassName).toBe('std')
    expect((await cluster.post(claims, claim('c', { storageClassName: '' }))).object.spec.storageClassName).toBe('')
    const volume = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } }
    const made = await cluster.post('/api/v1/persistentvolumes', { metadata: { name: 'pv' }, spec: volume })
    expect(made.object.metadata.finalizers).toEqual(['kubernetes.io/pv-protection'])
  })
})

describe('owner references', () => {
  it('that hold an owner back take the right to its finalizers', async () => {
    const rules = [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['*'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
    ]
    await cluster.post('/apis/rbac.authorization.k8s.io/v1/namespaces/ns/roles', { metadata: { name: 'r' }, rules })
    await cluster.post('/apis/rbac.authorization.k8s.io/v1/namespaces/ns/rolebindings', {
      metadata: { name: 'b' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'eve' }],
    })
    const eve = { name: 'eve', groups: ['system:authenticated'] }
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'u' }
    const owned = (name: string, more: object) => ({ metadata: { name, ownerReferences: [{ ...reference, ...more }] } })
    const path = '/api/v1/namespaces/ns/configmaps'
    expect((await cluster.post(path, owned('a', {}), eve)).status).toBe(201)
    const blocked = await cluster.post(path, owned('b', { blockOwnerDeletion: true }), eve)
    expect(blocked.object.message).toBe(
      `configmaps "b" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>`,
    )
    expect((await cluster.post(path, owned('b', { blockOwnerDeletion: true }))).status).toBe(201)
  })
})

describe('certificate requests', () => {
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  // Made by OpenSSL for O=dev, CN=jane.
  const request = Buffer.from(CSR).toString('base64')
  const jane = { name: 'jane', uid: 'u', groups: ['system:masters', 'system:authenticated'] }

  it('carry who really asked, and take the right to approve', async () => {
    const spec = { request, signerName: 'example.com/signer', usages: ['client auth'], username: 'forged', groups: ['x'] }
    const { object } = await cluster.post(path, { metadata: { name: 'c' }, spec }, jane)
    expect(object.spec).toMatchObject({ username: 'jane', uid: 'u', groups: jane.groups })
    const rules = [{ apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/approval'], verbs: ['*'] }]
    await cluster.post('/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'approver' }, rules })
    await cluster.post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'approver' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'approver' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'eve' }],
    })
    const conditions = [{ type: 'Approved', status: 'True' }]
    const approval = await cluster.call('PATCH', `${path}/c/approval`, { status: { conditions } }, { name: 'eve', groups: [] })
    expect(approval.object.message).toContain('user not permitted to approve requests with signerName "example.com/signer"')
  })
})
