/** PersistentVolume. */
import { accessModes, ageColumn, column, wideColumn } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { statusStrategy } from './define.ts'

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
  strategy: statusStrategy(() => ({ phase: 'Pending' }), { returnsDeleted: true, countsGeneration: false }),
}
