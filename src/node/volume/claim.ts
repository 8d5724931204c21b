/** Volumes behind a claim: the claim must be bound, and its volume one that is a path on this host. Pure. */
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts'
import { VolumeError } from './payload.ts'

export interface ClaimedPath {
  path: string
  type: string | undefined
  readOnly: boolean
}

/** Throws VolumeError with what is missing. */
export function claimedPath(
  namespace: string,
  claimName: string,
  claim: PersistentVolumeClaim | undefined,
  volumeOf: (name: string) => PersistentVolume | undefined,
): ClaimedPath {
  if (!claim) throw new VolumeError(`persistentvolumeclaim ${JSON.stringify(claimName)} not found`)
  if (claim.metadata.deletionTimestamp) throw new VolumeError(`persistentvolumeclaim ${namespace}/${claimName} is being deleted`)
  const volumeName = claim.spec?.volumeName
  if (!volumeName || claim.status?.phase !== 'Bound') {
    throw new VolumeError(`PersistentVolumeClaim ${namespace}/${claimName} is not bound`)
  }
  if (claim.spec?.volumeMode === 'Block') throw new VolumeError('volumeMode Block is not supported by this node')
  const volume = volumeOf(volumeName)
  if (!volume) throw new VolumeError(`persistentvolume ${JSON.stringify(volumeName)} not found`)
  const { hostPath, local } = volume.spec ?? {}
  const readOnly = (volume.spec?.accessModes ?? []).every((mode) => mode === 'ReadOnlyMany')
  if (hostPath) return { path: hostPath.path, type: hostPath.type, readOnly }
  if (local) return { path: local.path, type: 'Directory', readOnly }
  throw new VolumeError(`volume kind ${kindOf(volume)} of persistentvolume ${volumeName} is not supported by this node`)
}

const OTHER_FIELDS = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
])

function kindOf(volume: PersistentVolume): string {
  return Object.keys(volume.spec ?? {}).find((field) => !OTHER_FIELDS.has(field)) ?? '(none)'
}
