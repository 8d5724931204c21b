/** storage.k8s.io/v1. */
import type { StorageV1TokenRequest } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'

const storageClass: DefinitionInput = {
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  columns: [
    column('Provisioner', (object) => object.provisioner ?? ''),
    column('ReclaimPolicy', (object) => object.reclaimPolicy ?? ''),
    column('VolumeBindingMode', (object) => object.volumeBindingMode ?? ''),
    column('AllowVolumeExpansion', (object) => object.allowVolumeExpansion ?? false),
    ageColumn,
  ],
  strategy: { returnsDeleted: true },
}

const csiDriver: DefinitionInput = {
  kind: 'CSIDriver',
  plural: 'csidrivers',
  namespaced: false,
  columns: [
    column('AttachRequired', (object) => object.spec?.attachRequired ?? true, 'boolean'),
    column('PodInfoOnMount', (object) => object.spec?.podInfoOnMount ?? false, 'boolean'),
    column('StorageCapacity', (object) => object.spec?.storageCapacity ?? false, 'boolean'),
    column('TokenRequests', (object) => {
      const audiences = ((object.spec?.tokenRequests ?? []) as StorageV1TokenRequest[]).map((request) => request.audience)
      return audiences.length > 0 ? audiences.join(',') : '<unset>'
    }),
    column('RequiresRepublish', (object) => object.spec?.requiresRepublish ?? false, 'boolean'),
    column('Modes', (object) => (object.spec?.volumeLifecycleModes ?? []).join(',') || '<none>'),
    ageColumn,
  ],
  strategy: { returnsDeleted: true, allowUnconditionalUpdate: false },
}

const csiNode: DefinitionInput = {
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
  columns: [column('Drivers', (object) => object.spec?.drivers?.length ?? 0, 'integer'), ageColumn],
  strategy: { returnsDeleted: true, allowUnconditionalUpdate: false },
}

const csiStorageCapacity: DefinitionInput = {
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  columns: [
    column('StorageClassName', (object) => object.storageClassName ?? ''),
    column('Capacity', (object) => object.capacity ?? '<unset>'),
  ],
  strategy: { returnsDeleted: true, allowUnconditionalUpdate: false },
}

const volumeAttachment: DefinitionInput = {
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  namespaced: false,
  status: true,
  columns: [
    column('Attacher', (object) => object.spec?.attacher ?? ''),
    column('PV', (object) => object.spec?.source?.persistentVolumeName ?? ''),
    column('Node', (object) => object.spec?.nodeName ?? ''),
    column('Attached', (object) => object.status?.attached ?? false, 'boolean'),
    ageColumn,
  ],
  strategy: statusStrategy(() => ({ attached: false }), {
    returnsDeleted: true,
    allowUnconditionalUpdate: false,
    countsGeneration: false,
  }),
}

const volumeAttributesClass: DefinitionInput = {
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  namespaced: false,
  columns: [column('DriverName', (object) => object.driverName ?? ''), ageColumn],
  strategy: { returnsDeleted: true },
}

export const storageDefinitions = defineGroup({ group: 'storage.k8s.io', version: 'v1', package: 'storage/v1' }, [
  csiDriver,
  csiNode,
  csiStorageCapacity,
  storageClass,
  volumeAttachment,
  volumeAttributesClass,
])
