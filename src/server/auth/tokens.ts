/**
 * Service-account tokens: JSON Web Tokens (RFC 7519) signed with ES256, with the claims that Kubernetes puts into its own.
 * Signing and checking of signatures and times only; whether the account still exists is `service-accounts.ts`' business.
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

export interface TokenClaims {
  iss: string
  sub: string
  aud: string[]
  /** Seconds since 1970, as all times here. */
  iat: number
  nbf: number
  exp: number
  jti: string
  'kubernetes.io': {
    namespace: string
    serviceaccount: ObjectIdentity
    pod?: ObjectIdentity
    secret?: ObjectIdentity
    node?: Partial<ObjectIdentity>
    warnafter?: number
  }
}

export interface ObjectIdentity {
  name: string
  uid: string
}

export interface TokenSigner {
  sign(claims: TokenClaims): string
  /** The claims of a token of ours, whatever its times are; undefined for a foreign or damaged one. */
  read(token: string): TokenClaims | undefined
  /** A JSON Web Key Set (RFC 7517) with the public key. */
  readonly keySet: { keys: object[] }
}

/** Signatures checked once are not checked again, for this many tokens. */
const MAX_REMEMBERED = 10_000
/** Longer texts are not tokens of ours, and not worth hashing. */
const MAX_TOKEN_LENGTH = 16_384

export function createTokenSigner(key: KeyObject): TokenSigner {
  const publicKey = createPublicKey(key)
  const keyId = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  const header = encode({ alg: 'ES256', kid: keyId })
  const remembered = new Map<string, TokenClaims>()

  const check = (token: string): TokenClaims | undefined => {
    const [head, body, signature, ...rest] = token.split('.')
    // The header is compared as a whole: no other algorithm, no other key.
    if (head !== header || !body || !signature || rest.length > 0) return undefined
    const signed = Buffer.from(`${head}.${body}`)
    const good = verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
    return good ? (JSON.parse(Buffer.from(body, 'base64url').toString()) as TokenClaims) : undefined
  }

  return {
    sign(claims) {
      const text = `${header}.${encode(claims)}`
      const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
      return `${text}.${signature.toString('base64url')}`
    },
    read(token) {
      const known = remembered.get(token)
      if (known || token.length > MAX_TOKEN_LENGTH) return known
      const claims = check(token)
      if (!claims) return undefined
      if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value ?? '')
      remembered.set(token, claims)
      return claims
    },
    keySet: { keys: [{ use: 'sig', kid: keyId, alg: 'ES256', ...publicKey.export({ format: 'jwk' }) }] },
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
