/** resource.k8s.io/v1: dynamic resource allocation. */
import type { ResourceV1ResourceClaim } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'
import { checkClaimSpec, defaultClaimSpec } from './device-claim-rules.ts'
import { checkImmutable, collect } from './rules.ts'

function state(claim: ResourceV1ResourceClaim): string {
  const states: string[] = []
  if (claim.metadata.deletionTimestamp) states.push('deleted')
  if (!claim.status?.allocation) {
    if (!claim.metadata.deletionTimestamp) states.push('pending')
  } else states.push('allocated', ...(claim.status.reservedFor?.length ? ['reserved'] : []))
  return states.join(',')
}

const kinds: DefinitionInput[] = [
  {
    kind: 'DeviceClass',
    plural: 'deviceclasses',
    namespaced: false,
    columns: [ageColumn],
    strategy: { countsGeneration: true },
  },
  {
    kind: 'ResourceClaim',
    plural: 'resourceclaims',
    status: true,
    columns: [column('State', (object) => state(object as ResourceV1ResourceClaim)), ageColumn],
    strategy: statusStrategy(() => ({}), {
      defaults: (object) => defaultClaimSpec(object.spec),
      validate: (object) => collect((errors) => checkClaimSpec(object.spec, 'spec', errors)),
      validateUpdate: (object, old) => collect((errors) => checkImmutable(object.spec, old.spec, 'spec', errors)),
      countsGeneration: false,
    }),
  },
  {
    kind: 'ResourceClaimTemplate',
    plural: 'resourceclaimtemplates',
    columns: [ageColumn],
    strategy: {
      defaults: (object) => defaultClaimSpec(object.spec?.spec),
      validate: (object) => collect((errors) => checkClaimSpec(object.spec?.spec, 'spec.spec', errors)),
      validateUpdate: (object, old) => collect((errors) => checkImmutable(object.spec, old.spec, 'spec', errors)),
    },
  },
  {
    kind: 'ResourceSlice',
    plural: 'resourceslices',
    namespaced: false,
    columns: [
      column('Node', (object) => object.spec?.nodeName || '<unset>'),
      column('Driver', (object) => object.spec?.driver ?? ''),
      column('Pool', (object) => object.spec?.pool?.name ?? ''),
      ageColumn,
    ],
    selectableFields: {
      'spec.nodeName': (object) => object.spec?.nodeName ?? '',
      'spec.driver': (object) => object.spec?.driver ?? '',
    },
    strategy: { countsGeneration: true },
  },
]

export const resourceDefinitions = defineGroup({ group: 'resource.k8s.io', version: 'v1', package: 'resource/v1' }, kinds)
