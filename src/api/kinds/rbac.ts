/** rbac.authorization.k8s.io/v1. */
import type { Subject } from '../types.ts'
import { ageColumn, column, wideColumn } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'

const strategy = { allowCreateOnUpdate: true, nameRule: 'path' } as const

const subjects = (kind: string, name: (subject: Subject) => string) => (object: object) =>
  ((object as { subjects?: Subject[] }).subjects ?? [])
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

const kinds: DefinitionInput[] = [
  { kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', namespaced: false, columns: bindingColumns, strategy },
  { kind: 'ClusterRole', plural: 'clusterroles', namespaced: false, strategy },
  { kind: 'RoleBinding', plural: 'rolebindings', columns: bindingColumns, strategy },
  { kind: 'Role', plural: 'roles', strategy },
]

export const rbacDefinitions = defineGroup({ group: 'rbac.authorization.k8s.io', version: 'v1', package: 'rbac/v1' }, kinds)
