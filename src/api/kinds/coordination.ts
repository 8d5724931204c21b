/** coordination.k8s.io/v1: Lease. */
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'

const lease: DefinitionInput = {
  kind: 'Lease',
  plural: 'leases',
  columns: [column('Holder', (object) => object.spec?.holderIdentity ?? ''), ageColumn],
  strategy: { allowCreateOnUpdate: true, allowUnconditionalUpdate: false },
}

export const coordinationDefinitions = defineGroup({ group: 'coordination.k8s.io', version: 'v1', package: 'coordination/v1' }, [
  lease,
])
