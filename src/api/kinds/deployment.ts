/** Deployment: ReplicaSets, one of them current, and how to get from one to the next. */
import type { Errors } from '../field-errors.ts'
import { forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import type { Deployment, DeploymentSpec, DeploymentStrategy } from '../types.ts'
import { ageColumn, column, selectorColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, scaleSubresource, statusStrategy } from './define.ts'
import { defaultTemplate } from './pod-defaults.ts'
import { checkAtMostAll, checkCountOrPercent, checkImmutable, collect, nonNegative } from './rules.ts'
import { checkCounts, checkRunningTemplate, checkWorkloadSelector } from './workload-rules.ts'
import { namedTemplateWarnings } from './workload-warnings.ts'

const deployment_ = (object: KubeObject) => object as unknown as Deployment

function setDefaults(deployment: Deployment): void {
  deployment.spec ??= {} as DeploymentSpec
  const { spec } = deployment
  spec.replicas ??= 1
  spec.strategy ??= {}
  spec.strategy.type ||= 'RollingUpdate'
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {}
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%'
    spec.strategy.rollingUpdate.maxSurge ??= '25%'
  }
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
  spec.template ??= {}
  defaultTemplate(spec.template)
}

function check(deployment: Deployment, errors: Errors): void {
  const spec = deployment.spec as DeploymentSpec
  nonNegative(spec.replicas, 'spec.replicas', errors)
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors)
  nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors)
  const matcher = checkWorkloadSelector(spec.selector, 'deployment', errors)
  if (matcher) checkRunningTemplate(spec.template, matcher, 'Deployment', errors)
  else errors.push(invalid('spec.selector', spec.selector, 'invalid label selector'))
  checkStrategy(spec.strategy ?? {}, errors)
  const deadline = spec.progressDeadlineSeconds
  if (deadline === undefined) return
  nonNegative(deadline, 'spec.progressDeadlineSeconds', errors)
  if (deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'))
  }
}

function checkStrategy(strategy: DeploymentStrategy, errors: Errors): void {
  const path = 'spec.strategy'
  const { type, rollingUpdate } = strategy
  if (type === 'Recreate') {
    if (rollingUpdate) errors.push(forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'"))
  } else if (type !== 'RollingUpdate') {
    const value = { Type: type ?? '', RollingUpdate: rollingUpdate ?? null }
    errors.push(notSupported(path, value, ['Recreate', 'RollingUpdate']))
  } else if (!rollingUpdate) errors.push(required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil'))
  else {
    const { maxUnavailable, maxSurge } = rollingUpdate
    checkCountOrPercent(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, errors)
    checkCountOrPercent(maxSurge, `${path}.rollingUpdate.maxSurge`, errors)
    if (isZero(maxUnavailable) && isZero(maxSurge)) {
      errors.push(invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
    }
    checkAtMostAll(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, errors)
  }
}

const isZero = (value: number | string | undefined) => value === undefined || value === 0 || /^0+%$/.test(String(value))

const COUNTS = [
  ...['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas'],
  'collisionCount',
]
const PARTS = [
  ['updatedReplicas', 'replicas', 'status.replicas'],
  ['readyReplicas', 'replicas', 'status.replicas'],
  ['availableReplicas', 'replicas', 'status.replicas'],
  ['availableReplicas', 'readyReplicas', 'readyReplicas'],
] as const

function checkStatus(deployment: KubeObject, old: KubeObject, errors: Errors): void {
  checkCounts(deployment.status, COUNTS, PARTS, errors)
  const collisions = deployment.status?.collisionCount ?? 0
  if (collisions < (old.status?.collisionCount ?? 0))
    errors.push(invalid('status.collisionCount', collisions, 'cannot be decremented'))
}

export const deployment: DefinitionInput = {
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  status: true,
  subresources: [scaleSubresource('spec.selector')],
  columns: [
    column('Ready', (object) => `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`),
    column('Up-to-date', (object) => object.status?.updatedReplicas ?? 0),
    column('Available', (object) => object.status?.availableReplicas ?? 0),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    selectorColumn((object) => object.spec?.selector),
  ],
  strategy: statusStrategy(() => ({}), {
    defaults: (object) => setDefaults(deployment_(object)),
    validate: (object) => collect((errors) => check(deployment_(object), errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        check(deployment_(object), errors)
        checkImmutable(object.spec?.selector, old.spec?.selector, 'spec.selector', errors)
      }),
    warnings: namedTemplateWarnings,
    validateStatusUpdate: (object, old) => collect((errors) => checkStatus(object, old, errors)),
    generationMetadata: ['annotations'],
  }),
}
