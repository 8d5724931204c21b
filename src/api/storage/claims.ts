/** What claims, volumes and classes of storage say of each other, in fields and annotations. Pure. */
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass, Volume } from '../types.ts'

/** On a claim: its binding is complete. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
/** On a claim or volume: the other was found for it, and not asked for by whoever made it. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
/** On a volume: who made it, and takes it away again. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
/** On a claim: who is to make a volume for it; both are written, as Kubernetes does. */
export const PROVISIONER = 'volume.kubernetes.io/storage-provisioner'
export const BETA_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner'
/** On a claim: the node of the first pod that uses it. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'
/** The provisioner of classes whose volumes somebody makes by hand. */
const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

export const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection'
export const VOLUME_FINALIZER = 'kubernetes.io/pv-protection'

/** Empty: no class. */
export function classNameOf({ metadata, spec }: PersistentVolume | PersistentVolumeClaim): string {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? ''
}

export function waitsForConsumer(storageClass: StorageClass | undefined): boolean {
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
}

export function isProvisionable(storageClass: StorageClass | undefined): boolean {
  return storageClass !== undefined && storageClass.provisioner !== '' && storageClass.provisioner !== NO_PROVISIONER
}

export function isBindComplete({ metadata }: PersistentVolumeClaim): boolean {
  return metadata.annotations?.[BIND_COMPLETED] !== undefined
}

/** Whether claim and volume name each other and nothing is left to do. */
export function isBound(claim: PersistentVolumeClaim): boolean {
  return Boolean(claim.spec?.volumeName) && isBindComplete(claim)
}

/** `namespace/name` of the claim that a volume is for; undefined for one that is free. */
export function claimKeyOf({ spec }: PersistentVolume): string | undefined {
  return spec?.claimRef && `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`
}

/** Whether the volume is for this claim, be it that whoever made it wrote so. */
export function isFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const reference = spec?.claimRef
  if (reference?.name !== metadata.name || reference?.namespace !== metadata.namespace) return false
  return !reference?.uid || reference.uid === metadata.uid
}

/** The claim's name behind a volume of a pod; undefined for a volume of another kind. */
export function claimNameOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName
  return volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined
}

/** The names of all claims that a pod uses. */
export function claimNamesOf(pod: Pod): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => claimNameOf(pod, volume) ?? [])
}
