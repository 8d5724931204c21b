import { beforeEach, describe, expect, it } from 'vitest'
import { type Auth, createAuth } from '../../../src/server/auth/auth.ts'
import type { UserInfo } from '../../../src/server/contract.ts'
import { createClock, createObjects, type Objects, random } from './objects.ts'

const RBAC = 'rbac.authorization.k8s.io'
const carol: UserInfo = { name: 'carol', groups: ['system:authenticated'] }
const admin: UserInfo = { name: 'admin', groups: ['system:masters'] }
let auth: Auth
let objects: Objects

beforeEach(async () => {
  objects = createObjects()
  auth = await createAuth({ reader: objects.reader, clock: createClock(), random })
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
  await objects.put(RBAC, 'roles', { metadata: { namespace: 'ns', name: 'r' }, rules })
  await objects.put(RBAC, 'rolebindings', {
    metadata: { namespace: 'ns', name: 'b' },
    roleRef: { kind: 'Role', name: 'r' },
    subjects: [{ kind: 'User', name: 'carol' }],
  })
})

const pods = { namespace: 'ns', verb: 'get', resource: 'pods' }
const reason = 'RBAC: allowed by RoleBinding "b/ns" of Role "r" to User "carol"'

describe('access reviews', () => {
  const subject = (spec: object, namespace = '') =>
    auth.reviews.subjectaccessreviews({ kind: 'SubjectAccessReview', metadata: {}, spec }, { user: admin, namespace })
  const local = (spec: object) => auth.reviews.localsubjectaccessreviews({ metadata: {}, spec }, { user: admin, namespace: 'ns' })
  const self = (spec: object) => auth.reviews.selfsubjectaccessreviews({ metadata: {}, spec }, { user: carol, namespace: '' })

  it('answer for others and for oneself', async () => {
    expect(await subject({ user: 'carol', resourceAttributes: pods })).toEqual({
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: { user: 'carol', resourceAttributes: pods },
      status: { allowed: true, reason },
    })
    expect((await subject({ user: 'carol', resourceAttributes: { ...pods, verb: 'list' } })).status).toEqual({ allowed: false })
    expect((await subject({ groups: ['system:masters'], nonResourceAttributes: { path: '/x', verb: 'get' } })).status).toEqual({
      allowed: true,
    })
    expect((await local({ user: 'carol', resourceAttributes: pods })).status).toEqual({ allowed: true, reason })
    expect((await self({ resourceAttributes: pods })).status).toEqual({ allowed: true, reason })
  })

  it('refuse questions that make no sense', async () => {
    const title = '.authorization.k8s.io "" is invalid: '
    await expect(subject({ user: 'x' })).rejects.toMatchObject({
      status: {
        code: 422,
        message: `${title}spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified`,
        details: { group: 'authorization.k8s.io', causes: [{ reason: 'FieldValueInvalid' }] },
      },
    })
    await expect(subject({ resourceAttributes: { verb: 'get' } })).rejects.toThrow(
      `${title}spec.user: Invalid value: "": at least one of user or group must be specified`,
    )
    await expect(local({ user: 'carol', resourceAttributes: { ...pods, namespace: 'default' } })).rejects.toThrow(
      `${title}spec.resourceAttributes.namespace: Invalid value: "default": must match metadata.namespace`,
    )
    await expect(self({ resourceAttributes: pods, nonResourceAttributes: { path: '/', verb: 'get' } })).rejects.toThrow(
      `${title}spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: cannot be specified in combination with resourceAttributes`,
    )
  })

  it('refuse names and half selections', async () => {
    const named = { metadata: { name: 'x' }, spec: { resourceAttributes: pods } }
    await expect(auth.reviews.selfsubjectaccessreviews(named, { user: carol, namespace: '' })).rejects.toThrow(
      'metadata: Invalid value: {"name":"x"}: must be empty',
    )
    const fieldSelector = { rawSelector: 'a=b', requirements: [{ key: '', operator: 'In' }] }
    const labelSelector = { requirements: [{ key: 'a b', operator: 'Near', values: ['c'] }] }
    await expect(self({ resourceAttributes: { ...pods, fieldSelector, labelSelector } })).rejects.toMatchObject({
      status: {
        details: {
          causes: [
            { field: 'spec.resourceAttributes.fieldSelector.rawSelector' },
            { field: 'spec.resourceAttributes.fieldSelector.requirements[0].key' },
            { field: 'spec.resourceAttributes.fieldSelector.requirements[0].values' },
            { field: 'spec.resourceAttributes.labelSelector.requirements[0].key' },
          ],
        },
      },
    })
  })

  it('list the rules one holds', async () => {
    const ask = (spec: object) => auth.reviews.selfsubjectrulesreviews({ metadata: {}, spec }, { user: carol, namespace: '' })
    expect(await ask({ namespace: 'ns' })).toMatchObject({
      spec: {},
      status: {
        resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
        nonResourceRules: [],
        incomplete: false,
      },
    })
    await expect(ask({})).rejects.toThrow('no namespace on request')
  })
})

