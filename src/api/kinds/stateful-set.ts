/** StatefulSet. */
import { ageColumn, column, templateColumns } from './columns.ts'
import { type DefinitionInput, scaleSubresource, statusStrategy } from './define.ts'

export const statefulSet: DefinitionInput = {
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  status: true,
  subresources: [scaleSubresource('spec.selector')],
  columns: [
    column('Ready', (object) => `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
  ],
  strategy: statusStrategy(() => ({ replicas: 0, availableReplicas: 0 })),
}
