/** storage.k8s.io/v1. */
import type { Column } from '../definition.ts'
import { equal } from '../equal.ts'
import { duplicate, type Errors, forbidden, invalid, required } from '../field-errors.ts'
import { dnsSubdomain, qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { CSINode, StorageClass, StorageV1TokenRequest } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'
import { checkImmutable, collect, obey, oneOf, requireName, requireText } from './rules.ts'

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
    returnsDeleted: true,
  },
}

function checkClass(storageClass: StorageClass, errors: Errors): void {
  const { provisioner, reclaimPolicy, volumeBindingMode } = storageClass
  if (!provisioner) errors.push(required('provisioner'))
  else {
    for (const complaint of qualifiedName(provisioner.toLowerCase())) errors.push(invalid('provisioner', provisioner, complaint))
  }
  for (const name in storageClass.parameters) if (name === '') errors.push(invalid('parameters', name, 'field can not be empty.'))
  oneOf(reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy', errors)
  if (!volumeBindingMode) errors.push(required('volumeBindingMode'))
  else oneOf(volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode', errors)
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
    validate: (object) => collect((errors) => checkDriver(object, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        checkDriver(object, errors)
        for (const field of ['attachRequired', 'volumeLifecycleModes']) {
          checkImmutable(object.spec[field], old.spec?.[field], `spec.${field}`, errors)
        }
      }),
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

function checkDriver(driver: KubeObject, errors: Errors): void {
  const { spec } = driver
  oneOf(spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], 'spec.fsGroupPolicy', errors)
  spec.volumeLifecycleModes?.forEach((mode: string) => {
    oneOf(mode, ['Ephemeral', 'Persistent'], 'spec.volumeLifecycleModes', errors)
  })
  const audiences = new Set<string>()
  spec.tokenRequests?.forEach(({ audience }: StorageV1TokenRequest, index: number) => {
    if (audiences.has(audience)) errors.push(duplicate(`spec.tokenRequests[${index}].audience`, audience))
    audiences.add(audience)
  })
}

const csiNode: DefinitionInput = {
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
  columns: [column('Drivers', (object) => object.spec?.drivers?.length ?? 0, 'integer'), ageColumn],
  strategy: {
    validate: (object) => collect((errors) => checkNode(object as unknown as CSINode, errors)),
    validateUpdate: (object) => collect((errors) => checkNode(object as unknown as CSINode, errors)),
    returnsDeleted: true,
    allowUnconditionalUpdate: false,
  },
}

function checkNode(node: CSINode, errors: Errors): void {
  const names = new Set<string>()
  node.spec?.drivers?.forEach((driver, index) => {
    const path = `spec.drivers[${index}]`
    requireName(driver.name, (name) => dnsSubdomain(name.toLowerCase()), `${path}.name`, errors)
    if (names.has(driver.name)) errors.push(duplicate(`${path}.name`, driver.name))
    names.add(driver.name)
    requireText(driver.nodeID, `${path}.nodeID`, errors)
    driver.topologyKeys?.forEach((key) => {
      obey(key, qualifiedName, path, errors)
    })
  })
}

const csiStorageCapacity: DefinitionInput = {
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  columns: [
    column('StorageClassName', (object) => object.storageClassName ?? ''),
    column('Capacity', (object) => object.capacity ?? '<unset>'),
  ],
  strategy: {
    validate: (object) => collect((errors) => requireName(object.storageClassName, dnsSubdomain, 'storageClassName', errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        for (const field of ['nodeTopology', 'storageClassName']) checkImmutable(object[field], old[field], field, errors)
      }),
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
    validate: (object) => collect((errors) => checkAttachment(object, errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        checkAttachment(object, errors)
        if (!equal(object.spec, old.spec)) errors.push(invalid('spec', object.spec, 'field is immutable'))
      }),
    returnsDeleted: true,
    allowUnconditionalUpdate: false,
    countsGeneration: false,
  }),
}

function checkAttachment(attachment: KubeObject, errors: Errors): void {
  const { spec = {} } = attachment
  requireName(spec.attacher, (name) => dnsSubdomain(name.toLowerCase()), 'spec.attacher', errors)
  requireName(spec.nodeName, dnsSubdomain, 'spec.nodeName', errors)
  const { inlineVolumeSpec, persistentVolumeName } = spec.source ?? {}
  if (!inlineVolumeSpec && !persistentVolumeName) {
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'))
  } else if (inlineVolumeSpec && persistentVolumeName) {
    errors.push(forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'))
  }
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
    validate: (object) => collect((errors) => requireName(object.driverName, dnsSubdomain, 'driverName', errors)),
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
