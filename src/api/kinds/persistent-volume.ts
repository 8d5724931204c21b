/** PersistentVolume: storage that a claim can bind to. */
import { equal, listChanges } from '../equal.ts'
import { type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../names.ts'
import type { KubeObject } from '../object.ts'
import { tryParseQuantity } from '../quantity.ts'
import type { PersistentVolume, PersistentVolumeSpec, SecretReference } from '../types.ts'
import { checkAccessModes, VOLUME_MODES } from './claim-rules.ts'
import { accessModes, ageColumn, column, wideColumn } from './columns.ts'
import { type DefinitionInput, keepStatus } from './define.ts'
import { warnOfNodeTerm } from './node-labels.ts'
import { checkNoBacksteps } from './paths.ts'
import { CLASS_ANNOTATION, CLASS_ANNOTATION_WARNING } from './persistent-volume-claim.ts'
import { isPositive } from './resource-rules.ts'
import { checkImmutable, collect, obey, oneOf, requireName, requireText } from './rules.ts'
import { checkNodeSelector } from './scheduling-rules.ts'
import { defaultOldSource } from './volume-defaults.ts'
import { checkDriverName, checkHostPath, checkInTree, checkNfs } from './volume-rules.ts'

const volume = (object: KubeObject) => object as PersistentVolume

/** In the order in which the second one is refused. */
const SOURCES = [
  ...(['hostPath', 'gcePersistentDisk', 'awsElasticBlockStore', 'glusterfs', 'flocker', 'nfs', 'rbd', 'quobyte'] as const),
  ...(['cephfs', 'iscsi', 'cinder', 'fc', 'azureFile', 'vsphereVolume', 'photonPersistentDisk', 'portworxVolume'] as const),
  ...(['azureDisk', 'scaleIO', 'local', 'storageos', 'csi'] as const),
]

function setDefaults(volume: PersistentVolume): void {
  volume.spec ??= {}
  const { spec } = volume
  spec.persistentVolumeReclaimPolicy ||= 'Retain'
  spec.volumeMode ??= 'Filesystem'
  if (spec.hostPath) spec.hostPath.type ??= ''
  defaultOldSource(spec)
  volume.status ??= {}
  volume.status.phase ||= 'Pending'
}

function check(volume: PersistentVolume, errors: Errors): void {
  const spec = volume.spec ?? {}
  if (!spec.accessModes?.length) errors.push(required('spec.accessModes'))
  else checkAccessModes(spec.accessModes, 'spec.accessModes', errors)
  checkCapacity(spec.capacity, errors)
  oneOf(spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'], 'spec.persistentVolumeReclaimPolicy', errors)
  if (spec.storageClassName) obey(spec.storageClassName, dnsSubdomain, 'spec.storageClassName', errors)
  if (spec.volumeMode !== undefined && !VOLUME_MODES.includes(spec.volumeMode)) {
    errors.push(notSupported('spec.volumeMode', spec.volumeMode, VOLUME_MODES))
  }
  const attributes = spec.volumeAttributesClassName
  if (attributes !== undefined) {
    if (attributes === '') errors.push(required('spec.volumeAttributesClassName', 'an empty string is disallowed'))
    else obey(attributes, dnsSubdomain, 'spec.volumeAttributesClassName', errors)
    if (!spec.csi) errors.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'))
  }
  if (spec.nodeAffinity) {
    const must = spec.nodeAffinity.required
    if (must) checkNodeSelector(must, 'spec.nodeAffinity.required', errors)
    else errors.push(required('spec.nodeAffinity.required', 'must specify required node constraints'))
  }
  checkSource(spec, errors)
}

function checkCapacity(capacity: Record<string, string> | undefined, errors: Errors): void {
  const names = Object.keys(capacity ?? {})
  if (names.length === 0) errors.push(required('spec.capacity'))
  if (names.length !== 1 || names[0] !== 'storage') errors.push(notSupported('spec.capacity', capacity, ['storage']))
  for (const name of names) {
    const path = `spec.capacity[${name}]`
    const amount = tryParseQuantity(capacity?.[name])
    if (amount && amount.nano < 0n)
      errors.push(invalid(path, Math.ceil(Number(amount.nano) / 1e9), 'must be a valid resource quantity'))
    if (!isPositive(capacity?.[name])) errors.push(invalid(path, capacity?.[name], 'must be greater than zero'))
  }
}

function checkSource(spec: PersistentVolumeSpec, errors: Errors): void {
  const given = SOURCES.filter((source) => spec[source] !== undefined)
  const [first] = given
  for (const extra of given.slice(1)) errors.push(forbidden(`spec.${extra}`, 'may not specify more than 1 volume type'))
  if (first === undefined) errors.push(required('spec', 'must specify a volume type'))
  else if (first === 'hostPath') {
    checkHostPath(spec.hostPath, 'spec.hostPath', errors)
    if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
      errors.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"))
    }
  } else if (first === 'nfs') checkNfs(spec.nfs, 'spec.nfs', errors)
  else if (first === 'local') {
    if (!spec.local?.path) errors.push(required('spec.local.path'))
    else checkNoBacksteps(spec.local.path, 'spec.local.path', errors)
    if (!spec.nodeAffinity) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'))
  } else if (first === 'csi') {
    checkDriverName(spec.csi?.driver, 'spec.csi.driver', errors)
    requireText(spec.csi?.volumeHandle, 'spec.csi.volumeHandle', errors)
    for (const secret of CSI_SECRETS) checkSecretReference(spec.csi?.[secret], `spec.csi.${secret}`, errors)
  } else checkInTree(spec as Record<string, Record<string, unknown>>, first, `spec.${first}`, errors)
}

const CSI_SECRETS = [
  ...(['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const),
]

function checkSecretReference(reference: SecretReference | undefined, path: string, errors: Errors): void {
  if (!reference) return
  requireName(reference.name, dnsSubdomain, `${path}.name`, errors)
  requireName(reference.namespace, dnsLabel, `${path}.namespace`, errors)
}

function checkUpdate(volume: PersistentVolume, old: PersistentVolume, errors: Errors): void {
  check(volume, errors)
  const [spec, before] = [volume.spec ?? {}, old.spec ?? {}]
  const source = (of: PersistentVolumeSpec) => Object.fromEntries(SOURCES.map((name) => [name, of[name]]))
  const same =
    SOURCES.every((name) => (spec[name] === undefined) === (before[name] === undefined)) && equal(source(spec), source(before))
  if (!same) {
    const changes = listChanges('spec', source(before), source(spec))
    errors.push(forbidden('spec.persistentvolumesource', `spec.persistentvolumesource is immutable after creation\n${changes}`))
  }
  checkImmutable(spec.volumeMode, before.volumeMode, 'volumeMode', errors)
  if (before.nodeAffinity && !equal(spec.nodeAffinity, before.nodeAffinity)) {
    errors.push(invalid('nodeAffinity', spec.nodeAffinity, 'field is immutable'))
  }
  if (before.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined)
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
}

const OLD_DRIVERS = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const

function warningsOf({ metadata, spec = {} }: PersistentVolume): string[] {
  const warnings: string[] = []
  if (metadata?.annotations?.[CLASS_ANNOTATION] !== undefined) {
    warnings.push(`metadata.annotations[${CLASS_ANNOTATION}]: ${CLASS_ANNOTATION_WARNING}`)
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const advice = 'Instead, the recommended approach is to use dynamic provisioning.'
    warnings.push(`spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. ${advice}`)
  }
  spec.nodeAffinity?.required?.nodeSelectorTerms?.forEach((term, index) => {
    warnOfNodeTerm(term, false, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`, warnings)
  })
  for (const [field, shown, message] of OLD_DRIVERS) if (spec[field]) warnings.push(`spec.${shown}: ${message}`)
  return warnings
}

export const persistentVolume: DefinitionInput = {
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  status: true,
  columns: [
    column('Capacity', (object) => object.spec?.capacity?.storage ?? ''),
    column('Access Modes', (object) => accessModes(object.spec?.accessModes)),
    column('Reclaim Policy', (object) => object.spec?.persistentVolumeReclaimPolicy ?? ''),
    column('Status', (object) => (object.metadata.deletionTimestamp ? 'Terminating' : (object.status?.phase ?? ''))),
    column('Claim', (object) => {
      const claim = object.spec?.claimRef
      return claim ? `${claim.namespace ?? ''}/${claim.name ?? ''}` : ''
    }),
    column('StorageClass', (object) => object.spec?.storageClassName ?? ''),
    column('VolumeAttributesClass', (object) => object.spec?.volumeAttributesClassName ?? '<unset>'),
    column('Reason', (object) => object.status?.reason ?? ''),
    ageColumn,
    wideColumn('VolumeMode', (object) => object.spec?.volumeMode ?? '<unset>'),
  ],
  strategy: {
    defaults: (object) => setDefaults(volume(object)),
    prepareForCreate: (object, { now }) => {
      object.status = { phase: 'Pending', lastPhaseTransitionTime: now }
    },
    prepareForUpdate: keepStatus,
    prepareForStatusUpdate: (object, old, { now }) => {
      object.spec = old.spec
      const { status } = object
      if (
        status &&
        status.phase !== old.status?.phase &&
        status.lastPhaseTransitionTime === old.status?.lastPhaseTransitionTime
      ) {
        status.lastPhaseTransitionTime = now
      }
    },
    validate: (object) => collect((errors) => check(volume(object), errors)),
    validateUpdate: (object, old) => collect((errors) => checkUpdate(volume(object), volume(old), errors)),
    warnings: (object) => warningsOf(volume(object)),
    returnsDeleted: true,
    countsGeneration: false,
  },
}
