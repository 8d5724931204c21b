/** Defaults and rules for HorizontalPodAutoscalers, in their v2 form. */
import { type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { pathSegment } from '../names.ts'
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from '../types.ts'
import { isPositive } from './resource-rules.ts'
import { oneOf, requireName, requireText } from './rules.ts'

/** Percent of the requested CPU that pods use on average, where nothing else is asked. */
export const DEFAULT_CPU_PERCENT = 80
const MAX_STABILIZATION_SECONDS = 3600
const MAX_PERIOD_SECONDS = 1800

export function defaultAutoscaler(hpa: HorizontalPodAutoscaler): void {
  hpa.spec ??= {} as HorizontalPodAutoscalerSpec
  const { spec } = hpa
  spec.minReplicas ??= 1
  if (!spec.metrics?.length) {
    const target = { type: 'Utilization', averageUtilization: DEFAULT_CPU_PERCENT }
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  }
  if (spec.behavior) defaultBehavior(spec.behavior)
}

/** Growing is quick, shrinking waits; each direction has its own defaults, and what is given stays. */
function defaultBehavior(behavior: HorizontalPodAutoscalerBehavior): void {
  behavior.scaleUp = {
    ...behavior.scaleUp,
    stabilizationWindowSeconds: behavior.scaleUp?.stabilizationWindowSeconds ?? 0,
    selectPolicy: behavior.scaleUp?.selectPolicy ?? 'Max',
    policies: behavior.scaleUp?.policies ?? [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  }
  behavior.scaleDown = {
    ...behavior.scaleDown,
    selectPolicy: behavior.scaleDown?.selectPolicy ?? 'Max',
    policies: behavior.scaleDown?.policies ?? [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  }
}

export function checkAutoscaler(hpa: HorizontalPodAutoscaler, errors: Errors): void {
  const spec = hpa.spec ?? ({} as HorizontalPodAutoscalerSpec)
  const { minReplicas, maxReplicas = 0 } = spec
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  }
  if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  }
  checkTargetReference(spec.scaleTargetRef, 'spec.scaleTargetRef', errors)
  spec.metrics?.forEach((metric, index) => {
    checkMetric(metric, `spec.metrics[${index}]`, errors)
  })
  checkScaling(spec.behavior?.scaleUp, 'spec.behavior.scaleUp', errors)
  checkScaling(spec.behavior?.scaleDown, 'spec.behavior.scaleDown', errors)
}

function checkTargetReference(reference: CrossVersionObjectReference | undefined, path: string, errors: Errors): void {
  requireName(reference?.kind, pathSegment, `${path}.kind`, errors)
  requireName(reference?.name, pathSegment, `${path}.name`, errors)
}

const METRIC_SOURCES = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  External: 'external',
  ContainerResource: 'containerResource',
} as const
const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

function checkMetric(metric: MetricSpec, path: string, errors: Errors): void {
  if (!metric.type) errors.push(required(`${path}.type`, 'must specify a metric source type'))
  if (!METRIC_TYPES.includes(metric.type)) errors.push(notSupported(`${path}.type`, metric.type, METRIC_TYPES))
  const given = Object.values(METRIC_SOURCES).filter((source) => metric[source])
  for (const extra of given.slice(1)) {
    errors.push(forbidden(`${path}.${extra}`, 'must populate the given metric source only'))
  }
  const expected = METRIC_SOURCES[metric.type as keyof typeof METRIC_SOURCES]
  if (expected && !metric[expected]) {
    errors.push(required(`${path}.${expected}`, `must populate information for the given metric source`))
  }
  if (metric.resource) {
    requireText(metric.resource.name, `${path}.resource.name`, errors, 'must specify a resource name')
    checkTarget(metric.resource.target, `${path}.resource`, true, errors)
  }
  if (metric.containerResource) {
    requireText(metric.containerResource.name, `${path}.containerResource.name`, errors, 'must specify a resource name')
    requireText(
      metric.containerResource.container,
      `${path}.containerResource.container`,
      errors,
      'must specify a container name',
    )
    checkTarget(metric.containerResource.target, `${path}.containerResource`, true, errors)
  }
  for (const source of ['pods', 'object', 'external'] as const) {
    const spec = metric[source]
    if (!spec) continue
    requireText(spec.metric?.name, `${path}.${source}.metric.name`, errors, 'must specify a metric name')
    checkTarget(spec.target, `${path}.${source}`, false, errors)
  }
  if (metric.object) checkTargetReference(metric.object.describedObject, `${path}.object.describedObject`, errors)
}

function checkTarget(target: MetricTarget | undefined, path: string, ofResource: boolean, errors: Errors): void {
  const at = `${path}.target`
  if (!target?.type) errors.push(required(`${at}.type`, 'must specify a metric target type'))
  else if (!['Utilization', 'Value', 'AverageValue'].includes(target.type)) {
    errors.push(invalid(`${at}.type`, target.type, 'must be either Utilization, Value, or AverageValue'))
  }
  const { averageUtilization, averageValue, value } = target ?? {}
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(`${at}.averageUtilization`, averageUtilization, 'must be greater than 0'))
  }
  for (const [name, amount] of [['averageValue', averageValue] as const, ['value', value] as const]) {
    if (amount !== undefined && !isPositive(amount)) errors.push(invalid(`${at}.${name}`, amount, 'must be positive'))
  }
  if (!ofResource) return
  if (averageUtilization === undefined && averageValue === undefined) {
    errors.push(required(`${at}.averageUtilization`, 'must set either a target raw value or a target utilization'))
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    errors.push(forbidden(`${at}.averageValue`, 'may not set both a target raw value and a target utilization'))
  }
}

function checkScaling(rules: HPAScalingRules | undefined, path: string, errors: Errors): void {
  if (!rules) return
  const seconds = rules.stabilizationWindowSeconds
  if (seconds !== undefined && seconds < 0) {
    errors.push(invalid(`${path}.stabilizationWindowSeconds`, seconds, 'must be greater than or equal to zero'))
  }
  if (seconds !== undefined && seconds > MAX_STABILIZATION_SECONDS) {
    const detail = `must be less than or equal to ${MAX_STABILIZATION_SECONDS}`
    errors.push(invalid(`${path}.stabilizationWindowSeconds`, seconds, detail))
  }
  oneOf(rules.selectPolicy, ['Disabled', 'Max', 'Min'], `${path}.selectPolicy`, errors)
  if (!rules.policies?.length) errors.push(required(`${path}.policies`, 'must specify at least one Policy'))
  rules.policies?.forEach((policy, index) => {
    const at = `${path}.policies[${index}]`
    if (policy.type !== 'Pods' && policy.type !== 'Percent')
      errors.push(notSupported(`${at}.type`, policy.type ?? '', ['Percent', 'Pods']))
    if (!(policy.value > 0)) errors.push(invalid(`${at}.value`, policy.value ?? 0, 'must be greater than zero'))
    if (!(policy.periodSeconds > 0))
      errors.push(invalid(`${at}.periodSeconds`, policy.periodSeconds ?? 0, 'must be greater than zero'))
    else if (policy.periodSeconds > MAX_PERIOD_SECONDS) {
      errors.push(invalid(`${at}.periodSeconds`, policy.periodSeconds, `must be less than or equal to ${MAX_PERIOD_SECONDS}`))
    }
  })
}
