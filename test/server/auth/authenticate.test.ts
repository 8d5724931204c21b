import { once } from 'node:events'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createAuth } from '../../../src/server/auth/auth.ts'
import { loadPki } from '../../../src/server/auth/pki.ts'
import { createClock, createObjects, random } from './objects.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** The server's end of a connection made with this client certificate. */
async function socketOf(pki: ReturnType<typeof loadPki>, client: { certificate?: string; key?: string }): Promise<TLSSocket> {
  const server = createServer({
    cert: pki.serving.certificate,
    key: pki.serving.key,
    ca: pki.caCertificate,
    requestCert: true,
    rejectUnauthorized: false,
  })
  closers.push(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const socket = connect({ port, host: '127.0.0.1', ca: pki.caCertificate, cert: client.certificate, key: client.key })
  closers.push(() => socket.destroy())
  const [[accepted]] = (await Promise.all([once(server, 'secureConnection'), once(socket, 'secureConnect')])) as [
    [TLSSocket],
    unknown,
  ]
  expect(socket.authorized).toBe(true)
  return accepted
}

const none = { authorization: undefined, socket: undefined }

describe('client certificates', () => {
  it('say who asks, with one user object for each connection', async () => {
    const auth = await createAuth({ reader: createObjects().reader, clock: systemClock, random })
    const socket = await socketOf(auth.pki, auth.pki.admin)
    const user = await auth.authenticator.authenticate({ authorization: undefined, socket })
    expect(user).toMatchObject({ name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] })
    expect(await auth.authenticator.authenticate({ authorization: undefined, socket })).toBe(user)
  })

  it('of another CA are refused, unless a good token comes along', async () => {
    const staticTokens = new Map([['secret', { name: 'ops', groups: ['system:masters'] }]])
    const auth = await createAuth({ reader: createObjects().reader, clock: systemClock, random, staticTokens })
    const foreign = loadPki({ clock: systemClock, random })
    const socket = await socketOf(auth.pki, foreign.admin)
    await expect(auth.authenticator.authenticate({ authorization: undefined, socket })).rejects.toMatchObject({ code: 401 })
    expect(await auth.authenticator.authenticate({ authorization: 'Bearer secret', socket })).toMatchObject({ name: 'ops' })
  })

  it('are not asked for: without one, nobody is known', async () => {
    const auth = await createAuth({ reader: createObjects().reader, clock: systemClock, random })
    const socket = await socketOf(auth.pki, {})
    expect(await auth.authenticator.authenticate({ authorization: undefined, socket })).toBeUndefined()
  })
})

describe('bearer tokens', () => {
  const setUp = async () => {
    const objects = createObjects()
    const clock = createClock()
    await objects.put('', 'serviceaccounts', { metadata: { namespace: 'ns', name: 'bot' } })
    const auth = await createAuth({ reader: objects.reader, clock, random })
    const ask = (spec: object = {}, name = 'bot') => auth.createToken('ns', name, { metadata: {}, spec })
    const use = (token: string) => auth.authenticator.authenticate({ ...none, authorization: `Bearer ${token}` })
    return { objects, clock, auth, ask, use }
  }

  it('of a service account work until they expire or the account is another', async () => {
    const { objects, clock, auth, ask, use } = await setUp()
    const request = ask({})
    expect(request).toMatchObject({
      kind: 'TokenRequest',
      metadata: { name: 'bot', namespace: 'ns', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { audiences: ['https://kubernetes.default.svc'], expirationSeconds: 3600, boundObjectRef: null },
      status: { expirationTimestamp: '2026-01-01T01:00:00Z' },
    })
    const token = request.status.token
    const user = await use(token)
    expect(user).toMatchObject({
      name: 'system:serviceaccount:ns:bot',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
    })
    expect(await use(token)).toBe(user)
    expect(await auth.authenticator.authenticate({ ...none, webSocketToken: token })).toBe(user)
    clock.advance(3600_000)
    await expect(use(token)).rejects.toMatchObject({ code: 401 })
    const fresh = ask({}).status.token
    await use(fresh)
    await objects.remove('', 'serviceaccounts', 'ns', 'bot')
    await expect(use(fresh)).rejects.toMatchObject({ code: 401 })
    await objects.put('', 'serviceaccounts', { metadata: { namespace: 'ns', name: 'bot' } })
    await expect(use(fresh)).rejects.toMatchObject({ code: 401 })
  })

  it('bound to a pod die with it, tell its node, and outlive the hour when the pod projects them', async () => {
    const { objects, clock, auth, ask, use } = await setUp()
    await objects.put('', 'nodes', { metadata: { name: 'n1' } })
    const pod = await objects.put('', 'pods', {
      metadata: { namespace: 'ns', name: 'p' },
      spec: { serviceAccountName: 'bot', nodeName: 'n1' },
    })
    const token = ask({ expirationSeconds: 3607, boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } }).status.token
    expect((await use(token))?.extra).toMatchObject({
      'authentication.kubernetes.io/pod-name': ['p'],
      'authentication.kubernetes.io/pod-uid': [pod.metadata.uid],
      'authentication.kubernetes.io/node-name': ['n1'],
    })
    clock.advance(24 * 3600_000)
    await use(token)
    const deletionTimestamp = new Date(clock.now()).toISOString()
    await objects.put('', 'pods', { ...pod, metadata: { ...pod.metadata, deletionTimestamp } })
    await use(token)
    clock.advance(61_000)
    await expect(use(token)).rejects.toMatchObject({ code: 401 })
    expect(auth.keySet).toMatchObject({ keys: [{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }] })
  })

  it('are refused when forged, for other audiences, or meaningless', async () => {
    const { auth, ask, use } = await setUp()
    const [head, body] = ask({}).status.token.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'system:serviceaccount:kube-system:root' })).toString('base64url')
    const other = ask({}).status.token.split('.')[2]
    const unsigned = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
    const elsewhere = ask({ audiences: ['vault'] }).status.token
    for (const token of [`${head}.${forged}.${other}`, `${unsigned}.${body}.`, `${head}.${body}`, 'junk', '...', elsewhere]) {
      await expect(use(token), token).rejects.toMatchObject({ code: 401 })
    }
    expect(await auth.authenticator.authenticate({ ...none, authorization: 'Basic YTpi' })).toBeUndefined()
  })

  it('are refused by name when the request makes no sense', async () => {
    const { objects, ask } = await setUp()
    await objects.put('', 'pods', { metadata: { namespace: 'ns', name: 'p' }, spec: { serviceAccountName: 'other' } })
    const pod = { kind: 'Pod', apiVersion: 'v1', name: 'p' }
    expect(() => ask({}, 'none')).toThrow('serviceaccounts "none" not found')
    expect(() => ask({ expirationSeconds: 10 })).toThrow(
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes',
    )
    expect(() => ask({ boundObjectRef: { ...pod, name: 'none' } })).toThrow('pods "none" not found')
    expect(() => ask({ boundObjectRef: { ...pod, uid: 'x' } })).toThrow(/does not match the UID in record/)
    expect(() => ask({ boundObjectRef: pod })).toThrow(/different serviceaccount name/)
    expect(() => ask({ boundObjectRef: { kind: 'Deployment', apiVersion: 'apps/v1', name: 'x' } })).toThrow(/cannot bind token/)
  })
})
