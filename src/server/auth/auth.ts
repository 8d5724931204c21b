/** Joins what this folder has into one value for the server: keys, who is asking, may they, and what is answered about both. */
import { parseCidr } from '../../api/addresses.ts'
import type { KubeObject } from '../../api/object.ts'
import type { Clock } from '../../base/clock.ts'
import type { AdmissionPlugin, ObjectReader } from '../admission/contract.ts'
import type { UserInfo } from '../contract.ts'
import { ANONYMOUS, createAuthenticator } from './authenticate.ts'
import { createAuthorizer, type RbacAuthorizer } from './authorize.ts'
import type { Authenticator } from './contract.ts'
import { createEscalationPlugin } from './escalation.ts'
import { impersonate, type RawHeaders } from './impersonate.ts'
import { allowNameReviews } from './name-reviews.ts'
import { createNodeAuthorizer } from './nodes.ts'
import { loadPki, type Pki } from './pki.ts'
import { createReviews, type Reviews } from './reviews.ts'
import { createRoleIndex } from './role-index.ts'
import { createServiceAccounts } from './service-accounts.ts'
import { createTokenSigner } from './tokens.ts'

export interface AuthOptions {
  reader: ObjectReader
  clock: Clock
  random: (bytes: number) => Buffer
  /** Where keys and certificates are kept; absent: in memory. */
  pkiDirectory?: string
  /** Further names and addresses in the serving certificate. */
  certificateNames?: readonly string[]
  /** Its first address is the `kubernetes` Service's. Default 10.96.0.0/16. */
  serviceCidr?: string
  /** Bearer tokens that stand for a user as they are. */
  staticTokens?: ReadonlyMap<string, UserInfo>
  /** The `iss` of service-account tokens, and the audience of those that ask for none. */
  issuer?: string
}

export interface Auth {
  readonly pki: Pki
  readonly authenticator: Authenticator
  /** Who asks without credentials (`authenticate` answered undefined). */
  readonly anonymous: UserInfo
  readonly authorizer: RbacAuthorizer
  /** Refuses roles and bindings that grant more than their writer holds. Belongs at the end of the mutators. */
  readonly escalation: AdmissionPlugin
  /** The user that `Impersonate-…` headers ask for, `user` itself without any. Throws StatusError (400, 403). */
  impersonate(user: UserInfo, headers: RawHeaders): Promise<UserInfo>
  /** By plural: `tokenreviews`, `subjectaccessreviews`, … */
  readonly reviews: Reviews
  /** Answers `serviceaccounts/NAME/token`: the TokenRequest with its status filled in. Throws StatusError. */
  createToken(namespace: string, name: string, request: KubeObject): KubeObject
  /** `/.well-known/openid-configuration`; `url` is where clients reach this server. */
  openIdConfiguration(url: string): object
  /** `/openid/v1/jwks`, of the type application/jwk-set+json. */
  readonly keySet: object
  /** Stops following roles and bindings. */
  stop(): void
}

const DEFAULT_ISSUER = 'https://kubernetes.default.svc'
const DEFAULT_SERVICE_CIDR = '10.96.0.0/16'

/** Reads or makes the keys (a few milliseconds) and indexes the roles there are; later ones are followed. */
export async function createAuth(options: AuthOptions): Promise<Auth> {
  const { reader, clock, random } = options
  const issuer = options.issuer ?? DEFAULT_ISSUER
  const pki = loadPki({
    clock,
    random,
    serviceAddress: firstAddress(options.serviceCidr ?? DEFAULT_SERVICE_CIDR),
    ...(options.pkiDirectory !== undefined && { directory: options.pkiDirectory }),
    ...(options.certificateNames && { names: options.certificateNames }),
  })
  const signer = createTokenSigner(pki.tokenKey)
  const serviceAccounts = createServiceAccounts({ signer, reader, clock, random, issuer, audiences: [issuer] })
  const index = createRoleIndex(reader)
  const nodeRules = () => index.rulesOf({ kind: 'ClusterRole', name: 'system:node' }, '') ?? []
  const authorizer = createAuthorizer(index, [createNodeAuthorizer(reader, nodeRules), allowNameReviews])
  const staticTokens = options.staticTokens ?? new Map<string, UserInfo>()
  return {
    pki,
    authenticator: createAuthenticator({ serviceAccounts, clock, staticTokens }),
    anonymous: ANONYMOUS,
    authorizer,
    escalation: createEscalationPlugin(index, authorizer),
    impersonate: (user, headers) => impersonate(user, headers, authorizer),
    reviews: createReviews({ authorizer, serviceAccounts, staticTokens, clock }),
    createToken: serviceAccounts.createToken,
    openIdConfiguration: (url) => ({
      issuer,
      jwks_uri: `${url}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    }),
    keySet: signer.keySet,
    stop: () => index.stop(),
  }
}

/** The first usable address of a range: the one of the `kubernetes` Service. Throws for a text that is no IPv4 range. */
export function firstAddress(range: string): string {
  const parsed = parseCidr(range)
  if (parsed?.family !== 'IPv4') throw new Error(`the Service range ${range} is not an IPv4 CIDR`)
  const [a = 0, b = 0, c = 0, d = 0] = parsed.address.split('.').map(Number)
  return `${a}.${b}.${c}.${d + 1}`
}
