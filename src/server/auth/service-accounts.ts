/**
 * Issues tokens for service accounts and says whom a token stands for. A token is as good as what it is bound to: the
 * account, and the pod, secret or node, must still be there with the uid it was issued for.
 */
import { invalid as invalidField } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { badRequest, conflict, invalid, notFound } from '../../api/status.ts'
import type { BoundObjectReference, TokenRequestSpec } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { ObjectReader } from '../admission/contract.ts'
import type { UserInfo } from '../contract.ts'
import { newUid } from '../objects/names.ts'
import type { ObjectIdentity, TokenClaims, TokenSigner } from './tokens.ts'

export interface ServiceAccountsOptions {
  signer: TokenSigner
  reader: ObjectReader
  clock: Clock
  random: (bytes: number) => Buffer
  /** The `iss` of every token. */
  issuer: string
  /** Audiences the API server answers to; the first is given to tokens that ask for none. */
  audiences: readonly string[]
}

export interface ServiceAccounts {
  /**
   * Answers a TokenRequest for the account: the request with its defaults and status filled in. Throws 404 for a missing account
   * or bound object, 409 for another uid, 400 and 422 for bad requests.
   */
  createToken(namespace: string, name: string, request: KubeObject): KubeObject
  /** Whom the token stands for, and which of `audiences` it is for; a text that says why it is refused. */
  verify(token: string, audiences?: readonly string[]): { user: UserInfo; audiences: string[] } | string
}

const DEFAULT_SECONDS = 3600
const MIN_SECONDS = 600
const MAX_SECONDS = 2 ** 32
/**
 * What the ServiceAccount admission plugin asks for. Such tokens outlive their announced expiry by far, for clients that read
 * the file once: Kubernetes does this by default, and so do we.
 */
const PROJECTED_SECONDS = 3607
const EXTENDED_SECONDS = 365 * 24 * 3600 + PROJECTED_SECONDS
/** A deleted pod's token works for this long after its deletion time, for what it does last. */
const DELETED_LEEWAY_MS = 60_000
const BINDABLE: Readonly<Record<string, { plural: string; claim: 'pod' | 'secret' | 'node'; namespaced: boolean }>> = {
  Pod: { plural: 'pods', claim: 'pod', namespaced: true },
  Secret: { plural: 'secrets', claim: 'secret', namespaced: true },
  Node: { plural: 'nodes', claim: 'node', namespaced: false },
}

export function createServiceAccounts(options: ServiceAccountsOptions): ServiceAccounts {
  // One user object for each token's claims: the authorizer remembers decisions by identity.
  const users = new WeakMap<TokenClaims, UserInfo>()
  return {
    createToken: (namespace, name, request) => createToken(options, namespace, name, request),
    verify(token, audiences = options.audiences) {
      const claims = options.signer.read(token)
      if (!claims || claims.iss !== options.issuer) return 'invalid bearer token'
      const now = options.clock.now() / 1000
      if (claims.exp <= now) return '[invalid bearer token, service account token has expired]'
      if (claims.nbf > now + 60) return '[invalid bearer token, service account token is not valid yet]'
      const matching = claims.aud.filter((audience) => audiences.includes(audience))
      if (matching.length === 0) {
        const [held, wanted] = [claims.aud, audiences].map((list) => JSON.stringify(list))
        return `[invalid bearer token, token audiences ${held} is invalid for the target audiences ${wanted}]`
      }
      const gone = findGone(options, claims)
      if (gone) return `[invalid bearer token, ${gone}]`
      let user = users.get(claims)
      if (!user) {
        user = userOf(claims)
        users.set(claims, user)
      }
      return { user, audiences: matching }
    },
  }
}

function createToken(options: ServiceAccountsOptions, namespace: string, name: string, request: KubeObject): KubeObject {
  const account = options.reader.get('', 'serviceaccounts', namespace, name)
  if (!account) throw notFound({ group: '', plural: 'serviceaccounts' }, name)
  checkNames(request, namespace, name)
  const given: TokenRequestSpec = request.spec ?? {}
  const spec = {
    audiences: given.audiences?.length ? given.audiences : [options.audiences[0] ?? options.issuer],
    expirationSeconds: given.expirationSeconds ?? DEFAULT_SECONDS,
    boundObjectRef: given.boundObjectRef ?? null,
  }
  checkExpiration(spec.expirationSeconds)
  const issuedAt = Math.floor(options.clock.now() / 1000)
  const bound = spec.boundObjectRef ? bind(options.reader, account, spec.boundObjectRef) : {}
  const extended = spec.expirationSeconds === PROJECTED_SECONDS && 'pod' in bound
  const token = options.signer.sign({
    aud: spec.audiences,
    exp: issuedAt + (extended ? EXTENDED_SECONDS : spec.expirationSeconds),
    iat: issuedAt,
    iss: options.issuer,
    jti: newUid(options.random),
    'kubernetes.io': {
      namespace,
      ...bound,
      serviceaccount: { name, uid: account.metadata.uid ?? '' },
      ...(extended && { warnafter: issuedAt + PROJECTED_SECONDS }),
    },
    nbf: issuedAt,
    sub: `system:serviceaccount:${namespace}:${name}`,
  })
  const time = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, uid: newUid(options.random), creationTimestamp: time(issuedAt) },
    spec,
    status: { token, expirationTimestamp: time(issuedAt + spec.expirationSeconds) },
  }
}

