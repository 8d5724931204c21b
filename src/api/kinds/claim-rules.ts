/** Rules for what a claim on storage asks for: PersistentVolumeClaims, ephemeral volumes, claim templates. */
import type { Errors } from '../field-errors.ts'
import { forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain, qualifiedName } from '../names.ts'
import { tryParseQuantity, zeroQuantity } from '../quantity.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../types.ts'
import { checkAmount, isPositive } from './resource-rules.ts'
import { checkSelector, obey, requireText } from './rules.ts'

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES = ['Block', 'Filesystem']

export function checkAccessModes(modes: string[], path: string, errors: Errors): void {
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(path, mode, ACCESS_MODES))
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode))
  if (modes.includes('ReadWriteOncePod') && others) {
    errors.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'))
  }
}

export function checkClaimSpec(spec: PersistentVolumeClaimSpec | undefined, path: string, errors: Errors): void {
  if (!spec?.accessModes?.length) errors.push(required(`${path}.accessModes`, 'at least 1 access mode is required'))
  else checkAccessModes(spec.accessModes, `${path}.accessModes`, errors)
  checkSelector(spec?.selector, `${path}.selector`, errors)
  const storage = spec?.resources?.requests?.storage
  if (storage === undefined) errors.push(required(`${path}.resources[storage]`))
  else if (!isPositive(storage)) errors.push(invalid(`${path}.resources[storage]`, storage, 'must be greater than zero'))
  if (spec?.storageClassName) obey(spec.storageClassName, dnsSubdomain, `${path}.storageClassName`, errors)
  if (spec?.volumeMode !== undefined && !VOLUME_MODES.includes(spec.volumeMode)) {
    errors.push(notSupported(`${path}.volumeMode`, spec.volumeMode, VOLUME_MODES))
  }
  if (spec?.volumeAttributesClassName)
    obey(spec.volumeAttributesClassName, dnsSubdomain, `${path}.volumeAttributesClassName`, errors)
  checkDataSource(spec, path, errors)
}

function checkDataSource(spec: PersistentVolumeClaimSpec | undefined, path: string, errors: Errors): void {
  for (const field of ['dataSource', 'dataSourceRef'] as const) {
    const source = spec?.[field]
    if (!source) continue
    requireText(source.name, `${path}.${field}.name`, errors)
    requireText(source.kind, `${path}.${field}.kind`, errors)
    if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
      errors.push(
        invalid(`${path}.${field}`, source.kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup"),
      )
    }
    if (source.apiGroup) obey(source.apiGroup, dnsSubdomain, `${path}.${field}.apiGroup`, errors)
  }
  const { dataSource, dataSourceRef } = spec ?? {}
  if (dataSourceRef?.namespace) {
    obey(dataSourceRef.namespace, dnsLabel, `${path}.dataSourceRef.namespace`, errors)
    if (dataSource) errors.push(invalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified'))
  } else if (dataSource && dataSourceRef) {
    const same = (['apiGroup', 'kind', 'name'] as const).every((field) => dataSource[field] === dataSourceRef[field])
    if (!same) errors.push(invalid(path, {}, 'must match dataSourceRef'))
  }
}

const RESIZES = [
  ...['ControllerResizeInProgress', 'ControllerResizeInfeasible', 'NodeResizeInProgress', 'NodeResizeInfeasible'],
  'NodeResizePending',
]

/** What a claim got, and how far growing it has come. */
export function checkClaimStatus({ status }: PersistentVolumeClaim, errors: Errors): void {
  for (const [name, amount] of Object.entries(status?.capacity ?? {})) {
    checkBasicAmount(amount, `status.capacity[${name}]`, errors)
  }
  for (const [name, state] of Object.entries(status?.allocatedResourceStatuses ?? {})) {
    // The field is named as it once was, and the value that is shown is the key.
    const path = 'status.allocatedResourceStatus'
    checkClaimResource(name, path, errors)
    if (!RESIZES.includes(state)) errors.push(notSupported(path, name, RESIZES))
  }
  for (const [name, amount] of Object.entries(status?.allocatedResources ?? {})) {
    checkClaimResource(name, 'status.allocatedResources', errors)
    const path = `status.allocatedResources[${name}]`
    if (checkBasicAmount(amount, path, errors)) checkAmount(name, amount, path, errors)
  }
}

/** A claim has storage, and what others name in domains of their own. */
function checkClaimResource(name: string, path: string, errors: Errors): void {
  const before = errors.length
  obey(name, qualifiedName, path, errors)
  const isNative = !name.includes('/') || name.includes('kubernetes.io/')
  if (errors.length === before && isNative && name !== 'storage') errors.push(notSupported(path, name, ['storage']))
}

function checkBasicAmount(amount: string, path: string, errors: Errors): boolean {
  const { nano } = tryParseQuantity(amount) ?? zeroQuantity
  const whole = Math.ceil(Number(nano) / 1e9)
  if (whole < 0) errors.push(invalid(path, whole, 'must be a valid resource quantity'))
  return whole >= 0
}
