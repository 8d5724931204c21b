/** ReplicationController. */
import { ageColumn, column, labelsColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, scaleSubresource, statusStrategy } from './define.ts'

export const replicationController: DefinitionInput = {
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  status: true,
  subresources: [scaleSubresource('spec.selector')],
  columns: [
    column('Desired', (object) => object.spec?.replicas ?? 0, 'integer'),
    column('Current', (object) => object.status?.replicas ?? 0, 'integer'),
    column('Ready', (object) => object.status?.readyReplicas ?? 0, 'integer'),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    labelsColumn((object) => object.spec?.selector),
  ],
  selectableFields: { 'status.replicas': (object) => String(object.status?.replicas ?? 0) },
  strategy: statusStrategy(() => ({ replicas: 0 }), { defaultPropagation: 'Orphan' }),
}
