/** coordination.k8s.io/v1: Lease. */
import { type Errors, forbidden } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { Lease } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup } from './define.ts'
import { collect, nonNegative, positive } from './rules.ts'

function check(lease: Lease, errors: Errors): void {
  const { spec } = lease
  positive(spec?.leaseDurationSeconds, 'spec.leaseDurationSeconds', errors)
  nonNegative(spec?.leaseTransitions, 'spec.leaseTransitions', errors)
  if (spec?.preferredHolder !== undefined && !spec.strategy) {
    errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'))
  }
}

const validate = (object: KubeObject) => collect((errors) => check(object as Lease, errors))

const lease: DefinitionInput = {
  kind: 'Lease',
  plural: 'leases',
  columns: [column('Holder', (object) => object.spec?.holderIdentity ?? ''), ageColumn],
  strategy: { validate, validateUpdate: validate, allowCreateOnUpdate: true, allowUnconditionalUpdate: false },
}

export const coordinationDefinitions = defineGroup({ group: 'coordination.k8s.io', version: 'v1', package: 'coordination/v1' }, [
  lease,
])
