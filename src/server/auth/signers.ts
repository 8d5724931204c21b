/** The signers `kubernetes.io/…`: which requests each of them signs, and the certificate that comes of it. */
import { createPrivateKey } from 'node:crypto'
import { type CertificateSigning, readCertificateRequest } from './certificate-request.ts'
import { signCertificate } from './certificates.ts'
import { DerError } from './der-reader.ts'

export interface SigningRequest {
  signerName: string
  /** PEM. */
  request: string
  usages: readonly string[]
  expirationSeconds?: number | undefined
}

export interface SigningOptions {
  authority: { certificate: string; key: string; commonName: string }
  now: number
  random: (bytes: number) => Buffer
}

export type SigningAnswer = { certificate: string; commonName: string } | { refusal: string }

const MAX_SECONDS = 365 * 24 * 3600
const BACKDATE_SECONDS = 5 * 60
const NODE_GROUP = 'system:nodes'
const NODE_PREFIX = 'system:node:'

/** Undefined when the request is good, else what is wrong with it. */
type Rule = (asked: CertificateSigning, usages: readonly string[]) => string | undefined

const SIGNERS: Readonly<Record<string, Rule>> = {
  'kubernetes.io/kube-apiserver-client': (_, usages) =>
    usageComplaint(usages, ['client auth'], ['digital signature', 'key encipherment']),
  'kubernetes.io/kube-apiserver-client-kubelet': (asked, usages) =>
    nodeComplaint(asked) ?? anyNames(asked) ?? usageComplaint(usages, ['client auth', 'digital signature'], ['key encipherment']),
  'kubernetes.io/kubelet-serving': (asked, usages) =>
    nodeComplaint(asked) ??
    servingNames(asked) ??
    usageComplaint(usages, ['server auth', 'digital signature'], ['key encipherment']),
}

function usageComplaint(usages: readonly string[], needed: readonly string[], allowed: readonly string[]): string | undefined {
  const fine =
    needed.every((usage) => usages.includes(usage)) && usages.every((usage) => needed.includes(usage) || allowed.includes(usage))
  return fine ? undefined : `usages did not match ${[...needed, ...allowed].join(',')}`
}

function nodeComplaint({ commonName, organizations }: CertificateSigning): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== NODE_GROUP) return `subject organization is not ${NODE_GROUP}`
  return commonName.startsWith(NODE_PREFIX) ? undefined : `subject common name does not begin with ${NODE_PREFIX}`
}

function anyNames({ names }: CertificateSigning): string | undefined {
  if (names.dns > 0) return 'DNS subjectAltNames are not allowed'
  if (names.addresses > 0) return 'IP subjectAltNames are not allowed'
  return otherNames(names)
}

function servingNames({ names }: CertificateSigning): string | undefined {
  return names.dns + names.addresses === 0 ? 'DNS or IP subjectAltName is required' : otherNames(names)
}

function otherNames({ emails, uris }: CertificateSigning['names']): string | undefined {
  if (emails > 0) return 'Email subjectAltNames are not allowed'
  return uris > 0 ? 'URI subjectAltNames are not allowed' : undefined
}

/** The certificate in PEM, or why this signer does not give one; undefined for a signer that is somebody else's. */
export function signFor(asked: SigningRequest, options: SigningOptions): SigningAnswer | undefined {
  const rule = Object.hasOwn(SIGNERS, asked.signerName) ? SIGNERS[asked.signerName] : undefined
  if (!rule) return undefined
  try {
    const request = readCertificateRequest(asked.request)
    const refusal = rule(request, asked.usages)
    if (refusal) return { refusal: `CSR ${refusal}` }
    const seconds = Math.min(asked.expirationSeconds ?? MAX_SECONDS, MAX_SECONDS)
    const certificate = signCertificate(
      {
        ...request,
        usages: asked.usages,
        notBefore: new Date(options.now - BACKDATE_SECONDS * 1000),
        notAfter: new Date(options.now + seconds * 1000),
        random: options.random,
      },
      { commonName: options.authority.commonName, privateKey: createPrivateKey(options.authority.key) },
    )
    return { certificate, commonName: request.commonName }
  } catch (error) {
    if (error instanceof DerError || isKeyError(error)) return { refusal: `unable to parse csr: ${(error as Error).message}` }
    throw error
  }
}

/** What OpenSSL says about a key that is none. */
function isKeyError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException)?.code
  return typeof code === 'string' && code.startsWith('ERR_OSSL')
}
