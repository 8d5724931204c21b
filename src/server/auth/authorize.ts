/**
 * The authorizer: system:masters may do anything, nodes what the node rules allow, everybody what RBAC grants. Decisions are
 * remembered for each user until a role or a binding changes.
 */
import type { PolicyRule } from '../../api/types.ts'
import type { UserInfo } from '../contract.ts'
import type { Attributes, Authorizer, Decision } from './contract.ts'
import { allowsPath, allowsResource, allowsSomeNames, type ResourceAction } from './policy-rules.ts'
import { type Grant, RBAC_GROUP, type RoleIndex } from './role-index.ts'

/** Answers first, for the users it knows; undefined is no opinion. A denial's reason is added to the final one. */
export type SpecialAuthorizer = (attributes: Attributes) => Decision | undefined

/** Decisions kept for one user; they are forgotten together when there are more. */
const MAX_REMEMBERED = 4096
const ALLOWED: Decision = { allowed: true, reason: '' }
const DENIED: Decision = { allowed: false, reason: '' }
const PRIVILEGED_GROUP = 'system:masters'

interface Remembered {
  generation: number
  decisions: Map<string, Decision | 'by name'>
}

export interface RbacAuthorizer extends Authorizer {
  authorize(attributes: Attributes): Decision
  /** Every rule the user holds in `namespace` (cluster-wide ones included; all, for a privileged user). */
  heldRules(user: UserInfo, namespace: string): PolicyRule[]
}

export function createAuthorizer(index: RoleIndex, special: readonly SpecialAuthorizer[] = []): RbacAuthorizer {
  // Users are shared objects, one for each certificate or token, so identity is enough to find what was decided for one.
  const remembered = new WeakMap<UserInfo, Remembered>()

  const decisionsFor = (user: UserInfo): Map<string, Decision | 'by name'> => {
    const known = remembered.get(user)
    if (known && known.generation === index.generation && known.decisions.size < MAX_REMEMBERED) return known.decisions
    const fresh = { generation: index.generation, decisions: new Map<string, Decision | 'by name'>() }
    remembered.set(user, fresh)
    return fresh.decisions
  }

  const byRoles = (attributes: Attributes): Decision => {
    const decisions = decisionsFor(attributes.user)
    const { verb, group = '', resource = '', subresource = '', namespace = '', path } = attributes
    const key = path === undefined ? `${verb} ${group} ${resource} ${subresource} ${namespace}` : `${verb} ${path}`
    let decision = decisions.get(key)
    if (decision === undefined) {
      decision = decide(index, attributes)
      decisions.set(key, decision)
    }
    return decision === 'by name' ? decideByName(index, attributes) : decision
  }

  return {
    authorize(attributes) {
      if (attributes.user.groups.includes(PRIVILEGED_GROUP)) return ALLOWED
      const reasons: string[] = []
      for (const ask of special) {
        const decision = ask(attributes)
        if (decision?.allowed) return decision
        if (decision?.reason) reasons.push(decision.reason)
      }
      const decision = byRoles(attributes)
      if (decision.allowed || reasons.length === 0) return decision
      return { allowed: false, reason: [...reasons, decision.reason].filter(Boolean).join('\n') }
    },
    heldRules(user, namespace) {
      if (user.groups.includes(PRIVILEGED_GROUP)) return [...EVERYTHING]
      return index.grantsOf(user, namespace).flatMap((grant) => [...(rulesOf(index, grant, namespace) ?? [])])
    },
    rulesFor(user, namespace) {
      return describeHeld(this.heldRules(user, namespace))
    },
  }
}

/** All a user may do who may do everything. */
export const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

function rulesOf(index: RoleIndex, grant: Grant, namespace: string): readonly PolicyRule[] | undefined {
  return index.rulesOf(grant.role, grant.namespace || namespace)
}

function actionOf(attributes: Attributes, name: string | undefined): ResourceAction {
  const { verb, group = '', resource = '', subresource = '' } = attributes
  return { verb, group, resource, subresource, name }
}

/** The decision for any name, or that it takes one to decide. */
function decide(index: RoleIndex, attributes: Attributes): Decision | 'by name' {
  const action = actionOf(attributes, undefined)
  const { path, verb } = attributes
  let byName = false
  const missing: string[] = []
  for (const grant of index.grantsOf(attributes.user, path === undefined ? (attributes.namespace ?? '') : '')) {
    const rules = rulesOf(index, grant, attributes.namespace ?? '')
    if (!rules) missing.push(missingRole(grant))
    for (const rule of rules ?? []) {
      if (path === undefined ? allowsResource(rule, action) : allowsPath(rule, verb, path)) return allowedBy(grant)
      byName ||= path === undefined && allowsSomeNames(rule, action)
    }
  }
  if (byName) return 'by name'
  return missing.length ? { allowed: false, reason: `RBAC: ${missing.join(', ')}` } : DENIED
}

function decideByName(index: RoleIndex, attributes: Attributes): Decision {
  const action = actionOf(attributes, attributes.name ?? '')
  const namespace = attributes.namespace ?? ''
  for (const grant of index.grantsOf(attributes.user, namespace)) {
    if (rulesOf(index, grant, namespace)?.some((rule) => allowsResource(rule, action))) return allowedBy(grant)
  }
  return DENIED
}

function allowedBy(grant: Grant): Decision {
  return { allowed: true, reason: `RBAC: allowed by ${grant.description}` }
}

function missingRole(grant: Grant): string {
  const plural = grant.role.kind === 'Role' ? 'role' : 'clusterrole'
  return `${plural}.${RBAC_GROUP} ${JSON.stringify(grant.role.name)} not found`
}

function describeHeld(rules: readonly PolicyRule[]): ReturnType<Authorizer['rulesFor']> {
  const resourceRules = rules
    .filter((rule) => rule.resources?.length)
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames?.length && { resourceNames }),
    }))
  const nonResourceRules = rules
    .filter((rule) => rule.nonResourceURLs?.length)
    .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }))
  return { resourceRules, nonResourceRules, incomplete: false }
}
