import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { loadPki } from '../../../src/server/auth/pki.ts'
import { pooledRandomBytes } from '../../../src/server/objects/random.ts'
import { makeRequest, type Wanted } from './csr.ts'

const pki = loadPki({ clock: systemClock, random: pooledRandomBytes })
const NODE = { commonName: 'system:node:n1', organizations: ['system:nodes'] }
const CLIENT = ['digital signature', 'client auth']

async function ask(signerName: string, wanted: Wanted, usages: string[], expirationSeconds?: number) {
  const { request, key } = makeRequest(wanted)
  return { key, answer: await pki.sign({ signerName, request, usages, expirationSeconds }) }
}

describe('the signers of Kubernetes', () => {
  it.each([false, true])('sign for a client, RSA key %s', async (rsa) => {
    const { answer } = await ask('kubernetes.io/kube-apiserver-client', { commonName: 'jane', rsa }, CLIENT, 3600)
    const certificate = new X509Certificate((answer as { certificate: string }).certificate)
    expect(certificate.subject).toBe('CN=jane')
    expect(certificate.verify(new X509Certificate(pki.caCertificate).publicKey)).toBe(true)
    expect(Date.parse(certificate.validTo) - Date.now()).toBeLessThanOrEqual(3600_000)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  })

  it('sign for a node that serves, with the names it asks for', async () => {
    const usages = ['digital signature', 'server auth']
    const { answer } = await ask('kubernetes.io/kubelet-serving', { ...NODE, dns: ['n1.example'] }, usages)
    expect(new X509Certificate((answer as { certificate: string }).certificate).subjectAltName).toBe('DNS:n1.example')
  })

  it.each([
    ['kubernetes.io/kube-apiserver-client', { commonName: 'jane' }, ['server auth'], 'usages did not match'],
    ['kubernetes.io/kube-apiserver-client-kubelet', { commonName: 'jane' }, CLIENT, 'organization is not system:nodes'],
    ['kubernetes.io/kube-apiserver-client-kubelet', { ...NODE, dns: ['x'] }, CLIENT, 'DNS subjectAltNames are not allowed'],
    ['kubernetes.io/kubelet-serving', NODE, ['digital signature', 'server auth'], 'DNS or IP subjectAltName is required'],
    ['kubernetes.io/kube-apiserver-client', { commonName: 'jane', forged: true }, CLIENT, 'the signature is not that of the key'],
  ])('%s refuses %j with %j', async (signer, wanted, usages, text) => {
    const { answer } = await ask(signer, wanted, usages)
    expect((answer as { refusal: string }).refusal).toContain(text)
  })

  it('leave other signers alone, and say what no request is', async () => {
    expect((await ask('example.com/mine', { commonName: 'x' }, CLIENT)).answer).toBeUndefined()
    const answer = await pki.sign({ signerName: 'kubernetes.io/kube-apiserver-client', request: 'nonsense', usages: CLIENT })
    expect((answer as { refusal: string }).refusal).toContain('PEM block type must be CERTIFICATE REQUEST')
  })
})
