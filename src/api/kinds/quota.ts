/** ResourceQuota and LimitRange. */
import type { ResourceQuota } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { statusStrategy } from './define.ts'

/** `cpu: 1/2, …` of the resources that are limits, or of those that are not. */
function usage(quota: ResourceQuota, limits: boolean): string {
  const names = Object.keys(quota.status?.hard ?? {}).sort()
  return names
    .filter((name) => name.startsWith('limits') === limits)
    .map((name) => `${name}: ${quota.status?.used?.[name] ?? '0'}/${quota.status?.hard?.[name]}`)
    .join(', ')
}

export const resourceQuota: DefinitionInput = {
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  status: true,
  columns: [
    column('Request', (object) => usage(object as ResourceQuota, false)),
    column('Limit', (object) => usage(object as ResourceQuota, true)),
    ageColumn,
  ],
  strategy: statusStrategy(() => ({}), { returnsDeleted: true, countsGeneration: false }),
}

export const limitRange: DefinitionInput = {
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  strategy: { allowCreateOnUpdate: true },
}