function checkNames(request: KubeObject, namespace: string, name: string): void {
  const given = request.metadata ?? {}
  if (given.name && given.name !== name) {
    throw badRequest(`the name of the object (${given.name}) does not match the name on the URL (${name})`)
  }
  if (given.namespace && given.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

function checkExpiration(seconds: number): void {
  const complaint =
    seconds < MIN_SECONDS
      ? 'may not specify a duration less than 10 minutes'
      : seconds > MAX_SECONDS
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined
  if (!complaint) return
  const error = invalidField('spec.expirationSeconds', seconds, complaint)
  throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [error])
}

type Bound = Pick<TokenClaims['kubernetes.io'], 'pod' | 'secret' | 'node'>

/** The claims for the object that the token shall not outlive. */
function bind(reader: ObjectReader, account: KubeObject, reference: BoundObjectReference): Bound {
  const kind = reference.apiVersion === 'v1' ? BINDABLE[reference.kind ?? ''] : undefined
  if (!kind) throw badRequest(`cannot bind token for object of type ${describeKind(reference)}`)
  const name = reference.name ?? ''
  const object = reader.get('', kind.plural, kind.namespaced ? (account.metadata.namespace ?? '') : '', name)
  const resource = { group: '', plural: kind.plural }
  if (!object) throw notFound(resource, name)
  const uid = object.metadata.uid ?? ''
  if (reference.uid && reference.uid !== uid) {
    const why = `the UID in the bound object reference (${reference.uid}) does not match the UID in record`
    throw conflict(resource, name, `${why}. The object might have been deleted and then recreated`)
  }
  if (kind.claim !== 'pod') return { [kind.claim]: { name, uid } }
  const runsAs = object.spec?.serviceAccountName
  if (runsAs !== account.metadata.name) {
    const [wanted, actual] = [account.metadata.name, runsAs].map((value) => JSON.stringify(value ?? ''))
    throw badRequest(
      `cannot bind token for serviceaccount ${wanted} to pod running with different serviceaccount name ${actual}.`,
    )
  }
  return { pod: { name, uid }, ...nodeOf(reader, object) }
}

/** A pod's token also tells where the pod runs. */
function nodeOf(reader: ObjectReader, pod: KubeObject): Bound {
  const name: string | undefined = pod.spec?.nodeName
  if (!name) return {}
  const uid = reader.get('', 'nodes', '', name)?.metadata.uid
  return { node: uid ? { name, uid } : { name } }
}

function describeKind({ apiVersion = '', kind = '' }: BoundObjectReference): string {
  return `${apiVersion}, Kind=${kind}`
}

/** What the token is bound to and that is there no more; undefined when all is well. */
function findGone({ reader, clock }: ServiceAccountsOptions, claims: TokenClaims): string | undefined {
  const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io']
  const check = (plural: string, where: string, identity: ObjectIdentity): string | undefined => {
    const object = reader.get('', plural, where, identity.name)
    if (!object) return `${plural.slice(0, -1)} ${where ? `${where}/` : ''}${identity.name} has been deleted`
    if (object.metadata.uid !== identity.uid) return `${plural.slice(0, -1)} UID does not match claim`
    const deleted = object.metadata.deletionTimestamp
    if (deleted && Date.parse(deleted) + DELETED_LEEWAY_MS < clock.now()) return `${plural.slice(0, -1)} has been deleted`
    return undefined
  }
  return (
    check('serviceaccounts', namespace, serviceaccount) ??
    (secret && check('secrets', namespace, secret)) ??
    (pod && check('pods', namespace, pod)) ??
    // A pod's token only tells its node; a node's own token lives and dies with it.
    (node && !pod ? check('nodes', '', node as ObjectIdentity) : undefined)
  )
}

function userOf(claims: TokenClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io']
  const extra: Record<string, string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] }
  const add = (key: string, value: string | undefined) => {
    if (value) extra[`authentication.kubernetes.io/${key}`] = [value]
  }
  add('pod-name', pod?.name)
  add('pod-uid', pod?.uid)
  add('node-name', node?.name)
  add('node-uid', node?.uid)
  return {
    name: claims.sub,
    uid: serviceaccount.uid,
    groups: [...serviceAccountGroups(namespace), 'system:authenticated'],
    extra,
  }
}

/** The groups every service account of a namespace is in. */
export function serviceAccountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
}
