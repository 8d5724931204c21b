import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addressBytes } from '../../../src/server/auth/certificates.ts'
import { integer, objectIdentifier, time, tlv } from '../../../src/server/auth/der.ts'
import { loadPki } from '../../../src/server/auth/pki.ts'
import { createClock, random } from './objects.ts'

const DAY_MS = 24 * 3600 * 1000
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-pki-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('DER', () => {
  it('writes what the standards show', () => {
    expect(objectIdentifier('1.2.840.113549').toString('hex')).toBe('06062a864886f70d')
    expect(integer(Buffer.from([0, 0, 0x80])).toString('hex')).toBe('02020080')
    expect(integer(Buffer.from([0])).toString('hex')).toBe('020100')
    expect(tlv(0x04, Buffer.alloc(200)).subarray(0, 3).toString('hex')).toBe('0481c8')
    expect(time(new Date('2049-12-31T23:59:59Z')).subarray(2).toString()).toBe('491231235959Z')
    expect(time(new Date('2050-01-01T00:00:00Z')).subarray(2).toString()).toBe('20500101000000Z')
  })

  it('packs addresses', () => {
    expect([...addressBytes('10.96.0.1')]).toEqual([10, 96, 0, 1])
    expect(addressBytes('::1').toString('hex')).toBe(`${'0'.repeat(31)}1`)
    expect(addressBytes('fe80::1:2').toString('hex')).toBe('fe800000000000000000000000010002')
    expect(addressBytes('::ffff:1.2.3.4').toString('hex')).toBe('00000000000000000000ffff01020304')
  })
})

describe('a PKI in memory', () => {
  it('signs what OpenSSL accepts', () => {
    const pki = loadPki({ clock: createClock(), random, names: ['box.example', '192.168.1.2', 'fd00::5'] })
    const authority = new X509Certificate(pki.caCertificate)
    const serving = new X509Certificate(pki.serving.certificate)
    expect(authority.ca).toBe(true)
    expect(authority.verify(authority.publicKey)).toBe(true)
    expect(serving.checkIssued(authority) && serving.verify(authority.publicKey)).toBe(true)
    for (const name of ['localhost', 'kubernetes', 'kubernetes.default.svc.cluster.local', 'box.example']) {
      expect(serving.checkHost(name), name).toBe(name)
    }
    for (const address of ['127.0.0.1', '::1', '10.96.0.1', '192.168.1.2', 'fd00::5']) {
      expect(serving.checkIP(address), address).toBeDefined()
    }
    expect(serving.checkHost('evil.example')).toBeUndefined()
  })

  it('names users and all their groups in client certificates', () => {
    const pki = loadPki({ clock: createClock(), random })
    expect(new X509Certificate(pki.admin.certificate).subject).toBe('O=system:masters\nCN=kubernetes-admin')
    const issued = pki.issueClientCertificate('system:node:a', ['system:nodes', 'more'])
    expect(new X509Certificate(issued.certificate).subject).toBe('O=system:nodes\nO=more\nCN=system:node:a')
  })
})

describe('a PKI in a directory', () => {
  it('keeps keys for their owner only and uses them again', () => {
    const first = loadPki({ clock: createClock(), random, directory })
    const second = loadPki({ clock: createClock(), random, directory })
    expect(second.caCertificate).toBe(first.caCertificate)
    expect(second.serving).toEqual(first.serving)
    expect(second.admin).toEqual(first.admin)
    expect(second.tokenKey.equals(first.tokenKey)).toBe(true)
    for (const key of ['ca.key', 'apiserver.key', 'admin.key', 'sa.key']) {
      expect(statSync(join(directory, key)).mode & 0o777, key).toBe(0o600)
    }
    expect(statSync(directory).mode & 0o777).toBe(0o700)
  })

  it('renews a serving certificate that lacks a name or is about to expire, under the same CA', () => {
    const clock = createClock()
    const first = loadPki({ clock, random, directory })
    const named = loadPki({ clock, random, directory, names: ['other'] })
    expect(named.caCertificate).toBe(first.caCertificate)
    expect(named.serving.certificate).not.toBe(first.serving.certificate)
    expect(named.admin).toEqual(first.admin)
    clock.advance(340 * DAY_MS)
    const later = loadPki({ clock, random, directory, names: ['other'] })
    expect(later.caCertificate).toBe(first.caCertificate)
    expect(later.admin.certificate).not.toBe(first.admin.certificate)
    expect(Date.parse(new X509Certificate(later.serving.certificate).validTo)).toBeGreaterThan(clock.now() + 300 * DAY_MS)
  })

  it('makes a damaged leaf again, and refuses to replace a damaged or expired CA', () => {
    const clock = createClock()
    const first = loadPki({ clock, random, directory })
    writeFileSync(join(directory, 'admin.crt'), 'rubbish')
    rmSync(join(directory, 'apiserver.key'))
    const mended = loadPki({ clock, random, directory })
    expect(mended.caCertificate).toBe(first.caCertificate)
    expect(readFileSync(join(directory, 'admin.crt'), 'utf8')).toBe(mended.admin.certificate)
    clock.advance(3651 * DAY_MS)
    expect(() => loadPki({ clock, random, directory })).toThrow(/has expired/)
    writeFileSync(join(directory, 'ca.crt'), 'rubbish')
    expect(() => loadPki({ clock, random, directory })).toThrow(/cannot be read/)
    rmSync(join(directory, 'ca.key'))
    expect(() => loadPki({ clock, random, directory })).toThrow(/lacks ca.key/)
  })
})
