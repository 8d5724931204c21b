/**
 * Makes X.509 certificates (RFC 5280) with EC P-256 keys: a CA, and what it signs for servers and clients.
 * Knows nothing of files or Kubernetes; time and random bytes come in.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  bitString,
  booleanTrue,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  tlv,
  utf8String,
} from './der.ts'

export interface CertificateRequest {
  commonName: string
  organizations?: readonly string[]
  /** DNS names and IP addresses, in one list. */
  names?: readonly string[]
  usage: 'authority' | 'server' | 'client'
  notBefore: Date
  notAfter: Date
  random: (bytes: number) => Buffer
}

/** Both in PEM; the key as PKCS #8. */
export interface KeyPair {
  certificate: string
  key: string
}

/** Who signs: the issuer's name as its certificate has it, and its key. */
export interface Issuer {
  commonName: string
  privateKey: KeyObject
}

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
const COMMON_NAME = objectIdentifier('2.5.4.3')
const ORGANIZATION = objectIdentifier('2.5.4.10')
const KEY_USAGE = '2.5.29.15'
const BASIC_CONSTRAINTS = '2.5.29.19'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const ALTERNATIVE_NAMES = '2.5.29.17'
const SUBJECT_KEY_ID = '2.5.29.14'
const AUTHORITY_KEY_ID = '2.5.29.35'
const PURPOSE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }

/** A new key and its certificate, signed by `issuer`, or by itself without one. */
export function issueCertificate(request: CertificateRequest, issuer?: Issuer): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = issuer ?? { commonName: request.commonName, privateKey }
  const signed = toBeSigned(request, signer, publicKey)
  const signature = sign('sha256', signed, signer.privateKey)
  const certificate = sequence(signed, ECDSA_WITH_SHA256, bitString(signature))
  return { certificate: pem('CERTIFICATE', certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
}

/** What somebody else asks a certificate for: their subject, key and names go into it as they are. */
export interface ForeignRequest {
  subject: Buffer
  publicKeyInfo: Buffer
  alternativeNames: Buffer | undefined
  /** As Kubernetes names them: `client auth`, `digital signature`, … */
  usages: readonly string[]
  notBefore: Date
  notAfter: Date
  random: (bytes: number) => Buffer
}

/** The bits of the key usage extension, and the purposes of the extended one (RFC 5280 sections 4.2.1.3 and 4.2.1.12). */
const USAGE_BITS: Readonly<Record<string, number>> = { 'digital signature': 0, 'key encipherment': 2 }
const USAGE_PURPOSES: Readonly<Record<string, string>> = { 'server auth': PURPOSE.server, 'client auth': PURPOSE.client }

/** The certificate in PEM. */
export function signCertificate(request: ForeignRequest, issuer: Issuer): string {
  const { usages } = request
  let bits = 0
  for (const usage of usages) if (USAGE_BITS[usage] !== undefined) bits |= 0x80 >> USAGE_BITS[usage]
  const unused = bits === 0 ? 0 : Math.log2(bits & -bits)
  const purposes = usages.flatMap((usage) => USAGE_PURPOSES[usage] ?? []).map(objectIdentifier)
  const parts = [
    ...(bits === 0 ? [] : [extension(KEY_USAGE, true, bitString(Buffer.from([bits]), unused))]),
    ...(purposes.length === 0 ? [] : [extension(EXTENDED_KEY_USAGE, false, sequence(...purposes))]),
    extension(BASIC_CONSTRAINTS, true, sequence()),
    extension(AUTHORITY_KEY_ID, false, sequence(implicit(0, keyId(createPublicKey(issuer.privateKey))))),
    ...(request.alternativeNames ? [extension(ALTERNATIVE_NAMES, false, request.alternativeNames)] : []),
  ]
  const signed = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber(request.random)),
    ECDSA_WITH_SHA256,
    distinguishedName(issuer.commonName, []),
    sequence(time(request.notBefore), time(request.notAfter)),
    request.subject,
    request.publicKeyInfo,
    explicit(3, sequence(...parts)),
  )
  const signature = sign('sha256', signed, issuer.privateKey)
  return pem('CERTIFICATE', sequence(signed, ECDSA_WITH_SHA256, bitString(signature)))
}

/** Positive and never zero, whatever the random bytes are. */
function serialNumber(random: (bytes: number) => Buffer): Buffer {
  const serial = random(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial
}

function toBeSigned(request: CertificateRequest, signer: Issuer, publicKey: KeyObject): Buffer {
  return sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber(request.random)),
    ECDSA_WITH_SHA256,
    distinguishedName(signer.commonName, []),
    sequence(time(request.notBefore), time(request.notAfter)),
    distinguishedName(request.commonName, request.organizations ?? []),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions(request, keyId(createPublicKey(signer.privateKey)), keyId(publicKey)))),
  )
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const part = (type: Buffer, value: string) => set(sequence(type, utf8String(value)))
  return sequence(...organizations.map((name) => part(ORGANIZATION, name)), part(COMMON_NAME, commonName))
}

function extensions(request: CertificateRequest, issuerKeyId: Buffer, subjectKeyId: Buffer): Buffer[] {
  const list: Buffer[] = []
  if (request.usage === 'authority') {
    // digitalSignature, keyCertSign and cRLSign: bits 0, 5 and 6.
    list.push(extension(KEY_USAGE, true, bitString(Buffer.from([0b10000110]), 1)))
    list.push(extension(BASIC_CONSTRAINTS, true, sequence(booleanTrue)))
  } else {
    list.push(extension(KEY_USAGE, true, bitString(Buffer.from([0b10000000]), 7)))
    list.push(extension(EXTENDED_KEY_USAGE, false, sequence(objectIdentifier(PURPOSE[request.usage]))))
    list.push(extension(BASIC_CONSTRAINTS, true, sequence()))
    list.push(extension(AUTHORITY_KEY_ID, false, sequence(implicit(0, issuerKeyId))))
  }
  list.push(extension(SUBJECT_KEY_ID, false, octetString(subjectKeyId)))
  if (request.names?.length) list.push(extension(ALTERNATIVE_NAMES, false, sequence(...request.names.map(alternativeName))))
  return list
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [booleanTrue] : []), octetString(value))
}

function alternativeName(name: string): Buffer {
  return isAddress(name) ? tlv(0x87, addressBytes(name)) : tlv(0x82, Buffer.from(name, 'ascii'))
}

/** The SHA-1 of the public key's bits, as RFC 5280 section 4.2.1.2 suggests: an uncompressed P-256 point is the last 65 bytes. */
function keyId(publicKey: KeyObject): Buffer {
  const bits = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65)
  return createHash('sha1').update(bits).digest()
}

/** Told by its characters: no host name has a colon or digits only. (`net.isIPv6` takes 5 ms when first called.) */
export function isAddress(name: string): boolean {
  return name.includes(':') || /^[0-9.]+$/.test(name)
}

/** Network order: 4 bytes for IPv4, 16 for IPv6 in any of its spellings. */
export function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const zeros = new Array<number>(8 - left.length - right.length).fill(0)
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...left, ...zeros, ...right].entries()) bytes.writeUInt16BE(group, index * 2)
  return bytes
}

function groups(part: string): number[] {
  if (!part) return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
