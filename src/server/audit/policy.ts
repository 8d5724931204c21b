/** The audit policy (`audit.k8s.io/v1`): what of a request is written down. The first rule that matches decides. */
import type { UserInfo } from '../contract.ts'
import type { Target } from '../request/target.ts'

export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof STAGES)[number]

interface Rule {
  level: Level
  users?: string[]
  userGroups?: string[]
  verbs?: string[]
  resources?: { group?: string; resources?: string[]; resourceNames?: string[] }[]
  namespaces?: string[]
  nonResourceURLs?: string[]
  omitStages?: Stage[]
  omitManagedFields?: boolean
}

export interface AuditPolicy {
  rules: Rule[]
  omitStages?: Stage[]
  omitManagedFields?: boolean
}

export interface Decision {
  level: Level
  omitStages: ReadonlySet<Stage>
  omitManagedFields: boolean
}

/** Without a policy of one's own: who did what, and how it went. */
export const METADATA_OF_ALL: AuditPolicy = { rules: [{ level: 'Metadata' }], omitStages: ['RequestReceived'] }

/** Throws a one-line Error for what is no policy. */
export function parsePolicy(value: unknown, place: string): AuditPolicy {
  const policy = value as Partial<AuditPolicy> & { kind?: string; apiVersion?: string }
  const refuse = (why: string): never => {
    throw new Error(`${place}: ${why}`)
  }
  if (policy?.kind !== 'Policy' || policy.apiVersion !== 'audit.k8s.io/v1') refuse('it must be a Policy of audit.k8s.io/v1')
  if (!Array.isArray(policy.rules) || policy.rules.length === 0) refuse('it must have at least one rule')
  policy.rules?.forEach((rule, index) => {
    if (!LEVELS.includes(rule?.level)) refuse(`rules[${index}].level must be one of ${LEVELS.join(', ')}`)
    for (const stage of rule.omitStages ?? []) if (!STAGES.includes(stage)) refuse(`rules[${index}].omitStages knows no ${stage}`)
    if (rule.nonResourceURLs?.length && (rule.resources?.length || rule.namespaces?.length))
      refuse(`rules[${index}] cannot be about both resources and nonResourceURLs`)
  })
  return policy as AuditPolicy
}

export function decide(policy: AuditPolicy, user: UserInfo | undefined, target: Target): Decision | undefined {
  const rule = policy.rules.find((one) => matches(one, user, target))
  if (!rule || rule.level === 'None') return undefined
  return {
    level: rule.level,
    omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  }
}

function matches(rule: Rule, user: UserInfo | undefined, target: Target): boolean {
  if (rule.users?.length && !(user && rule.users.includes(user.name))) return false
  if (rule.userGroups?.length && !rule.userGroups.some((group) => user?.groups.includes(group))) return false
  if (rule.verbs?.length && !rule.verbs.includes('*') && !rule.verbs.includes(target.verb)) return false
  if (rule.resources?.length || rule.namespaces?.length) return target.resource && matchesResource(rule, target)
  if (!rule.nonResourceURLs?.length) return true
  return !target.resource && rule.nonResourceURLs.some((url) => matchesPath(url, target.path))
}

function matchesPath(url: string, path: string): boolean {
  return url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))
}

function matchesResource(rule: Rule, target: Extract<Target, { resource: true }>): boolean {
  if (rule.namespaces?.length && !rule.namespaces.includes(target.namespace)) return false
  if (!rule.resources?.length) return true
  const { group, plural, subresource, name } = target
  const full = subresource === '' ? plural : `${plural}/${subresource}`
  return rule.resources.some((entry) => {
    if ((entry.group ?? '') !== group) return false
    if (!entry.resources?.length) return true
    const named = !entry.resourceNames?.length || entry.resourceNames.includes(name)
    const same = (one: string) =>
      one === '*' || one === full || one === `*/${subresource}` || (subresource !== '' && one === `${plural}/*`)
    return named && entry.resources.some(same)
  })
}
