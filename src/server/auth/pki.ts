/**
 * The cluster's keys: a CA, the serving certificate, the admin's client certificate, and the key that signs service-account
 * tokens. Kept in a directory and reused while they are good, or made anew and kept in memory.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { type CertificateRequest, type Issuer, isAddress, issueCertificate, type KeyPair } from './certificates.ts'
import type { SigningAnswer, SigningRequest } from './signers.ts'

export interface PkiOptions {
  /** Where `ca.crt`, `ca.key`, `apiserver.crt` … are kept, keys readable by their owner only. In memory without it. */
  directory?: string
  clock: Clock
  random: (bytes: number) => Buffer
  /** Names and addresses the API server is reached by, besides the usual ones. */
  names?: readonly string[]
  /** The address of the `kubernetes` Service. */
  serviceAddress?: string
}

export interface Pki {
  /** PEM. */
  readonly caCertificate: string
  readonly serving: KeyPair
  /** A client certificate of the group system:masters. */
  readonly admin: KeyPair
  /** EC P-256. */
  readonly tokenKey: KeyObject
  /** A client certificate, good for a year. The common name is the user, organizations are its groups. */
  issueClientCertificate(user: string, groups: readonly string[]): KeyPair
  /** What the signers `kubernetes.io/…` answer to a request; undefined for another signer. */
  sign(request: SigningRequest): Promise<SigningAnswer | undefined>
}

const DAY_MS = 24 * 3600 * 1000
const AUTHORITY_DAYS = 3650
const CERTIFICATE_DAYS = 365
/** A kept certificate is made anew when it has less left than this. */
const RENEW_BEFORE_DAYS = 30
/** Certificates hold a little before now, for clients whose clocks are behind. */
const BACKDATE_MS = 5 * 60 * 1000
const AUTHORITY_NAME = 'kubernetes'
const USUAL_NAMES = [
  ...['localhost', '127.0.0.1', '::1'],
  ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
]

/**
 * Reads what is kept and makes what is missing, expiring or lacks a name. Throws with one line that says what to do when a
 * kept file is damaged or one half of a pair is gone: replacing a CA silently would lock out everybody who trusts it.
 */
export function loadPki(options: PkiOptions): Pki {
  const keep = options.directory === undefined ? undefined : new PkiDirectory(options.directory)
  const authority = loadAuthority(options, keep)
  const caCertificate = new X509Certificate(authority.certificate)
  const issuer: Issuer = { commonName: AUTHORITY_NAME, privateKey: createPrivateKey(authority.key) }
  const issue = (request: Pick<CertificateRequest, 'commonName' | 'organizations' | 'names' | 'usage'>) =>
    issueCertificate({ ...request, ...validity(options.clock, CERTIFICATE_DAYS), random: options.random }, issuer)
  const load = (name: string, request: Parameters<typeof issue>[0]): KeyPair => {
    const kept = keep?.pair(name)
    if (kept && isGood(kept, caCertificate, request.names ?? [], options.clock)) return kept
    const made = issue(request)
    keep?.savePair(name, made)
    return made
  }
  const names = [...new Set([...USUAL_NAMES, options.serviceAddress ?? '10.96.0.1', ...(options.names ?? [])])]
  return {
    caCertificate: authority.certificate,
    serving: load('apiserver', { commonName: 'kube-apiserver', names, usage: 'server' }),
    admin: load('admin', { commonName: 'kubernetes-admin', organizations: ['system:masters'], usage: 'client' }),
    tokenKey: loadTokenKey(keep),
    issueClientCertificate: (user, groups) => issue({ commonName: user, organizations: groups, usage: 'client' }),
    async sign(request) {
      const { signFor } = await import('./signers.ts')
      const { clock, random } = options
      return signFor(request, { authority: { ...authority, commonName: AUTHORITY_NAME }, now: clock.now(), random })
    },
  }
}

function loadAuthority(options: PkiOptions, keep: PkiDirectory | undefined): KeyPair {
  const kept = keep?.pair('ca')
  if (kept) {
    if (timeLeft(new X509Certificate(kept.certificate), options.clock) > 0) return kept
    throw new Error(`the CA in ${keep?.path} has expired: remove the directory to have a new one made`)
  }
  const request = { commonName: AUTHORITY_NAME, usage: 'authority' as const, random: options.random }
  const made = issueCertificate({ ...request, ...validity(options.clock, AUTHORITY_DAYS) })
  keep?.savePair('ca', made)
  return made
}

function loadTokenKey(keep: PkiDirectory | undefined): KeyObject {
  const kept = keep?.read('sa.key')
  if (kept !== undefined) return createPrivateKey(kept)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  keep?.write('sa.key', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  return privateKey
}

function validity(clock: Clock, days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(clock.now() - BACKDATE_MS), notAfter: new Date(clock.now() + days * DAY_MS) }
}

function isGood(pair: KeyPair, authority: X509Certificate, names: readonly string[], clock: Clock): boolean {
  const certificate = new X509Certificate(pair.certificate)
  return (
    timeLeft(certificate, clock) > RENEW_BEFORE_DAYS * DAY_MS &&
    certificate.verify(authority.publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(pair.key)) &&
    names.every((name) => (isAddress(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
  )
}

function timeLeft(certificate: X509Certificate, clock: Clock): number {
  return Date.parse(certificate.validTo) - clock.now()
}

/** The files, under the names kubeadm gives them. */
class PkiDirectory {
  readonly path: string
  constructor(path: string) {
    this.path = path
    mkdirSync(path, { recursive: true, mode: 0o700 })
    chmodSync(path, 0o700)
  }

  pair(name: string): KeyPair | undefined {
    const certificate = this.read(`${name}.crt`)
    const key = this.read(`${name}.key`)
    if (certificate === undefined && key === undefined) return undefined
    const missing = certificate === undefined ? `${name}.crt` : key === undefined ? `${name}.key` : undefined
    if (missing && name !== 'ca') return undefined
    if (missing) throw new Error(`${this.path} lacks ${missing}: restore it, or remove the directory to have a new CA made`)
    return this.checked(name, { certificate: certificate!, key: key! })
  }

  private checked(name: string, pair: KeyPair): KeyPair | undefined {
    try {
      new X509Certificate(pair.certificate)
      createPrivateKey(pair.key)
      return pair
    } catch (cause) {
      // Only the CA is irreplaceable; the rest is made again from it.
      if (name !== 'ca') return undefined
      throw new Error(`the CA in ${this.path} cannot be read: restore ca.crt and ca.key, or remove the directory`, { cause })
    }
  }

  savePair(name: string, pair: KeyPair): void {
    this.write(`${name}.key`, pair.key)
    this.write(`${name}.crt`, pair.certificate, 0o644)
  }

  read(file: string): string | undefined {
    const path = join(this.path, file)
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  }

  /** A crash leaves the old file or the new one, never half of it. */
  write(file: string, text: string, mode = 0o600): void {
    const path = join(this.path, file)
    writeFileSync(`${path}.new`, text, { mode })
    chmodSync(`${path}.new`, mode)
    renameSync(`${path}.new`, path)
  }
}
