/**
 * Every user who is known may ask what a name stands for: the answer holds only what the asker may read anyway. No role grants
 * it, so that the roles of a fresh cluster, and what reviews say of users' rules, are Kubernetes' own.
 */
import type { SpecialAuthorizer } from './authorize.ts'

const ALLOWED = { allowed: true, reason: 'names are open to every user' }

export const allowNameReviews: SpecialAuthorizer = ({ resource, group, verb, subresource, user }) => {
  if (resource !== 'namereviews' || group !== 'skiff.dev' || verb !== 'create' || subresource) return undefined
  return user.groups.includes('system:authenticated') ? ALLOWED : undefined
}
