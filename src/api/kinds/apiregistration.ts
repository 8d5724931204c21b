/** apiregistration.k8s.io/v1: APIService. */
import type { APIService } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'

function available(service: APIService): string {
  const condition = service.status?.conditions?.find((c) => c.type === 'Available')
  if (!condition) return 'Unknown'
  return condition.status === 'True' || !condition.reason ? condition.status : `${condition.status} (${condition.reason})`
}

const apiService: DefinitionInput = {
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  namespaced: false,
  status: true,
  columns: [
    column('Service', (object) => {
      const service = object.spec?.service
      return service ? `${service.namespace ?? ''}/${service.name ?? ''}` : 'Local'
    }),
    column('Available', (object) => available(object as APIService)),
    ageColumn,
  ],
  strategy: statusStrategy(() => ({}), { allowUnconditionalUpdate: false, countsGeneration: false }),
}

export const apiregistrationDefinitions = defineGroup(
  { group: 'apiregistration.k8s.io', version: 'v1', package: 'apiregistration/v1' },
  [apiService],
)
