/** rbac.authorization.k8s.io/v1: who may do what. */
import type { Strategy } from '../definition.ts'
import { equal } from '../equal.ts'
import { type Errors, invalid, notSupported, required } from '../field-errors.ts'
import { dnsSubdomain, pathSegment } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject } from '../types.ts'
import { ageColumn, column, wideColumn } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'
import { checkSelector, collect, obey, requireName } from './rules.ts'

const GROUP = 'rbac.authorization.k8s.io'

const subjects = (kind: string, name: (subject: Subject) => string) => (object: object) =>
  ((object as ClusterRoleBinding).subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(name)
    .join(', ')

const bindingColumns = [
  column('Role', (object) => `${object.roleRef?.kind ?? ''}/${object.roleRef?.name ?? ''}`),
  ageColumn,
  wideColumn(
    'Users',
    subjects('User', (s) => s.name),
  ),
  wideColumn(
    'Groups',
    subjects('Group', (s) => s.name),
  ),
  wideColumn(
    'ServiceAccounts',
    subjects('ServiceAccount', (s) => `${s.namespace ?? ''}/${s.name}`),
  ),
]

function checkRules(rules: PolicyRule[] | null | undefined, namespaced: boolean, errors: Errors): void {
  rules?.forEach((rule, index) => {
    checkRule(rule, namespaced, `rules[${index}]`, errors)
  })
}

function checkRule(rule: PolicyRule, namespaced: boolean, path: string, errors: Errors): void {
  const { verbs, nonResourceURLs: urls, apiGroups, resources, resourceNames } = rule
  if (!verbs?.length) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'))
  if (urls?.length) {
    const at = `${path}.nonResourceURLs`
    if (namespaced) errors.push(invalid(at, urls, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups?.length || resources?.length || resourceNames?.length) {
      errors.push(invalid(at, urls, 'rules cannot apply to both regular resources and non-resource URLs'))
    }
    return
  }
  if (!apiGroups?.length) errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  if (!resources?.length) errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'))
}

function checkClusterRole(role: ClusterRole, errors: Errors): void {
  checkRules(role.rules, false, errors)
  if (!role.aggregationRule) return
  const path = 'aggregationRule.clusterRoleSelectors'
  const selectors = role.aggregationRule.clusterRoleSelectors ?? []
  if (selectors.length === 0) {
    errors.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
  }
  selectors.forEach((selector, index) => {
    checkSelector(selector, `${path}[${index}]`, errors)
  })
}

function defaultBinding(binding: KubeObject): void {
  const { roleRef, subjects } = binding as unknown as ClusterRoleBinding
  if (roleRef) roleRef.apiGroup ||= GROUP
  for (const subject of subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= GROUP
  }
}

function checkBinding(binding: KubeObject, namespaced: boolean, errors: Errors): void {
  const roleRef: Partial<RoleRef> = binding.roleRef ?? {}
  if (roleRef.apiGroup !== GROUP) errors.push(notSupported('roleRef.apiGroup', roleRef.apiGroup ?? '', [GROUP]))
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  if (!kinds.includes(roleRef.kind ?? '')) errors.push(notSupported('roleRef.kind', roleRef.kind ?? '', kinds))
  requireName(roleRef.name, pathSegment, 'roleRef.name', errors)
  binding.subjects?.forEach((subject: Subject, index: number) => {
    checkSubject(subject, `subjects[${index}]`, namespaced, errors)
  })
}

function checkSubject(subject: Subject, path: string, namespaced: boolean, errors: Errors): void {
  if (!subject.name) errors.push(required(`${path}.name`))
  switch (subject.kind) {
    case 'ServiceAccount':
      if (subject.name) obey(subject.name, dnsSubdomain, `${path}.name`, errors)
      if (subject.apiGroup) errors.push(notSupported(`${path}.apiGroup`, subject.apiGroup, ['']))
      if (!namespaced && !subject.namespace) errors.push(required(`${path}.namespace`))
      return
    case 'User':
    case 'Group':
      if (subject.apiGroup !== GROUP) errors.push(notSupported(`${path}.apiGroup`, subject.apiGroup ?? '', [GROUP]))
      return
    default:
      errors.push(notSupported(`${path}.kind`, subject.kind ?? '', ['Group', 'ServiceAccount', 'User']))
  }
}

function checkRoleRefKept(binding: KubeObject, old: KubeObject, errors: Errors): void {
  if (equal(binding.roleRef, old.roleRef)) return
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {}
  errors.push(invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef'))
}

const base: Strategy = { allowCreateOnUpdate: true, nameRule: 'path' }

function roleStrategy(check: (object: KubeObject, errors: Errors) => void): Strategy {
  const validate = (object: KubeObject) => collect((errors) => check(object, errors))
  return { ...base, validate, validateUpdate: validate }
}

function bindingStrategy(namespaced: boolean): Strategy {
  return {
    ...base,
    defaults: defaultBinding,
    validate: (object) => collect((errors) => checkBinding(object, namespaced, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        checkBinding(object, namespaced, errors)
        checkRoleRefKept(object, old, errors)
      }),
  }
}

const kinds: DefinitionInput[] = [
  {
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    namespaced: false,
    columns: bindingColumns,
    strategy: bindingStrategy(false),
  },
  {
    kind: 'ClusterRole',
    plural: 'clusterroles',
    namespaced: false,
    strategy: roleStrategy((object, errors) => checkClusterRole(object as unknown as ClusterRole, errors)),
  },
  { kind: 'RoleBinding', plural: 'rolebindings', columns: bindingColumns, strategy: bindingStrategy(true) },
  { kind: 'Role', plural: 'roles', strategy: roleStrategy((object, errors) => checkRules(object.rules, true, errors)) },
]

export const rbacDefinitions = defineGroup({ group: GROUP, version: 'v1', package: 'rbac/v1' }, kinds)
