/** Which FlowSchema a request belongs to, and which flow within it. Pure; knows no queue. */
import type { FlowcontrolV1Subject, FlowSchema, NonResourcePolicyRule, ResourcePolicyRule } from '../../api/types.ts'
import type { UserInfo } from '../contract.ts'
import type { ResourceTarget, Target } from '../request/target.ts'

const ACCOUNT_PREFIX = 'system:serviceaccount:'

/** The most particular one first. */
export function inOrder(schemas: readonly FlowSchema[]): FlowSchema[] {
  const precedence = ({ spec }: FlowSchema) => spec?.matchingPrecedence ?? 0
  const name = ({ metadata }: FlowSchema) => metadata.name ?? ''
  return [...schemas].sort((a, b) => precedence(a) - precedence(b) || (name(a) < name(b) ? -1 : 1))
}

export function matches({ spec }: FlowSchema, user: UserInfo, target: Target): boolean {
  return (spec?.rules ?? []).some(
    ({ subjects, resourceRules, nonResourceRules }) =>
      subjects.some((subject) => isSubject(subject, user)) &&
      (target.resource
        ? (resourceRules ?? []).some((rule) => allowsResource(rule, target))
        : (nonResourceRules ?? []).some((rule) => allowsPath(rule, target.verb, target.path))),
  )
}

/** Requests of one flow wait for each other before they wait for those of another. */
export function flowOf({ metadata, spec }: FlowSchema, user: UserInfo, target: Target): string {
  const by = spec?.distinguisherMethod?.type
  const part = by === 'ByUser' ? user.name : by === 'ByNamespace' && target.resource ? target.namespace : ''
  return `${metadata.name}\n${part}`
}

function isSubject(subject: FlowcontrolV1Subject, user: UserInfo): boolean {
  if (subject.kind === 'User') return subject.user?.name === '*' || subject.user?.name === user.name
  if (subject.kind === 'Group') return subject.group?.name === '*' || user.groups.includes(subject.group?.name ?? '')
  const account = subject.serviceAccount
  if (!account || !user.name.startsWith(ACCOUNT_PREFIX)) return false
  const [namespace, name] = user.name.slice(ACCOUNT_PREFIX.length).split(':')
  return account.namespace === namespace && (account.name === '*' || account.name === name)
}

const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value)

function allowsResource(rule: ResourcePolicyRule, target: ResourceTarget): boolean {
  const { verb, group, plural, subresource, namespace } = target
  if (!has(rule.verbs, verb) || !has(rule.apiGroups, group)) return false
  if (!has(rule.resources, subresource === '' ? plural : `${plural}/${subresource}`)) return false
  return namespace === '' ? (rule.clusterScope ?? false) : has(rule.namespaces ?? [], namespace)
}

function allowsPath(rule: NonResourcePolicyRule, verb: string, path: string): boolean {
  if (!has(rule.verbs, verb)) return false
  return rule.nonResourceURLs.some(
    (url) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
  )
}
