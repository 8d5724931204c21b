/** Who is asking, and may they: the two questions every request passes, at both doors. */
import type { TLSSocket } from 'node:tls'
import type { UserInfo } from '../contract.ts'

export interface Authenticator {
  /** The user, undefined for a request without credentials; throws `unauthorized()` for bad ones. */
  authenticate(credentials: Credentials): Promise<UserInfo | undefined>
}

export interface Credentials {
  /** The `Authorization` header. */
  authorization: string | undefined
  /** Bearer token offered as WebSocket subprotocol, already decoded. */
  webSocketToken?: string | undefined
  socket: TLSSocket | undefined
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision | Promise<Decision>
  /** What `user` may do in `namespace`, for SelfSubjectRulesReview. */
  rulesFor(user: UserInfo, namespace: string): { resourceRules: object[]; nonResourceRules: object[]; incomplete: boolean }
}

export interface Attributes {
  user: UserInfo
  /** Resource verbs, or the lower-case method for non-resource paths. */
  verb: string
  group?: string
  version?: string
  resource?: string
  subresource?: string
  namespace?: string
  name?: string
  /** The path of a request that is about no resource. */
  path?: string
}

export interface Decision {
  allowed: boolean
  /** For the 403's message, or for a review's status. */
  reason: string
}