describe('identity reviews', () => {
  it('say who one is', async () => {
    const user: UserInfo = { name: 'al', uid: 'u-1', groups: ['system:authenticated'], extra: { team: ['x'] } }
    expect(await auth.reviews.selfsubjectreviews({ metadata: {} }, { user, namespace: '' })).toEqual({
      kind: 'SelfSubjectReview',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { userInfo: { username: 'al', uid: 'u-1', groups: ['system:authenticated'], extra: { team: ['x'] } } },
    })
  })

  it('say whom a token stands for', async () => {
    await objects.put('', 'serviceaccounts', { metadata: { namespace: 'ns', name: 'bot' } })
    const { token } = auth.createToken('ns', 'bot', { metadata: {}, spec: {} }).status
    const review = async (spec: object) =>
      (await auth.reviews.tokenreviews({ metadata: {}, spec }, { user: admin, namespace: '' })).status
    expect(await review({ token })).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:ns:bot' },
      audiences: ['https://kubernetes.default.svc'],
    })
    expect(await review({ token: 'junk' })).toEqual({ user: {}, error: 'invalid bearer token' })
    expect((await review({ token, audiences: ['vault'] })).error).toContain('is invalid for the target audiences')
    await expect(review({})).rejects.toThrow('token is required for TokenReview in authentication')
  })
})

describe('impersonation', () => {
  const as = (...headers: string[]) => auth.impersonate(admin, headers)

  it('gives the groups and extras that are asked for, or that follow from the name', async () => {
    expect(await as('Accept', '*/*')).toBe(admin)
    expect(await as('Impersonate-User', 'alice')).toEqual({ name: 'alice', groups: ['system:authenticated'] })
    expect((await as('impersonate-user', 'alice', 'Impersonate-Group', 'a', 'Impersonate-Group', 'b')).groups).toEqual([
      'a',
      'b',
      'system:authenticated',
    ])
    expect((await as('Impersonate-User', 'system:serviceaccount:default:default')).groups).toEqual([
      'system:serviceaccounts',
      'system:serviceaccounts:default',
      'system:authenticated',
    ])
    expect((await as('Impersonate-User', 'system:anonymous')).groups).toEqual(['system:unauthenticated'])
    expect(await as('Impersonate-User', 'al', 'Impersonate-Uid', 'u', 'Impersonate-Extra-Acme.com%2fTeam', 'x')).toMatchObject({
      uid: 'u',
      extra: { 'acme.com/team': ['x'] },
    })
  })

  it('needs a user name and permission for every part', async () => {
    await expect(as('Impersonate-Group', 'devs')).rejects.toThrow(
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"devs"}, Extra:map[string][]string(nil)} without impersonating a user name',
    )
    const rules = [{ apiGroups: [''], resources: ['users'], verbs: ['impersonate'], resourceNames: ['bob'] }]
    await objects.put(RBAC, 'clusterroles', { metadata: { name: 'i' }, rules })
    await objects.put(RBAC, 'clusterrolebindings', {
      metadata: { name: 'i' },
      roleRef: { kind: 'ClusterRole', name: 'i' },
      subjects: [{ kind: 'User', name: 'carol' }],
    })
    const asCarol = (...headers: string[]) => auth.impersonate(carol, headers)
    expect((await asCarol('Impersonate-User', 'bob')).name).toBe('bob')
    await expect(asCarol('Impersonate-User', 'alice')).rejects.toThrow(
      'users "alice" is forbidden: User "carol" cannot impersonate resource "users" in API group "" at the cluster scope',
    )
    await expect(asCarol('Impersonate-User', 'bob', 'Impersonate-Group', 'system:masters')).rejects.toThrow(/"groups"/)
  })
})
