/** node.k8s.io/v1: RuntimeClass. */
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'

const runtimeClass: DefinitionInput = {
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
  columns: [column('Handler', (object) => object.handler ?? ''), ageColumn],
  strategy: { allowUnconditionalUpdate: false },
}

export const nodeApiDefinitions = defineGroup({ group: 'node.k8s.io', version: 'v1', package: 'node/v1' }, [runtimeClass])
