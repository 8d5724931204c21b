/** resource.k8s.io/v1: dynamic resource allocation. */
import type { Strategy } from '../definition.ts'
import { equal } from '../equal.ts'
import { type Errors, immutable, invalid } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { FieldError } from '../status.ts'
import type { DeviceClass, DeviceSelector, ResourceSlice, ResourceV1ResourceClaim } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'
import { checkClaimSpec, defaultClaimSpec, selectorsOf } from './device-claim-rules.ts'
import { checkConfiguration, checkItems, checkSelectors, MAX_CONFIGURATIONS } from './device-rules.ts'
import { checkClaimStatus } from './device-status-rules.ts'
import { isExtendedResource } from './resource-rules.ts'
import { checkSlice } from './resource-slice-rules.ts'
import { checkTemplateMetadata, collect } from './rules.ts'

function state(claim: ResourceV1ResourceClaim): string {
  const states: string[] = []
  if (claim.metadata.deletionTimestamp) states.push('deleted')
  if (!claim.status?.allocation) {
    if (!claim.metadata.deletionTimestamp) states.push('pending')
  } else states.push('allocated', ...(claim.status.reservedFor?.length ? ['reserved'] : []))
  return states.join(',')
}

type Selectors = readonly (readonly [DeviceSelector[] | undefined, path: string])[]

/** The CEL compiler is loaded when there is something to compile. */
function checkExpressions(selectors: Selectors): Promise<FieldError[]> | undefined {
  if (!selectors.some(([list]) => list?.length)) return undefined
  return import('../cel/device-expressions.ts').then(({ checkDeviceExpressions }) =>
    collect((errors) => {
      for (const [list, path] of selectors) checkDeviceExpressions(list, path, errors)
    }),
  )
}

const checkSpecKept = (object: KubeObject, old: KubeObject) =>
  collect((errors) => {
    if (!equal(object.spec, old.spec)) errors.push(immutable('spec', object.spec))
  })

function checkDeviceClass({ spec }: DeviceClass, errors: Errors): void {
  checkSelectors(spec?.selectors, 'spec.selectors', errors)
  checkItems(spec?.config, MAX_CONFIGURATIONS, 'spec.config', errors, (config, path) => {
    checkConfiguration(config, path, errors)
  })
  const name = spec?.extendedResourceName
  if (name !== undefined && !isExtendedResource(name)) {
    errors.push(invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'))
  }
}

function deviceClassStrategy(): Strategy {
  const validate = (object: KubeObject) => collect((errors) => checkDeviceClass(object as DeviceClass, errors))
  return {
    validate,
    validateUpdate: validate,
    validateExpressions: (object, old) => {
      const { selectors } = (object as DeviceClass).spec ?? {}
      return equal(selectors, old?.spec?.selectors) ? undefined : checkExpressions([[selectors, 'spec.selectors']])
    },
    countsGeneration: true,
    returnsDeleted: true,
  }
}

/** Taints say since when they are there. */
function stampTaints(object: KubeObject, now: string): void {
  for (const device of (object as ResourceSlice).spec?.devices ?? []) {
    for (const taint of device.taints ?? []) taint.timeAdded ??= now
  }
}

const kinds: DefinitionInput[] = [
  {
    kind: 'DeviceClass',
    plural: 'deviceclasses',
    namespaced: false,
    columns: [ageColumn],
    strategy: deviceClassStrategy(),
  },
  {
    kind: 'ResourceClaim',
    plural: 'resourceclaims',
    status: true,
    columns: [column('State', (object) => state(object as ResourceV1ResourceClaim)), ageColumn],
    strategy: statusStrategy(() => ({}), {
      defaults: (object) => defaultClaimSpec(object.spec),
      validate: (object) => collect((errors) => checkClaimSpec(object.spec, 'spec', errors)),
      validateUpdate: checkSpecKept,
      validateExpressions: (object, old) => (old ? undefined : checkExpressions(selectorsOf(object.spec, 'spec'))),
      validateStatusUpdate: (object, old) =>
        collect((errors) => checkClaimStatus(object as ResourceV1ResourceClaim, old as ResourceV1ResourceClaim, errors)),
      countsGeneration: false,
      returnsDeleted: true,
    }),
  },
  {
    kind: 'ResourceClaimTemplate',
    plural: 'resourceclaimtemplates',
    columns: [ageColumn],
    strategy: {
      defaults: (object) => defaultClaimSpec(object.spec?.spec),
      validate: (object) =>
        collect((errors) => {
          checkTemplateMetadata(object.spec?.metadata, 'spec.metadata', errors)
          checkClaimSpec(object.spec?.spec, 'spec.spec', errors)
        }),
      validateUpdate: checkSpecKept,
      validateExpressions: (object, old) => (old ? undefined : checkExpressions(selectorsOf(object.spec?.spec, 'spec.spec'))),
      returnsDeleted: true,
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
    unknownField: (field) => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
    selectableFields: {
      'spec.nodeName': (object) => object.spec?.nodeName ?? '',
      'spec.driver': (object) => object.spec?.driver ?? '',
    },
    strategy: {
      prepareForCreate: (object, { now }) => stampTaints(object, now),
      prepareForUpdate: (object, _, { now }) => stampTaints(object, now),
      validate: (object) => collect((errors) => checkSlice(object as ResourceSlice, undefined, errors)),
      validateUpdate: (object, old) => collect((errors) => checkSlice(object as ResourceSlice, old as ResourceSlice, errors)),
      countsGeneration: true,
      returnsDeleted: true,
    },
  },
]

export const resourceDefinitions = defineGroup({ group: 'resource.k8s.io', version: 'v1', package: 'resource/v1' }, kinds)
