/** ReplicationController: so many pods of one template. */
import type { Errors } from '../field-errors.ts'
import { required } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import { setSelector } from '../selectors.ts'
import type { ReplicationController } from '../types.ts'
import { ageColumn, column, labelsColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, scaleSubresource, statusStrategy } from './define.ts'
import { defaultTemplate } from './pod-defaults.ts'
import { checkReplicaCounts } from './replica-set.ts'
import { collect, nonNegative } from './rules.ts'
import { checkRunningTemplate } from './workload-rules.ts'
import { namedTemplateWarnings } from './workload-warnings.ts'

const controller = (object: KubeObject) => object as ReplicationController

/** Selector and labels are taken from the template's labels where they are left open. */
function setDefaults(controller: ReplicationController): void {
  controller.spec ??= {}
  const { spec } = controller
  const labels = spec.template?.metadata?.labels
  if (labels && Object.keys(labels).length > 0) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
    if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels }
  }
  spec.replicas ??= 1
  // Zero is not written, as Kubernetes does not.
  if (spec.minReadySeconds === 0) delete spec.minReadySeconds
  if (spec.template) defaultTemplate(spec.template)
}

function check(controller: ReplicationController, errors: Errors): void {
  const spec = controller.spec ?? {}
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors)
  nonNegative(spec.replicas, 'spec.replicas', errors)
  if (Object.keys(spec.selector ?? {}).length === 0) errors.push(required('spec.selector'))
  if (!spec.template) errors.push(required('spec.template'))
  else checkRunningTemplate(spec.template, setSelector(spec.selector), 'ReplicationController', errors)
}

const validate = (object: KubeObject) => collect((errors) => check(controller(object), errors))

export const replicationController: DefinitionInput = {
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  status: true,
  subresources: [scaleSubresource('spec.selector')],
  columns: [
    column('Desired', (object) => object.spec?.replicas ?? 0, 'integer'),
    column('Current', (object) => object.status?.replicas ?? 0, 'integer'),
    column('Ready', (object) => object.status?.readyReplicas ?? 0, 'integer'),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    labelsColumn((object) => object.spec?.selector),
  ],
  selectableFields: { 'status.replicas': (object) => String(object.status?.replicas ?? 0) },
  strategy: statusStrategy(() => ({ replicas: 0 }), {
    defaults: (object) => setDefaults(controller(object)),
    validate,
    validateUpdate: validate,
    warnings: namedTemplateWarnings,
    validateStatusUpdate: (object) => collect((errors) => checkReplicaCounts(object.status, errors)),
    defaultPropagation: 'Orphan',
  }),
}
