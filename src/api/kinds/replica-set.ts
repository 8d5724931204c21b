/** ReplicaSet: so many pods of one template, by a selector that may say more than equality. */
import type { Errors } from '../field-errors.ts'
import { invalid } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { ReplicaSet, ReplicaSetSpec } from '../types.ts'
import { ageColumn, column, selectorColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, scaleSubresource, statusStrategy } from './define.ts'
import { defaultTemplate } from './pod-defaults.ts'
import { checkImmutable, collect, nonNegative } from './rules.ts'
import { checkCounts, checkRunningTemplate, checkWorkloadSelector } from './workload-rules.ts'
import { namedTemplateWarnings } from './workload-warnings.ts'

const replicas = (object: KubeObject) => object as unknown as ReplicaSet

function setDefaults(set: ReplicaSet): void {
  set.spec ??= {} as ReplicaSetSpec
  set.spec.replicas ??= 1
  set.spec.template ??= {}
  if (set.spec.minReadySeconds === 0) delete set.spec.minReadySeconds
  defaultTemplate(set.spec.template)
}

function check(set: ReplicaSet, errors: Errors): void {
  const { spec } = set
  nonNegative(spec?.replicas, 'spec.replicas', errors)
  nonNegative(spec?.minReadySeconds, 'spec.minReadySeconds', errors)
  // The word is Kubernetes', though this is no deployment.
  const matcher = checkWorkloadSelector(spec?.selector, 'deployment', errors)
  if (matcher) checkRunningTemplate(spec?.template, matcher, 'ReplicaSet', errors)
  else errors.push(invalid('spec.selector', spec?.selector, 'invalid label selector'))
}

/** The counts of replicas in a status; ReplicationControllers have the same. */
export function checkReplicaCounts(status: Record<string, unknown> | undefined, errors: Errors): void {
  const counts = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration']
  checkCounts(status, counts, PARTS, errors)
}

const PARTS = [
  ['fullyLabeledReplicas', 'replicas', 'status.replicas'],
  ['readyReplicas', 'replicas', 'status.replicas'],
  ['availableReplicas', 'replicas', 'status.replicas'],
  ['availableReplicas', 'readyReplicas', 'readyReplicas'],
] as const

export const replicaSet: DefinitionInput = {
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  status: true,
  subresources: [scaleSubresource('spec.selector')],
  columns: [
    column('Desired', (object) => object.spec?.replicas ?? 0, 'integer'),
    column('Current', (object) => object.status?.replicas ?? 0, 'integer'),
    column('Ready', (object) => object.status?.readyReplicas ?? 0, 'integer'),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    selectorColumn((object) => object.spec?.selector),
  ],
  strategy: statusStrategy(() => ({ replicas: 0 }), {
    defaults: (object) => setDefaults(replicas(object)),
    validate: (object) => collect((errors) => check(replicas(object), errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        check(replicas(object), errors)
        checkImmutable(object.spec?.selector, old.spec?.selector, 'spec.selector', errors)
      }),
    warnings: namedTemplateWarnings,
    validateStatusUpdate: (object) => collect((errors) => checkReplicaCounts(object.status, errors)),
  }),
}
