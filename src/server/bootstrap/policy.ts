/** Short forms in which this folder writes down roles and bindings, and the objects they become. */
import type { KubeObject } from '../../api/object.ts'
import type { PolicyRule } from '../../api/types.ts'

export const RBAC = 'rbac.authorization.k8s.io'
export const READ = 'get list watch'
export const WRITE = 'create delete deletecollection patch update'

const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
const ANNOTATIONS = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' }
const words = (text: string) => text.split(' ')

/** Words separated by spaces; the group `core` is the one without a name. */
export function rule(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  const apiGroups = words(groups).map((group) => (group === 'core' ? '' : group))
  const base = { verbs: words(verbs), apiGroups, resources: words(resources) }
  return names === undefined ? base : { ...base, resourceNames: words(names) }
}

export function paths(verbs: string, urls: string): PolicyRule {
  return { verbs: words(verbs), nonResourceURLs: words(urls) }
}

/** Every controller and component reports what it does. */
export const EVENTS = rule('create patch update', 'core events.k8s.io', 'events')

/** `parts` names the label whose bearers the role is gathered from. */
export function clusterRole(
  name: string,
  rules: PolicyRule[],
  extra: { labels?: Record<string, string>; parts?: string } = {},
): KubeObject {
  const metadata = { name, labels: { ...LABELS, ...extra.labels }, annotations: { ...ANNOTATIONS } }
  const selectors = extra.parts && [{ matchLabels: { [aggregateTo(extra.parts)]: 'true' } }]
  const aggregation = selectors ? { aggregationRule: { clusterRoleSelectors: selectors } } : {}
  return { kind: 'ClusterRole', apiVersion: `${RBAC}/v1`, metadata, ...aggregation, rules }
}

/** The label of a ClusterRole that adds to one of admin, edit and view. */
export const aggregateTo = (role: string): string => `${RBAC}/aggregate-to-${role}`

export function role(namespace: string, name: string, rules: PolicyRule[]): KubeObject {
  const metadata = { name, namespace, labels: { ...LABELS }, annotations: { ...ANNOTATIONS } }
  return { kind: 'Role', apiVersion: `${RBAC}/v1`, metadata, rules }
}

/** `User:x`, `Group:x` or `ServiceAccount:namespace/x`. */
export type SubjectText = string

/** A binding of the same name as its role. */
export function clusterBinding(roleName: string, subjects: readonly SubjectText[]): KubeObject {
  const metadata = { name: roleName, labels: { ...LABELS }, annotations: { ...ANNOTATIONS } }
  return bindingOf('ClusterRoleBinding', metadata, 'ClusterRole', roleName, subjects)
}

/** A binding of the same name as its role, unless given another. */
export function binding(namespace: string, roleName: string, subjects: readonly SubjectText[], name = roleName): KubeObject {
  const metadata = { name, namespace, labels: { ...LABELS }, annotations: { ...ANNOTATIONS } }
  return bindingOf('RoleBinding', metadata, 'Role', roleName, subjects)
}

function bindingOf(
  kind: string,
  metadata: KubeObject['metadata'],
  roleKind: string,
  roleName: string,
  subjects: readonly SubjectText[],
): KubeObject {
  const roleRef = { apiGroup: RBAC, kind: roleKind, name: roleName }
  return { kind, apiVersion: `${RBAC}/v1`, metadata, ...(subjects.length > 0 && { subjects: subjects.map(subject) }), roleRef }
}

function subject(text: SubjectText): object {
  const colon = text.indexOf(':')
  const [kind, name] = [text.slice(0, colon), text.slice(colon + 1)]
  if (kind !== 'ServiceAccount') return { kind, apiGroup: RBAC, name }
  const [namespace, account] = name.split('/')
  return { kind, name: account, namespace }
}
