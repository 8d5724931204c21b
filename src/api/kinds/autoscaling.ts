/** HorizontalPodAutoscaler in autoscaling/v2, which is stored, and autoscaling/v1. */
import type { Column } from '../definition.ts'
import type { KubeObject } from '../object.ts'
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../types.ts'
import { checkAutoscaler, DEFAULT_CPU_PERCENT, defaultAutoscaler } from './autoscaler-rules.ts'
import { fromV2, toV2 } from './autoscaling-v1.ts'
import { ageColumn, column } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'
import { collect, nonNegative } from './rules.ts'

/** As many metrics as kubectl shows before it says how many more there are. */
const SHOWN = 2

/** `cpu: 10%/80%, …` for each metric of an autoscaler in its v2 form. */
function targets(hpa: HorizontalPodAutoscaler): string {
  const specs = hpa.spec?.metrics ?? []
  if (specs.length === 0) return '<none>'
  const texts = specs.map((spec, index) => metric(spec, hpa.status?.currentMetrics?.[index]))
  const more = texts.length - SHOWN
  return more > 0 ? `${texts.slice(0, SHOWN).join(', ')} + ${more} more...` : texts.join(', ')
}

function metric(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'Resource':
      return `${spec.resource?.name}: ${ofResource(status?.resource?.current, spec.resource?.target)}`
    case 'ContainerResource':
      return `${spec.containerResource?.name}: ${ofResource(status?.containerResource?.current, spec.containerResource?.target)}`
    case 'Pods':
      return `${status?.pods?.current?.averageValue ?? '<unknown>'}/${spec.pods?.target?.averageValue ?? ''}`
    case 'Object':
      return ofValue(status?.object?.current, spec.object?.target)
    case 'External':
      return ofValue(status?.external?.current, spec.external?.target)
    default:
      return '<unknown type>'
  }
}

function ofResource(current: MetricValueStatus | undefined, target: MetricTarget | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`
  const percent = (value: number | undefined, absent: string) => (value === undefined ? absent : `${value}%`)
  return `${percent(current?.averageUtilization, '<unknown>')}/${percent(target?.averageUtilization, '<auto>')}`
}

function ofValue(current: MetricValueStatus | undefined, target: MetricTarget | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`
  return `${current?.value ?? '<unknown>'}/${target?.value ?? ''}`
}

function columnsOf(read: (object: object) => HorizontalPodAutoscaler): readonly Column[] {
  return [
    column('Reference', (object) => `${object.spec?.scaleTargetRef?.kind ?? ''}/${object.spec?.scaleTargetRef?.name ?? ''}`),
    column('Targets', (object) => targets(read(object))),
    column('MinPods', (object) => String(object.spec?.minReplicas ?? '<unset>')),
    column('MaxPods', (object) => object.spec?.maxReplicas ?? 0),
    column('Replicas', (object) => object.status?.currentReplicas ?? 0),
    ageColumn,
  ]
}

const shared = {
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  status: true,
}

const asV2 = (object: KubeObject) => object as HorizontalPodAutoscaler
const validate = (object: KubeObject, old?: KubeObject) =>
  collect((errors) => checkAutoscaler(asV2(object), old && asV2(old), errors))
const checkStatus = (object: KubeObject) =>
  collect((errors) => {
    for (const field of ['currentReplicas', 'desiredReplicas']) nonNegative(object.status?.[field], `status.${field}`, errors)
  })

/** v1 knows a CPU target only; other metrics lie in an annotation, and then there is none by default. */
function defaultV1(object: KubeObject): void {
  object.spec ??= {}
  object.spec.minReplicas ??= 1
  const others = object.metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics']
  if (!others) object.spec.targetCPUUtilizationPercentage ??= DEFAULT_CPU_PERCENT
}

const v2: DefinitionInput = {
  ...shared,
  columns: columnsOf((object) => object as HorizontalPodAutoscaler),
  strategy: statusStrategy(() => ({ desiredReplicas: 0, currentMetrics: null }), {
    defaults: (object) => defaultAutoscaler(asV2(object)),
    validate: (object) => validate(object),
    validateUpdate: validate,
    validateStatusUpdate: checkStatus,
    countsGeneration: false,
  }),
}

const v1: DefinitionInput = {
  ...shared,
  storage: { group: 'autoscaling', plural: shared.plural },
  toStorage: toV2,
  fromStorage: fromV2,
  columns: columnsOf((object) => toV2(object as HorizontalPodAutoscaler) as HorizontalPodAutoscaler),
  strategy: statusStrategy(() => ({ currentReplicas: 0, desiredReplicas: 0 }), {
    defaults: (object) => defaultV1(object),
    validate: (object) => validate(toV2(object)),
    validateUpdate: (object, old) => validate(toV2(object), toV2(old)),
    validateStatusUpdate: checkStatus,
    countsGeneration: false,
  }),
}

export const autoscalingDefinitions = [
  ...defineGroup({ group: 'autoscaling', version: 'v2', package: 'autoscaling/v2', preference: 2 }, [v2]),
  ...defineGroup({ group: 'autoscaling', version: 'v1', package: 'autoscaling/v1', preference: 1 }, [v1]),
]
