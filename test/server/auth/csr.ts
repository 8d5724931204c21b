/** Makes certificate requests (PKCS #10) as kubelets and people do. */
import { generateKeyPairSync, sign } from 'node:crypto'
import {
  bitString,
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  tlv,
  utf8String,
} from '../../../src/server/auth/der.ts'

export interface Wanted {
  commonName: string
  organizations?: readonly string[]
  dns?: readonly string[]
  /** RSA instead of EC P-256. */
  rsa?: boolean
  /** Somebody else's signature. */
  forged?: boolean
}

/** The request and its key, both in PEM. */
export function makeRequest({ commonName, organizations = [], dns = [], rsa, forged }: Wanted): { request: string; key: string } {
  const make = () =>
    rsa ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { privateKey, publicKey } = make()
  const part = (type: string, value: string) => set(sequence(objectIdentifier(type), utf8String(value)))
  const names = sequence(...dns.map((name) => tlv(0x82, Buffer.from(name))))
  const extension = sequence(objectIdentifier('2.5.29.17'), octetString(names))
  const attribute = sequence(objectIdentifier('1.2.840.113549.1.9.14'), set(sequence(extension)))
  const info = sequence(
    integer(Buffer.from([0])),
    sequence(...organizations.map((name) => part('2.5.4.10', name)), part('2.5.4.3', commonName)),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(0, ...(dns.length > 0 ? [attribute] : [])),
  )
  const algorithm = sequence(objectIdentifier(rsa ? '1.2.840.113549.1.1.11' : '1.2.840.10045.4.3.2'))
  const signature = sign('sha256', info, forged ? make().privateKey : privateKey)
  const body = sequence(info, algorithm, bitString(signature)).toString('base64')
  return {
    request: `-----BEGIN CERTIFICATE REQUEST-----\n${body.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE REQUEST-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}
