/** PersistentVolumeClaim. */
import { accessModes, ageColumn, column, wideColumn } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { statusStrategy } from './define.ts'

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
  strategy: statusStrategy(() => ({ phase: 'Pending' }), { returnsDeleted: true, countsGeneration: false }),
}
