/** Says who is asking: client certificates first, then bearer tokens, as Kubernetes does. Knows no request and no HTTP. */
import type { TLSSocket } from 'node:tls'
import { unauthorized } from '../../api/status.ts'
import type { Clock } from '../../base/clock.ts'
import type { UserInfo } from '../contract.ts'
import type { Authenticator, Credentials } from './contract.ts'
import type { ServiceAccounts } from './service-accounts.ts'

export const AUTHENTICATED = 'system:authenticated'
/** Who asks without credentials. One shared object. */
export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

export interface AuthenticatorOptions {
  serviceAccounts: ServiceAccounts
  clock: Clock
  /** Bearer tokens that need no checking, and whom they stand for. */
  staticTokens?: ReadonlyMap<string, UserInfo>
}

/** A certificate's user, as long as the certificate holds. */
type SocketUser = { user: UserInfo; until: number } | 'refused' | 'none'

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const bySocket = new WeakMap<TLSSocket, SocketUser>()
  const staticUsers = new Map([...(options.staticTokens ?? [])].map(([token, user]) => [token, withGroup(user, AUTHENTICATED)]))

  const ofSocket = (socket: TLSSocket): SocketUser => {
    const known = bySocket.get(socket)
    if (known !== undefined) return known
    const found = readCertificate(socket)
    bySocket.set(socket, found)
    return found
  }

  const ofToken = (token: string): UserInfo | undefined => {
    const known = staticUsers.get(token)
    if (known) return known
    const checked = options.serviceAccounts.verify(token)
    return typeof checked === 'string' ? undefined : checked.user
  }

  return {
    async authenticate(credentials) {
      const fromSocket = credentials.socket ? ofSocket(credentials.socket) : 'none'
      if (typeof fromSocket === 'object' && fromSocket.until > options.clock.now()) return fromSocket.user
      const token = bearerToken(credentials)
      const user = token === undefined ? undefined : ofToken(token)
      if (user) return user
      if (token !== undefined || fromSocket !== 'none') throw unauthorized()
      return undefined
    },
  }
}

function bearerToken({ authorization, webSocketToken }: Credentials): string | undefined {
  const match = authorization === undefined ? null : /^bearer +(\S.*)$/i.exec(authorization.trim())
  return match?.[1] ?? webSocketToken
}

/** CN is the user, every O one of its groups. */
function readCertificate(socket: TLSSocket): SocketUser {
  const certificate = socket.getPeerCertificate?.()
  if (!certificate?.raw) return 'none'
  const name = first(certificate.subject.CN)
  if (!socket.authorized || !name) return 'refused'
  const organizations = certificate.subject.O as string | string[] | undefined
  const groups = organizations === undefined ? [] : [organizations].flat()
  const credential = `X509SHA256=${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`
  const extra = { 'authentication.kubernetes.io/credential-id': [credential] }
  return { user: withGroup({ name, groups, extra }, AUTHENTICATED), until: Date.parse(certificate.valid_to) }
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

export function withGroup(user: UserInfo, group: string): UserInfo {
  return user.groups.includes(group) ? user : { ...user, groups: [...user.groups, group] }
}
