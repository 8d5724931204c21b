/** Deployment. */
import { ageColumn, column, selectorColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, scaleSubresource, statusStrategy } from './define.ts'

export const deployment: DefinitionInput = {
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  status: true,
  subresources: [scaleSubresource('spec.selector')],
  columns: [
    column('Ready', (object) => `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`),
    column('Up-to-date', (object) => object.status?.updatedReplicas ?? 0),
    column('Available', (object) => object.status?.availableReplicas ?? 0),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    selectorColumn((object) => object.spec?.selector),
  ],
  strategy: statusStrategy(() => ({})),
}
