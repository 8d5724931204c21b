/** StatefulSet: pods with names and storage of their own. */
import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { forbidden, invalid, required } from '../field-errors.ts'
import { dnsLabel } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { StatefulSet, StatefulSetSpec } from '../types.ts'
import { ageColumn, column, templateColumns } from './columns.ts'
import { type DefinitionInput, scaleSubresource, statusStrategy } from './define.ts'
import { defaultTemplate } from './pod-defaults.ts'
import { warnOfClaim, warnOfTemplate } from './pod-warnings.ts'
import { collect, nonNegative, obey, oneOf } from './rules.ts'
import { checkCounts, checkRunningTemplate, checkWorkloadSelector } from './workload-rules.ts'
import { isReplaced } from './workload-warnings.ts'

const set = (object: KubeObject) => object as unknown as StatefulSet

function setDefaults(set: StatefulSet): void {
  set.spec ??= {} as StatefulSetSpec
  const { spec } = set
  spec.podManagementPolicy ||= 'OrderedReady'
  spec.updateStrategy ??= {}
  const strategy = spec.updateStrategy
  if (!strategy.type) {
    strategy.type = 'RollingUpdate'
    strategy.rollingUpdate ??= {}
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) strategy.rollingUpdate.partition ??= 0
  spec.persistentVolumeClaimRetentionPolicy ??= {}
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  spec.template ??= {}
  defaultTemplate(spec.template)
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.kind = 'PersistentVolumeClaim'
    claim.apiVersion = 'v1'
    claim.metadata ??= {}
    claim.spec ??= {}
    claim.spec.volumeMode ??= 'Filesystem'
    claim.status ??= {}
    claim.status.phase ||= 'Pending'
  }
}

function check(set: StatefulSet, errors: Errors): void {
  const spec = set.spec as StatefulSetSpec
  const { podManagementPolicy: management, updateStrategy } = spec
  if (management !== 'OrderedReady' && management !== 'Parallel') {
    errors.push(invalid('spec.podManagementPolicy', management ?? '', "must be 'OrderedReady' or 'Parallel'"))
  }
  checkUpdateStrategy(updateStrategy ?? {}, errors)
  const retention = spec.persistentVolumeClaimRetentionPolicy
  for (const when of ['whenDeleted', 'whenScaled'] as const) {
    oneOf(retention?.[when], ['Retain', 'Delete'], `spec.persistentVolumeClaimRetentionPolicy.${when}`, errors, true)
  }
  nonNegative(spec.replicas, 'spec.replicas', errors)
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors)
  nonNegative(spec.ordinals?.start, 'spec.ordinals.start', errors)
  const matcher = checkWorkloadSelector(spec.selector, 'statefulset', errors)
  if (matcher) checkRunningTemplate(withClaims(spec), matcher, 'StatefulSet', errors)
  else errors.push(invalid('spec.selector', spec.selector, ''))
}

/** The template as its pods will be: each claim template is a volume too, which containers mount by its name. */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): StatefulSetSpec['template'] {
  const volumes = template?.spec?.volumes ?? []
  const claims = volumeClaimTemplates.flatMap(({ metadata }) => {
    const name = metadata?.name
    const isNew = name !== undefined && !volumes.some((volume) => volume.name === name)
    return isNew ? [{ name, persistentVolumeClaim: { claimName: name } }] : []
  })
  if (!template?.spec || claims.length === 0) return template
  return { ...template, spec: { ...template.spec, volumes: [...volumes, ...claims] } }
}

function checkUpdateStrategy(strategy: NonNullable<StatefulSetSpec['updateStrategy']>, errors: Errors): void {
  const path = 'spec.updateStrategy'
  const { type, rollingUpdate } = strategy
  if (!type) errors.push(required(path))
  else if (type === 'OnDelete') {
    if (rollingUpdate) {
      errors.push(invalid(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"))
    }
  } else if (type !== 'RollingUpdate') {
    const value = { Type: type, RollingUpdate: rollingUpdate ?? null }
    errors.push(invalid(path, value, "must be 'RollingUpdate' or 'OnDelete'"))
  } else nonNegative(rollingUpdate?.partition, `${path}.rollingUpdate.partition`, errors)
}

/** What may be changed of a StatefulSet that exists. */
const MUTABLE = [
  ...(['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit'] as const),
  ...(['persistentVolumeClaimRetentionPolicy', 'minReadySeconds'] as const),
]
const OTHERS_FORBIDDEN =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

function checkFixed(set: StatefulSet, old: StatefulSet, errors: Errors): void {
  const rest = (spec: StatefulSetSpec | undefined) => {
    const fixed: Partial<StatefulSetSpec> = { ...spec }
    for (const field of MUTABLE) delete fixed[field]
    return fixed
  }
  if (!equal(rest(set.spec), rest(old.spec))) errors.push(forbidden('spec', OTHERS_FORBIDDEN))
}

const COUNTS = ['observedGeneration', 'replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']
const PARTS = [
  ['readyReplicas', 'replicas', 'status.replicas'],
  ['currentReplicas', 'replicas', 'status.replicas'],
  ['updatedReplicas', 'replicas', 'status.replicas'],
  ['availableReplicas', 'replicas', 'status.replicas'],
  ['availableReplicas', 'readyReplicas', 'status.readyReplicas'],
] as const

function warningsOf(set: StatefulSet, old: StatefulSet | undefined): string[] {
  const { spec } = set
  const warnings: string[] = []
  if (isReplaced(set, old)) {
    warnOfTemplate(spec?.template, 'spec.template', warnings)
    spec?.volumeClaimTemplates?.forEach((claim, index) => {
      warnOfClaim(claim.spec?.resources, `spec.volumeClaimTemplates[${index}].Spec`, warnings)
    })
  }
  if ((spec?.revisionHistoryLimit ?? 0) < 0) {
    const advice = 'a negative value retains all historical revisions; a value >= 0 is recommended'
    warnings.push(`spec.revisionHistoryLimit: ${advice}`)
  }
  return warnings
}

export const statefulSet: DefinitionInput = {
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  status: true,
  subresources: [scaleSubresource('spec.selector')],
  columns: [
    column('Ready', (object) => `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
  ],
  strategy: statusStrategy(() => ({ replicas: 0, availableReplicas: 0 }), {
    nameRule: 'label',
    defaults: (object) => setDefaults(set(object)),
    validate: (object) =>
      collect((errors) => {
        check(set(object), errors)
        const { serviceName } = set(object).spec ?? {}
        if (serviceName) obey(serviceName, dnsLabel, 'spec.serviceName', errors)
      }),
    validateUpdate: (object, old) =>
      collect((errors) => {
        check(set(object), errors)
        checkFixed(set(object), set(old), errors)
      }),
    warnings: (object, old) => warningsOf(set(object), old && set(old)),
    validateStatusUpdate: (object) => collect((errors) => checkCounts(object.status, COUNTS, PARTS, errors)),
  }),
}
