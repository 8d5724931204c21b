/** The controllers of storage. All but one are loaded with the first claim or volume. */
import type { KubeObject } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import { onDemand } from '../parts/on-demand.ts'
import { ephemeralVolumes } from './ephemeral.ts'

export function storageControllers(): Reconciler[] {
  return [
    ephemeralVolumes(),
    onDemand({
      name: 'persistentvolume-controller',
      resource: persistentVolumeClaims,
      others: [persistentVolumes as ResourceRef<KubeObject>],
      load: async () => (await import('./volume-binder.ts')).volumeBinder(),
    }),
    onDemand({
      name: 'pvc-protection-controller',
      resource: persistentVolumeClaims,
      load: async () => (await import('./protection.ts')).claimProtection(),
    }),
    onDemand({
      name: 'pv-protection-controller',
      resource: persistentVolumes,
      load: async () => (await import('./protection.ts')).volumeProtection(),
    }),
  ]
}
