/** storage.k8s.io/v1. */
import type { Column } from '../definition.ts'
import { equal } from '../equal.ts'
import { forbidden, invalid } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  StorageV1TokenRequest,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'
import { nodeLabelComplaint, warnOfNodeSelector } from './node-labels.ts'
import { checkImmutable, collect } from './rules.ts'
import {
  checkAttachment,
  checkAttributesClass,
  checkCapacity,
  checkClass,
  checkDriver,
  checkDriverUpdate,
  checkNode,
  checkNodeUpdate,
} from './storage-rules.ts'

/** A name that says when its class is the default: one of these annotations is true. */
function defaultName(...annotations: string[]): Column {
  const isDefault = (object: KubeObject) => annotations.some((key) => object.metadata.annotations?.[key] === 'true')
  const cell = (object: KubeObject) => (object.metadata.name ?? '') + (isDefault(object) ? ' (default)' : '')
  return { ...column('Name', cell), format: 'name' }
}

const storageClass: DefinitionInput = {
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  nameColumn: false,
  columns: [
    defaultName('storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'),
    column('Provisioner', (object) => object.provisioner ?? ''),
    column('ReclaimPolicy', (object) => object.reclaimPolicy ?? ''),
    column('VolumeBindingMode', (object) => object.volumeBindingMode ?? ''),
    column('AllowVolumeExpansion', (object) => object.allowVolumeExpansion ?? false),
    ageColumn,
  ],
  strategy: {
    defaults: (object) => {
      object.reclaimPolicy ??= 'Delete'
      object.volumeBindingMode ??= 'Immediate'
    },
    validate: (object) => collect((errors) => checkClass(object as unknown as StorageClass, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        checkClass(object as unknown as StorageClass, errors)
        for (const field of ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode']) {
          checkImmutable(object[field], old[field], field, errors)
        }
      }),
    warnings: (object) => topologyWarnings(object as unknown as StorageClass),
    returnsDeleted: true,
  },
}

function topologyWarnings({ allowedTopologies = [] }: StorageClass): string[] {
  return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, index) =>
    matchLabelExpressions.flatMap(({ key }, i) => {
      const complaint = nodeLabelComplaint(key)
      return complaint ? [`allowedTopologies[${index}].matchLabelExpressions[${i}].key: ${complaint}`] : []
    }),
  )
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
  strategy: {
    defaults: defaultDriver,
    validate: (object) => collect((errors) => checkDriver(object as CSIDriver, errors)),
    validateUpdate: (object, old) => collect((errors) => checkDriverUpdate(object as CSIDriver, old as CSIDriver, errors)),
    countsGeneration: true,
    generationBegins: 'update',
    returnsDeleted: true,
    allowUnconditionalUpdate: false,
  },
}

function defaultDriver(driver: KubeObject): void {
  driver.spec ??= {}
  const { spec } = driver
  spec.attachRequired ??= true
  spec.podInfoOnMount ??= false
  spec.storageCapacity ??= false
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
  if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
  spec.requiresRepublish ??= false
  spec.seLinuxMount ??= false
}

const csiNode: DefinitionInput = {
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
  columns: [column('Drivers', (object) => object.spec?.drivers?.length ?? 0, 'integer'), ageColumn],
  strategy: {
    validate: (object) => collect((errors) => checkNode(object as CSINode, errors)),
    validateUpdate: (object, old) => collect((errors) => checkNodeUpdate(object as CSINode, old as CSINode, errors)),
    returnsDeleted: true,
    allowUnconditionalUpdate: false,
  },
}

const csiStorageCapacity: DefinitionInput = {
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  columns: [
    column('StorageClassName', (object) => object.storageClassName ?? ''),
    column('Capacity', (object) => object.capacity ?? '<unset>'),
  ],
  strategy: {
    validate: (object) => collect((errors) => checkCapacity(object as unknown as CSIStorageCapacity, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        checkCapacity(object as unknown as CSIStorageCapacity, errors)
        for (const field of ['nodeTopology', 'storageClassName']) checkImmutable(object[field], old[field], field, errors)
      }),
    warnings: (object) => {
      const warnings: string[] = []
      warnOfNodeSelector(object.nodeTopology, 'nodeTopology', warnings)
      return warnings
    },
    returnsDeleted: true,
    allowUnconditionalUpdate: false,
  },
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
    validate: (object) => collect((errors) => checkAttachment(object as VolumeAttachment, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        checkAttachment(object as VolumeAttachment, errors)
        if (!equal(object.spec, old.spec)) errors.push(invalid('spec', object.spec, 'field is immutable'))
      }),
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
  nameColumn: false,
  columns: [
    defaultName('volumeattributesclass.alpha.kubernetes.io/is-default-class'),
    column('DriverName', (object) => object.driverName ?? ''),
    ageColumn,
  ],
  strategy: {
    validate: (object) => collect((errors) => checkAttributesClass(object as VolumeAttributesClass, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        for (const field of ['driverName', 'parameters']) {
          if (!equal(object[field], old[field])) errors.push(forbidden(field, `updates to ${field} are forbidden.`))
        }
      }),
    returnsDeleted: true,
  },
}

export const storageDefinitions = defineGroup({ group: 'storage.k8s.io', version: 'v1', package: 'storage/v1' }, [
  csiDriver,
  csiNode,
  csiStorageCapacity,
  storageClass,
  volumeAttachment,
  volumeAttributesClass,
])
