/**
 * The create-only resources that answer questions about users and permissions: nothing is stored, the answer is the question
 * with its status filled in.
 */
import type { KubeObject } from '../../api/object.ts'
import { badRequest, type FieldError, invalid } from '../../api/status.ts'
import type { NonResourceAttributes, ResourceAttributes, SubjectAccessReviewSpec } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { UserInfo } from '../contract.ts'
import { AUTHENTICATED, withGroup } from './authenticate.ts'
import type { Attributes, Authorizer } from './contract.ts'
import { checkAccessReview } from './review-rules.ts'
import type { ServiceAccounts } from './service-accounts.ts'

const AUTHORIZATION_GROUP = 'authorization.k8s.io'

export interface ReviewContext {
  /** Who asks. */
  user: UserInfo
  /** From the URL; empty at the cluster scope. */
  namespace: string
}

/** Answers a review. Throws StatusError for a question that makes no sense. */
export type Review = (object: KubeObject, context: ReviewContext) => Promise<KubeObject>

/** By plural. `object` is already decoded and of the right kind. */
export interface Reviews {
  readonly tokenreviews: Review
  readonly selfsubjectreviews: Review
  readonly subjectaccessreviews: Review
  readonly localsubjectaccessreviews: Review
  readonly selfsubjectaccessreviews: Review
  readonly selfsubjectrulesreviews: Review
}

export interface ReviewsOptions {
  authorizer: Authorizer
  serviceAccounts: ServiceAccounts
  staticTokens?: ReadonlyMap<string, UserInfo>
  clock: Clock
}

export function createReviews(options: ReviewsOptions): Reviews {
  const decide = (object: KubeObject, user: UserInfo) => answerAccess(object, user, options.authorizer)
  return {
    tokenreviews: async (object) => reviewToken(object, options),
    selfsubjectreviews: async (_object, { user }) => {
      const creationTimestamp = `${new Date(options.clock.now()).toISOString().slice(0, 19)}Z`
      return answer(
        'authentication.k8s.io/v1',
        'SelfSubjectReview',
        { creationTimestamp },
        { status: { userInfo: describeUser(user) } },
      )
    },
    subjectaccessreviews: async (object) => {
      refuse(checkAccessReview(object, { namesUser: true }))
      return decide(object, userOf(object.spec))
    },
    localsubjectaccessreviews: async (object, { namespace }) => {
      checkNamespace(object, namespace)
      refuse(checkAccessReview(object, { namesUser: true, namespace }))
      return decide(object, userOf(object.spec))
    },
    selfsubjectaccessreviews: async (object, { user }) => {
      refuse(checkAccessReview(object, { namesUser: false }))
      return decide(object, user)
    },
    selfsubjectrulesreviews: async (object, { user }) => {
      const namespace: string = object.spec?.namespace ?? ''
      if (!namespace) throw badRequest('no namespace on request')
      const status = options.authorizer.rulesFor(user, namespace)
      return answer(`${AUTHORIZATION_GROUP}/v1`, 'SelfSubjectRulesReview', {}, { spec: {}, status })
    },
  }
}

function answer(apiVersion: string, kind: string, metadata: object, rest: object): KubeObject {
  return { kind, apiVersion, metadata: metadata as KubeObject['metadata'], ...rest }
}

function reviewToken(object: KubeObject, { serviceAccounts, staticTokens }: ReviewsOptions): KubeObject {
  const { token = '', audiences } = (object.spec ?? {}) as { token?: string; audiences?: string[] }
  if (!token) throw badRequest('token is required for TokenReview in authentication')
  const respond = (status: object) => answer('authentication.k8s.io/v1', 'TokenReview', {}, { spec: object.spec, status })
  const known = staticTokens?.get(token)
  if (known) {
    const user = describeUser(withGroup(known, AUTHENTICATED))
    return respond({ authenticated: true, user, ...(audiences?.length && { audiences }) })
  }
  const checked = serviceAccounts.verify(token, audiences?.length ? audiences : undefined)
  if (typeof checked === 'string') return respond({ user: {}, error: checked })
  return respond({ authenticated: true, user: describeUser(checked.user), audiences: checked.audiences })
}

function describeUser({ name, uid, groups, extra }: UserInfo): object {
  return {
    username: name,
    ...(uid && { uid }),
    ...(groups.length > 0 && { groups }),
    ...(extra && Object.keys(extra).length > 0 && { extra }),
  }
}

function userOf({ user, groups, uid, extra }: SubjectAccessReviewSpec): UserInfo {
  return { name: user ?? '', groups: groups ?? [], ...(uid && { uid }), ...(extra && { extra }) }
}

async function answerAccess(object: KubeObject, user: UserInfo, authorizer: Authorizer): Promise<KubeObject> {
  const { resourceAttributes, nonResourceAttributes } = object.spec as SubjectAccessReviewSpec
  const decision = await authorizer.authorize(
    resourceAttributes ? aboutResource(user, resourceAttributes) : aboutPath(user, nonResourceAttributes ?? {}),
  )
  const status = { allowed: decision.allowed, ...(decision.reason && { reason: decision.reason }) }
  return { ...object, metadata: object.metadata ?? {}, status }
}

function aboutResource(user: UserInfo, asked: ResourceAttributes): Attributes {
  const { verb = '', group = '', version = '', resource = '', subresource = '', namespace = '', name = '' } = asked
  return { user, verb, group, version, resource, subresource, namespace, name }
}

function aboutPath(user: UserInfo, { verb = '', path = '' }: NonResourceAttributes): Attributes {
  return { user, verb, path }
}

function checkNamespace(object: KubeObject, namespace: string): void {
  const given = object.metadata?.namespace
  if (given && given !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

/** Kubernetes names no kind in these refusals. */
function refuse(errors: FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: AUTHORIZATION_GROUP, kind: '' }, '', errors)
}
