/** ReplicaSet. */
import { ageColumn, column, selectorColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, scaleSubresource, statusStrategy } from './define.ts'

export const replicaSet: DefinitionInput = {
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  status: true,
  subresources: [scaleSubresource('spec.selector')],
  columns: [
    column('Desired', (object) => object.spec?.replicas ?? 0, 'integer'),
    column('Current', (object) => object.status?.replicas ?? 0, 'integer'),
    column('Ready', (object) => object.status?.readyReplicas ?? 0, 'integer'),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    selectorColumn((object) => object.spec?.selector),
  ],
  selectableFields: { 'status.replicas': (object) => String(object.status?.replicas ?? 0) },
  strategy: statusStrategy(() => ({ replicas: 0 })),
}
