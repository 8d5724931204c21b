import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dockerCredentials } from '../../src/registry/docker-config.ts'
import { peekDigest, resolveDigest } from '../../src/registry/manifests.ts'
import { parseReference, pinned } from '../../src/registry/reference.ts'
import { startFront } from './front.ts'
import { digestOf, hasRegistry, type RealRegistry, startRegistry, USER } from './real-registry.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe.skipIf(!hasRegistry)('a real registry (needs docker-registry)', () => {
  let open: RealRegistry
  let closed: RealRegistry
  beforeAll(async () => {
    ;[open, closed] = await Promise.all([startRegistry(), startRegistry({ isPrivate: true })])
  })
  afterAll(async () => {
    await Promise.all([open[Symbol.asyncDispose](), closed[Symbol.asyncDispose]()])
  })

  it('says which digest a tag has, and follows it when it moves', async () => {
    const reference = parseReference(`${open.host}/team/web:v1`)
    const first = await open.push('team/web', 'v1', 'one')
    expect(await resolveDigest(reference)).toBe(first)
    expect(await peekDigest(reference)).toBe(first)
    const second = await open.push('team/web', 'v1', 'two')
    expect(second).not.toBe(first)
    expect(await peekDigest(reference)).toBe(second)
    expect(await resolveDigest(parseReference(`${open.host}/team/web@${first}`))).toBe(first)
  })

  it('says what does not exist', async () => {
    await open.push('team/web', 'v1', 'one')
    const missing = { reason: 'NotFound', message: `${open.host}/team/web:v9: not found: manifest unknown` }
    await expect(resolveDigest(parseReference(`${open.host}/team/web:v9`))).rejects.toMatchObject(missing)
    await expect(peekDigest(parseReference(`${open.host}/none:v1`))).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('asks for a password, and takes the right one', async () => {
    const digest = await closed.push('web', 'v1')
    const reference = parseReference(`${closed.host}/web:v1`)
    await expect(resolveDigest(reference)).rejects.toMatchObject({ reason: 'Denied' })
    const wrong = { registry: `${closed.host}/web`, username: 'me', password: 'wrong' }
    await expect(resolveDigest(reference, { credentials: [wrong] })).rejects.toMatchObject({ reason: 'Denied' })
    const right = { registry: closed.host, ...USER }
    expect(await resolveDigest(reference, { credentials: [wrong, right] })).toBe(digest)
  })

  it('takes the password out of the file of docker login, or from the helper it names', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'skiff-docker-'))
    try {
      const digest = await closed.push('web', 'v1')
      const reference = parseReference(`${closed.host}/web:v1`)
      const env = { DOCKER_CONFIG: directory, PATH: `${directory}:${process.env.PATH}` }
      const configure = (config: unknown) => writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
      const resolveNow = async () => resolveDigest(reference, await dockerCredentials(reference, env))
      configure({ auths: { [`http://${closed.host}/v2/`]: { auth: base64(`${USER.username}:${USER.password}`) } } })
      expect(await resolveNow()).toBe(digest)

      const helper = join(directory, 'docker-credential-test')
      writeFileSync(
        helper,
        `#!/bin/sh\nread server\n[ "$server" = ${closed.host} ] || { echo credentials not found in native keychain; exit 1; }\necho '{"ServerURL":"x","Username":"${USER.username}","Secret":"${USER.password}"}'\n`,
      )
      chmodSync(helper, 0o755)
      configure({ auths: { [closed.host]: {} }, credHelpers: { [closed.host]: 'test' } })
      expect(await resolveNow()).toBe(digest)
      configure({ credsStore: 'test' })
      expect(await resolveNow()).toBe(digest)
      expect(await dockerCredentials(parseReference('elsewhere.example/x'), env)).toEqual({ credentials: [], complaints: [] })

      configure({ credsStore: 'absent' })
      const { complaints } = await dockerCredentials(reference, env)
      expect(complaints).toEqual([expect.stringContaining('docker-credential-absent: there is no such program on the path')])
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('is not believed when its content has another digest than it says', async () => {
    const digest = await open.push('web', 'v1', 'honest')
    const lie = Buffer.from('{"schemaVersion":2,"config":{"digest":"sha256:0"},"layers":[]}')
    await using front = await startFront({
      host: open.host,
      change: (path) => (path.includes('/manifests/') ? { body: lie } : undefined),
    })
    const told = `the registry says that v1 is ${digest}, but its content is ${digestOf(lie)}`
    await expect(resolveDigest(parseReference(`${front.host}/web:v1`))).rejects.toMatchObject({
      reason: 'Mismatch',
      message: told,
    })
    await expect(resolveDigest(parseReference(`${front.host}/web@${digest}`))).rejects.toMatchObject({ reason: 'Mismatch' })
  })

  it('is down: the error says so, and it is found again when it is back', async () => {
    const registry = await startRegistry()
    try {
      const digest = await registry.push('web', 'v1')
      const reference = parseReference(`${registry.host}/web:v1`)
      await registry.stop()
      await expect(resolveDigest(reference)).rejects.toMatchObject({ reason: 'Unreachable', message: /ECONNREFUSED/ })
      await registry.start()
      expect(await resolveDigest(reference)).toBe(digest)
    } finally {
      await registry[Symbol.asyncDispose]()
    }
  })
})

