import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadKubeconfig } from '../../src/client/kubeconfig.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'skiff-kubeconfig-'))
afterAll(() => rmSync(directory, { recursive: true }))

function file(name: string, text: string): string {
  const full = path.join(directory, name)
  writeFileSync(full, text)
  return full
}

const ONE = `
apiVersion: v1
kind: Config
current-context: one
clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443", certificate-authority: ca.pem}}]
users: [{name: u, user: {token: t0k}}]
contexts: [{name: one, context: {cluster: c, user: u, namespace: apps}}]
`
const TWO = `
clusters: [{name: c, cluster: {server: "https://elsewhere"}}, {name: d, cluster: {server: "https://10.0.0.1"}}]
users: [{name: v, user: {client-certificate-data: ${Buffer.from('CERT').toString('base64')}, client-key-data: ${Buffer.from('KEY').toString('base64')}}}]
contexts: [{name: two, context: {cluster: d, user: v}}]
`

describe('kubeconfig', () => {
  it('resolves the current context, with paths taken from the file they stand in', async () => {
    file('ca.pem', 'CA')
    const access = await loadKubeconfig({ kubeconfig: file('one', ONE) })
    expect(access).toMatchObject({ server: 'https://127.0.0.1:6443', ca: 'CA', namespace: 'apps', contextName: 'one' })
    expect(await access.token?.()).toBe('t0k')
  })

  it('merges several files; the first to name a thing wins', async () => {
    const KUBECONFIG = [file('one', ONE), path.join(directory, 'absent'), file('two', TWO)].join(path.delimiter)
    const two = await loadKubeconfig({ env: { KUBECONFIG }, context: 'two', namespace: 'x' })
    expect(two).toMatchObject({ server: 'https://10.0.0.1', clientCertificate: 'CERT', clientKey: 'KEY', namespace: 'x' })
    expect((await loadKubeconfig({ env: { KUBECONFIG } })).server).toBe('https://127.0.0.1:6443')
  })

  it.each([
    ['a missing file', {}, /no kubeconfig at .*: start a cluster with "skiff up"/],
    ['an unknown context', { text: ONE, context: 'nope' }, /context "nope" does not exist \(there are: one\)/],
    ['broken YAML', { text: 'clusters: [' }, /is not a kubeconfig/],
    ['a list', { text: '- a' }, /a mapping is expected/],
    ['an auth provider', { text: ONE.replace('token: t0k', 'auth-provider: {name: gcp}') }, /auth-provider is not supported/],
  ])('refuses %s in one line', async (_name, { text, context }: { text?: string; context?: string }, message) => {
    const kubeconfig = text === undefined ? path.join(directory, 'missing') : file('bad', text)
    const failed = await loadKubeconfig({ kubeconfig, context }).catch((error: Error) => error)
    expect(failed).toBeInstanceOf(Error)
    expect((failed as Error).message).toMatch(message)
    expect((failed as Error).message).not.toContain('\n')
  })
})
