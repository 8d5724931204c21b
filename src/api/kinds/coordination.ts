/** coordination.k8s.io/v1: Lease. */
import type { Errors } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { Lease } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'
import { collect, nonNegative, positive } from './rules.ts'

function check(lease: Lease, errors: Errors): void {
  const { spec } = lease
  positive(spec?.leaseDurationSeconds, 'spec.leaseDurationSeconds', errors)
  nonNegative(spec?.leaseTransitions, 'spec.leaseTransitions', errors)
}

/** Elections that the server takes part in are a feature that is off. */
function dropElection({ spec }: KubeObject): void {
  delete spec?.strategy
  delete spec?.preferredHolder
}

const validate = (object: KubeObject) => collect((errors) => check(object as Lease, errors))

const lease: DefinitionInput = {
  kind: 'Lease',
  plural: 'leases',
  columns: [column('Holder', (object) => object.spec?.holderIdentity ?? ''), ageColumn],
  strategy: {
    prepareForCreate: dropElection,
    prepareForUpdate: dropElection,
    validate,
    validateUpdate: validate,
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
  },
}

export const coordinationDefinitions = defineGroup({ group: 'coordination.k8s.io', version: 'v1', package: 'coordination/v1' }, [
  lease,
])
