/** scheduling.k8s.io/v1: PriorityClass. */
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'

const priorityClass: DefinitionInput = {
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  columns: [
    column('Value', (object) => object.value ?? 0, 'integer'),
    column('Global-Default', (object) => object.globalDefault ?? false, 'boolean'),
    ageColumn,
    column('PreemptionPolicy', (object) => object.preemptionPolicy ?? '<none>'),
  ],
}

export const schedulingDefinitions = defineGroup({ group: 'scheduling.k8s.io', version: 'v1', package: 'scheduling/v1' }, [
  priorityClass,
])
