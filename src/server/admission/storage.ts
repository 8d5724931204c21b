/** Claims and volumes: the default class, the finalizers that keep what is in use, and growth only where the class allows it. */
import type { KubeObject } from '../../api/object.ts'
import { compareQuantities, tryParseQuantity } from '../../api/quantity.ts'
import type { PersistentVolumeClaim } from '../../api/types.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from './contract.ts'
import { defaultClassOf } from './default-class.ts'
import { isAbout, refused } from './refusal.ts'

const LEGACY_CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'
const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class'
const PROTECTION: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
}

export function defaultStorageClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, '', 'persistentvolumeclaims'),
    mutate(request) {
      const claim = request.object as PersistentVolumeClaim | undefined
      // An empty class is a choice: no class at all.
      if (!claim?.spec || typeof claim.spec.storageClassName === 'string') return
      if (claim.metadata.annotations?.[LEGACY_CLASS_ANNOTATION] !== undefined) return
      const chosen = defaultClassOf(reader.list('storage.k8s.io', 'storageclasses'), IS_DEFAULT)
      if (chosen) claim.spec.storageClassName = chosen.metadata.name
    },
  }
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: (request) =>
    request.operation === 'CREATE' &&
    (isAbout(request, '', 'persistentvolumeclaims') || isAbout(request, '', 'persistentvolumes')),
  mutate({ object, definition }) {
    const finalizer = PROTECTION[definition.plural]
    if (!object || !finalizer) return
    const finalizers = object.metadata.finalizers ?? []
    if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer]
  },
}

export function persistentVolumeClaimResize(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    handles: (request) => request.operation === 'UPDATE' && isAbout(request, '', 'persistentvolumeclaims'),
    validate(request) {
      const [before, after] = [request.old, request.object].map(requestedStorage)
      if (!before || !after || compareQuantities(after, before) <= 0 || request.old?.status?.phase !== 'Bound') return
      if (!allowsGrowth(request, reader)) {
        const why =
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize'
        throw refused(request, why)
      }
    },
  }
}

function requestedStorage(claim: KubeObject | undefined) {
  return tryParseQuantity(claim?.spec?.resources?.requests?.storage ?? '')
}

function allowsGrowth({ object }: AdmissionRequest, reader: ObjectReader): boolean {
  const name = object?.spec?.storageClassName ?? object?.metadata.annotations?.[LEGACY_CLASS_ANNOTATION]
  return Boolean(name && reader.get('storage.k8s.io', 'storageclasses', '', name)?.allowVolumeExpansion)
}
