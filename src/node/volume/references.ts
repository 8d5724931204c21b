/** Which objects a pod's volumes name. Pure. */
import { claimNameOf } from '../../api/storage/claims.ts'
import type { Pod, Volume } from '../../api/types.ts'

export interface VolumeReference {
  kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim'
  name: string
}

export function volumeReferences(pod: Pod): VolumeReference[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => ofVolume(pod, volume))
}

function ofVolume(pod: Pod, volume: Volume): VolumeReference[] {
  const found: VolumeReference[] = []
  const add = (kind: VolumeReference['kind'], name: string | undefined) => {
    if (name) found.push({ kind, name })
  }
  add('ConfigMap', volume.configMap?.name)
  add('Secret', volume.secret?.secretName)
  add('PersistentVolumeClaim', claimNameOf(pod, volume))
  for (const source of volume.projected?.sources ?? []) {
    add('ConfigMap', source.configMap?.name)
    add('Secret', source.secret?.name)
  }
  return found
}
