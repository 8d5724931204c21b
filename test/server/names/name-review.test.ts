import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtinDefinitions } from '../../../src/api/definitions.ts'
import { skiffDefinitions } from '../../../src/api/kinds/name-review.ts'
import type { KubeObject } from '../../../src/api/object.ts'
import type { InProcessDoor } from '../../../src/server/contract.ts'
import { startServer, type TestServer } from '../start-server.ts'

const REVIEWS = '/apis/skiff.dev/v1alpha1/namespaces/default/namereviews'

interface Status {
  matches: { apiVersion: string; kind: string; resource: string; metadata: KubeObject['metadata'] }[]
  near?: Status['matches']
  unreadable?: string[]
}

let test: TestServer
beforeAll(async () => {
  test = await startServer({ definitions: [...builtinDefinitions, ...skiffDefinitions] })
  for (const namespace of ['default', 'kube-public'])
    await test.call('POST', `/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: 'settings' } })
  await test.call('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 'settings' } })
  await test.call('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'settings-old' } })
})
afterAll(() => test.close())

async function review(spec: object, door: InProcessDoor = test.admin): Promise<Status> {
  const body = { apiVersion: 'skiff.dev/v1alpha1', kind: 'NameReview', metadata: {}, spec }
  const { object } = await door.request({ method: 'POST', path: REVIEWS, body })
  return (object as { status: Status }).status
}
const handles = (status: Status['matches'] = []) =>
  status.map(({ resource, metadata }) => `${metadata.namespace ? `${metadata.namespace}/` : ''}${resource}/${metadata.name}`)

describe('a NameReview', () => {
  it('answers with all objects of a name in its namespace, or in all', async () => {
    expect(handles((await review({ name: 'settings' })).matches)).toEqual([
      'default/configmaps/settings',
      'default/secrets/settings',
    ])
    expect(handles((await review({ name: 'settings', allNamespaces: true })).matches)).toEqual([
      'default/configmaps/settings',
      'kube-public/configmaps/settings',
      'default/secrets/settings',
    ])
    expect(handles((await review({ name: 'kube-public' })).matches)).toEqual(['namespaces/kube-public'])
    expect(handles((await review({ name: 'settings', resources: ['secrets'] })).matches)).toEqual(['default/secrets/settings'])
    const [match] = (await review({ name: 'settings' })).matches
    expect(match).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { uid: expect.any(String) } })
    expect(match!.metadata).not.toHaveProperty('managedFields')
  })

  it('is right at once after every commit', async () => {
    const [created] = [await test.call('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'fleeting' } })]
    expect((await review({ name: 'fleeting' })).matches[0]?.metadata.uid).toBe(created.metadata.uid)
    await test.call('DELETE', '/api/v1/namespaces/default/configmaps/fleeting')
    expect((await review({ name: 'fleeting' })).matches).toEqual([])
  })

  it('proposes near names, and answers what begins with a prefix', async () => {
    expect(handles((await review({ name: 'setings' })).near)).toEqual(['default/configmaps/settings', 'default/secrets/settings'])
    expect(handles((await review({ prefix: 'sett' })).matches)).toEqual([
      'default/configmaps/settings',
      'default/configmaps/settings-old',
      'default/secrets/settings',
    ])
    expect((await review({ prefix: 'settings', limit: 1 })).matches).toHaveLength(1)
  })

  it('holds only what the user may read', async () => {
    const role = { metadata: { name: 'reader' }, rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }] }
    await test.call('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', role)
    await test.call('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
    })
    const jane = test.server.inProcess({ name: 'jane', groups: ['system:authenticated'] })
    expect(handles((await review({ name: 'settings', allNamespaces: true }, jane)).matches)).toEqual([
      'default/configmaps/settings',
    ])
    expect(handles((await review({ name: 'setings' }, jane)).near)).toEqual(['default/configmaps/settings'])
    expect(handles((await review({ prefix: 's' }, jane)).matches)).not.toContain('default/secrets/settings')
    const { unreadable } = await review({ name: 'nothing' }, jane)
    expect(unreadable).toContain('secrets')
    expect(unreadable).not.toContain('configmaps')
  })

  it('is refused when it asks for nothing, or for too much', async () => {
    await expect(review({})).rejects.toThrow(
      'NameReview.skiff.dev "" is invalid: spec.name: Required value: a name or a prefix is needed',
    )
    await expect(review({ name: 'a', prefix: 'b' })).rejects.toThrow('cannot be specified in combination with name')
    await expect(review({ prefix: 'b', limit: 501 })).rejects.toThrow('must be between 1 and 500')
  })

  it('is discoverable, and described', async () => {
    const list = await test.call<{ resources: object[] }>('GET', '/apis/skiff.dev/v1alpha1')
    expect(list.resources).toMatchObject([{ name: 'namereviews', kind: 'NameReview', namespaced: true, verbs: ['create'] }])
    const openApi = await test.call<{ components: { schemas: object } }>('GET', '/openapi/v3/apis/skiff.dev/v1alpha1')
    expect(JSON.stringify(openApi.components.schemas)).toContain('what the names that are looked for begin with')
  })
})
