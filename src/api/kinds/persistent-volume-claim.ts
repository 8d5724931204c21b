/** PersistentVolumeClaim: what a pod asks of storage. */
import { equal, listChanges } from '../equal.ts'
import { type Errors, forbidden } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import { compareQuantities, tryParseQuantity, zeroQuantity } from '../quantity.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../types.ts'
import { checkClaimSpec, checkClaimStatus } from './claim-rules.ts'
import { accessModes, ageColumn, column, wideColumn } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { warnOfClaim } from './pod-warnings.ts'
import { checkImmutable, collect } from './rules.ts'

const claim = (object: KubeObject) => object as PersistentVolumeClaim

function setDefaults(claim: PersistentVolumeClaim): void {
  claim.spec ??= {}
  claim.spec.volumeMode ??= 'Filesystem'
  claim.status ??= {}
  claim.status.phase ||= 'Pending'
}

/** `dataSource` and `dataSourceRef` say the same where both can. */
function pairSources(spec: PersistentVolumeClaimSpec): void {
  const { dataSource, dataSourceRef } = spec
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource }
  if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    const { kind, apiGroup } = dataSourceRef
    const isVolume =
      (kind === 'PersistentVolumeClaim' && !apiGroup) || (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io')
    if (isVolume) spec.dataSource = { kind, name: dataSourceRef.name, ...(apiGroup !== undefined && { apiGroup }) }
  }
}

const FROZEN = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

function checkUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim, errors: Errors): void {
  checkClaimSpec(claim.spec, 'spec', errors)
  const [spec, before] = [claim.spec ?? {}, old.spec ?? {}]
  const rest: PersistentVolumeClaimSpec = { ...spec }
  if (!before.volumeName) rest.volumeName = before.volumeName
  if (before.storageClassName === undefined) delete rest.storageClassName
  if (old.status?.phase === 'Bound') {
    const { storage } = before.resources?.requests ?? {}
    if (rest.resources?.requests && storage !== undefined)
      rest.resources = { ...rest.resources, requests: { ...rest.resources.requests, storage } }
    if (rest.volumeAttributesClassName !== undefined) rest.volumeAttributesClassName = before.volumeAttributesClassName
  }
  if (!equal(rest, before)) errors.push(forbidden('spec', `${FROZEN}\n${listChanges('spec', before, rest)}`))
  checkGrowth(claim, old, errors)
  checkImmutable(spec.volumeMode, before.volumeMode, 'volumeMode', errors)
  if (before.volumeAttributesClassName === undefined) return
  if (spec.volumeAttributesClassName === undefined)
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
  else if (spec.volumeAttributesClassName === '' && before.volumeAttributesClassName !== '')
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to an empty string is forbidden'))
}

/** A claim may ask for less again as long as that is more than what it has. */
function checkGrowth(claim: PersistentVolumeClaim, old: PersistentVolumeClaim, errors: Errors): void {
  const quantity = (text: string | undefined) => tryParseQuantity(text) ?? zeroQuantity
  const wanted = quantity(claim.spec?.resources?.requests?.storage)
  if (compareQuantities(wanted, quantity(old.spec?.resources?.requests?.storage)) >= 0) return
  if (compareQuantities(wanted, quantity(old.status?.capacity?.storage)) <= 0) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
}

export const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'
export const CLASS_ANNOTATION_WARNING = 'deprecated since v1.8; use "storageClassName" attribute instead'

function warningsOf({ metadata, spec }: PersistentVolumeClaim): string[] {
  const warnings: string[] = []
  if (metadata?.annotations?.[CLASS_ANNOTATION] !== undefined) {
    warnings.push(`metadata.annotations[${CLASS_ANNOTATION}]: ${CLASS_ANNOTATION_WARNING}`)
  }
  warnOfClaim(spec?.resources, 'spec', warnings)
  return warnings
}

export const persistentVolumeClaim: DefinitionInput = {
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  status: true,
  columns: [
    column('Status', (object) => (object.metadata.deletionTimestamp ? 'Terminating' : (object.status?.phase ?? ''))),
    column('Volume', (object) => object.spec?.volumeName ?? ''),
    column('Capacity', (object) => (object.spec?.volumeName ? (object.status?.capacity?.storage ?? '') : '')),
    column('Access Modes', (object) => (object.spec?.volumeName ? accessModes(object.status?.accessModes) : '')),
    column('StorageClass', (object) => object.spec?.storageClassName ?? ''),
    column('VolumeAttributesClass', (object) => object.spec?.volumeAttributesClassName ?? '<unset>'),
    ageColumn,
    wideColumn('VolumeMode', (object) => object.spec?.volumeMode ?? '<unset>'),
  ],
  strategy: statusStrategy(() => ({ phase: 'Pending' }), {
    defaults: (object) => setDefaults(claim(object)),
    prepareForCreate: (object) => {
      object.status = { phase: 'Pending' }
      pairSources(object.spec)
    },
    prepareForUpdate: (object, old) => {
      object.status = old.status
      pairSources(object.spec)
    },
    prepareForStatusUpdate: (object, old) => {
      object.spec = old.spec
    },
    validate: (object) => collect((errors) => checkClaimSpec(claim(object).spec, 'spec', errors)),
    validateUpdate: (object, old) => collect((errors) => checkUpdate(claim(object), claim(old), errors)),
    validateStatusUpdate: (object) => collect((errors) => checkClaimStatus(claim(object), errors)),
    warnings: (object) => warningsOf(claim(object)),
    returnsDeleted: true,
    countsGeneration: false,
  }),
}