describe('a registry', () => {
  it('that never answers is not waited for', async () => {
    await using front = await startFront({ intercept: () => true })
    const reference = parseReference(`${front.host}/web:v1`)
    await expect(resolveDigest(reference, { patienceMs: 50 })).rejects.toMatchObject({
      reason: 'TimedOut',
      message: `${front.host} did not answer within 0.05 s`,
    })
  })

  it('that stops in the middle is not waited for', async () => {
    await using front = await startFront({
      intercept: (_request, response) => response.writeHead(200).write('{"schemaVersion":') || true,
    })
    await expect(resolveDigest(parseReference(`${front.host}/web:v1`), { patienceMs: 100 })).rejects.toMatchObject({
      reason: 'TimedOut',
    })
  })

  it('that answers with a page of a proxy is no registry', async () => {
    await using front = await startFront({ intercept: (_request, response) => Boolean(response.end('<html>welcome</html>')) })
    await expect(resolveDigest(parseReference(`${front.host}/web:v1`))).rejects.toMatchObject({
      reason: 'Unusable',
      message: 'v1 is neither an image manifest nor an index of them',
    })
  })

  it('that wants a token gets an identity token exchanged', async () => {
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config: { digest: `sha256:${'1'.repeat(64)}` }, layers: [] }))
    await using front = await startFront({
      intercept: (request, response) => {
        if (request.url === '/token') {
          request.on('data', (chunk: Buffer) => {
            const asked = new URLSearchParams(chunk.toString())
            const good = asked.get('refresh_token') === 'r0' && asked.get('scope') === 'repository:web:pull'
            response.writeHead(good ? 200 : 401).end('{"access_token":"t0"}')
          })
        } else if (request.headers.authorization === 'Bearer t0') response.end(manifest)
        else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }).end()
        return true
      },
    })
    const credential = { registry: front.host, username: '<token>', password: '', identityToken: 'r0' }
    const reference = parseReference(`${front.host}/web:v1`)
    expect(await resolveDigest(reference, { credentials: [credential] })).toBe(digestOf(manifest))
    const wrong = { ...credential, identityToken: 'r1' }
    await expect(resolveDigest(reference, { credentials: [wrong] })).rejects.toMatchObject({ reason: 'Denied' })
  })
})

describe('a pinned name', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  it.each([
    ['web', `web:latest@${digest}`],
    ['web:v1', `web:v1@${digest}`],
    [`web:v1@sha256:${'b'.repeat(64)}`, `web:v1@${digest}`],
    ['localhost:5000/a/b', `localhost:5000/a/b:latest@${digest}`],
  ])('%s', (text, expected) => {
    expect(pinned(text, digest)).toBe(expected)
    expect(parseReference(expected)).toMatchObject({ digest, tag: parseReference(text).tag })
  })
})
