/** DaemonSet: one pod for every node. */
import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { invalid, notSupported, required } from '../field-errors.ts'
import type { KubeObject } from '../object.ts'
import { formatLabels } from '../selectors.ts'
import type { DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy } from '../types.ts'
import { ageColumn, column, selectorColumn, templateColumns } from './columns.ts'
import { type DefinitionInput, statusStrategy } from './define.ts'
import { defaultTemplate } from './pod-defaults.ts'
import { checkAtMostAll, checkCountOrPercent, checkImmutable, collect, nonNegative } from './rules.ts'
import { checkCounts, checkRunningTemplate, checkWorkloadSelector } from './workload-rules.ts'
import { templateWarnings } from './workload-warnings.ts'

const set = (object: KubeObject) => object as unknown as DaemonSet
const zeroStatus = () => ({ currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 })

/** Counts the versions of the template: a field of apps/v1's forerunners that lives on as an annotation. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

function setDefaults(set: DaemonSet): void {
  set.spec ??= {} as DaemonSetSpec
  const { spec } = set
  spec.updateStrategy ??= {}
  spec.updateStrategy.type ||= 'RollingUpdate'
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {}
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0
  }
  spec.revisionHistoryLimit ??= 10
  spec.template ??= {}
  defaultTemplate(spec.template)
}

function setTemplateGeneration(object: KubeObject, generation: number): void {
  object.metadata.annotations = { ...object.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) }
}

function check(set: DaemonSet, errors: Errors): void {
  const spec = set.spec as DaemonSetSpec
  const matcher = checkWorkloadSelector(spec.selector, 'daemonset', errors)
  if (matcher) checkRunningTemplate(spec.template, matcher, 'DaemonSet', errors)
  else errors.push(invalid('spec.selector', spec.selector, 'invalid label selector'))
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors)
  nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors)
  checkStrategy(spec.updateStrategy ?? {}, errors)
}

function checkStrategy(strategy: DaemonSetUpdateStrategy, errors: Errors): void {
  const path = 'spec.updateStrategy'
  const { type, rollingUpdate } = strategy
  if (type === 'OnDelete') return
  if (type !== 'RollingUpdate') {
    const value = { Type: type ?? '', RollingUpdate: rollingUpdate ?? null }
    errors.push(notSupported(path, value, ['RollingUpdate', 'OnDelete']))
    return
  }
  if (!rollingUpdate) return void errors.push(required(`${path}.rollingUpdate`))
  for (const field of ['maxUnavailable', 'maxSurge'] as const) {
    checkCountOrPercent(rollingUpdate[field], `${path}.rollingUpdate.${field}`, errors)
    checkAtMostAll(rollingUpdate[field], `${path}.rollingUpdate.${field}`, errors)
  }
  const surges = !isZero(rollingUpdate.maxSurge)
  const drops = !isZero(rollingUpdate.maxUnavailable)
  if (surges && drops) {
    const detail = 'may not be set when maxUnavailable is non-zero'
    errors.push(invalid(`${path}.rollingUpdate.maxSurge`, rollingUpdate.maxSurge, detail))
  }
  if (!surges && !drops) errors.push(required(`${path}.rollingUpdate.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
}

const isZero = (value: number | string | undefined) => value === undefined || Number.parseInt(String(value), 10) === 0

const COUNTS = [
  ...['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady', 'observedGeneration'],
  ...['updatedNumberScheduled', 'numberAvailable', 'numberUnavailable'],
]

export const daemonSet: DefinitionInput = {
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  status: true,
  columns: [
    column('Desired', (object) => object.status?.desiredNumberScheduled ?? 0, 'integer'),
    column('Current', (object) => object.status?.currentNumberScheduled ?? 0, 'integer'),
    column('Ready', (object) => object.status?.numberReady ?? 0, 'integer'),
    column('Up-to-date', (object) => object.status?.updatedNumberScheduled ?? 0, 'integer'),
    column('Available', (object) => object.status?.numberAvailable ?? 0, 'integer'),
    column('Node Selector', (object) => formatLabels(object.spec?.template?.spec?.nodeSelector)),
    ageColumn,
    ...templateColumns((object) => object.spec?.template?.spec),
    selectorColumn((object) => object.spec?.selector),
  ],
  strategy: statusStrategy(zeroStatus, {
    defaults: (object) => setDefaults(set(object)),
    prepareForCreate: (object) => {
      object.status = zeroStatus()
      setTemplateGeneration(object, 1)
    },
    prepareForUpdate: (object, old) => {
      object.status = old.status
      const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0)
      setTemplateGeneration(object, equal(object.spec?.template, old.spec?.template) ? before : before + 1)
    },
    validate: (object) => collect((errors) => check(set(object), errors)),
    validateUpdate: (object, old) =>
      collect((errors) => {
        check(set(object), errors)
        checkImmutable(object.spec?.selector, old.spec?.selector, 'spec.selector', errors)
      }),
    warnings: templateWarnings,
    validateStatusUpdate: (object) => collect((errors) => checkCounts(object.status, COUNTS, [], errors)),
    spelledAnnotations: [TEMPLATE_GENERATION],
  }),
}
