/** Reads a certificate request (PKCS #10, RFC 2986) and checks that who sent it holds the key. Knows no signer and no Kubernetes. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { DerError, type DerValue, derMembers, oidOf, readDer } from './der-reader.ts'

export interface CertificateSigning {
  commonName: string
  organizations: string[]
  /** The subject as it was written. */
  subject: Buffer
  publicKey: KeyObject
  /** The SubjectPublicKeyInfo as it was written. */
  publicKeyInfo: Buffer
  /** The contents of the subjectAltName extension that was asked for. */
  alternativeNames: Buffer | undefined
  names: { dns: number; addresses: number; emails: number; uris: number }
}

const COMMON_NAME = '2.5.4.3'
const ORGANIZATION = '2.5.4.10'
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const ALTERNATIVE_NAMES = '2.5.29.17'
/** Hashes of the signatures that are understood; Ed25519 has its own inside. */
const HASHES: Readonly<Record<string, string | null>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null,
}

/** Throws DerError for what is no request, or whose signature is not its own key's. */
export function readCertificateRequest(pem: string): CertificateSigning {
  const body = /-----BEGIN CERTIFICATE REQUEST-----([\s\S]+?)-----END CERTIFICATE REQUEST-----/.exec(pem)?.[1]
  if (body === undefined) throw new DerError('PEM block type must be CERTIFICATE REQUEST')
  const [info, algorithm, signature] = derMembers(readDer(Buffer.from(body, 'base64')))
  const [, subject, publicKeyInfo, ...attributes] = info ? derMembers(info) : []
  if (!info || !algorithm || !signature || !subject || !publicKeyInfo) throw new DerError('the request lacks a part')
  const publicKey = createPublicKey({ key: publicKeyInfo.whole, format: 'der', type: 'spki' })
  const hash = HASHES[oidOf(derMembers(algorithm)[0]!)]
  if (hash === undefined) throw new DerError('the signature is of a kind that is not supported')
  if (!verify(hash, info.whole, publicKey, signature.contents.subarray(1)))
    throw new DerError('the signature is not that of the key in the request')
  const alternativeNames = alternativeNamesOf(attributes.find(({ tag }) => tag === 0xa0))
  return {
    ...namesOf(subject),
    subject: subject.whole,
    publicKey,
    publicKeyInfo: publicKeyInfo.whole,
    alternativeNames,
    names: countNames(alternativeNames),
  }
}

function namesOf(subject: DerValue): { commonName: string; organizations: string[] } {
  let commonName = ''
  const organizations: string[] = []
  for (const part of derMembers(subject).flatMap(derMembers)) {
    const [type, value] = derMembers(part)
    if (!type || !value) continue
    if (oidOf(type) === COMMON_NAME) commonName = value.contents.toString()
    if (oidOf(type) === ORGANIZATION) organizations.push(value.contents.toString())
  }
  return { commonName, organizations }
}

function alternativeNamesOf(attributes: DerValue | undefined): Buffer | undefined {
  for (const attribute of attributes ? derMembers(attributes) : []) {
    const [type, values] = derMembers(attribute)
    if (!type || !values || oidOf(type) !== EXTENSION_REQUEST) continue
    for (const extension of derMembers(values).flatMap(derMembers)) {
      const members = derMembers(extension)
      if (members[0] && oidOf(members[0]) === ALTERNATIVE_NAMES) return members.at(-1)?.contents
    }
  }
  return undefined
}

/** By the tags of GeneralName (RFC 5280 section 4.2.1.6). */
function countNames(names: Buffer | undefined): CertificateSigning['names'] {
  const count = { dns: 0, addresses: 0, emails: 0, uris: 0 }
  for (const { tag } of names ? derMembers(readDer(names)) : []) {
    if (tag === 0x82) count.dns += 1
    else if (tag === 0x87) count.addresses += 1
    else if (tag === 0x81) count.emails += 1
    else if (tag === 0x86) count.uris += 1
  }
  return count
}
