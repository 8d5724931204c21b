/** Namespace: lives until its finalizers are gone. */
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'

export const namespace: DefinitionInput = {
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  status: true,
  subresources: [{ name: 'finalize', kind: { group: '', version: 'v1', kind: 'Namespace' }, verbs: ['update'] }],
  columns: [column('Status', (object) => object.status?.phase ?? ''), ageColumn],
  selectableFields: { 'status.phase': (object) => object.status?.phase ?? '' },
}
