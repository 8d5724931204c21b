/** Defaults and rules for HorizontalPodAutoscalers, in their v2 form. */
import { type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel, pathSegment } from '../names.ts'
import { tryParseQuantity } from '../quantity.ts'
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from '../types.ts'
import { checkContainerResourceName, isPositive } from './resource-rules.ts'
import { obey, oneOf, requireName, requireText } from './rules.ts'

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

/** For an update, `old` is what was there: what was wrong with it already may stay. */
export function checkAutoscaler(hpa: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler | undefined, errors: Errors): void {
  const spec = hpa.spec ?? ({} as HorizontalPodAutoscalerSpec)
  const { minReplicas, maxReplicas = 0, metrics } = spec
  const least = old?.spec?.minReplicas === 0 ? 0 : 1
  if (minReplicas !== undefined && minReplicas < least) {
    errors.push(invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${least}`))
  }
  if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  }
  const grouped = spec.scaleTargetRef?.kind !== 'ReplicationController'
  const wasWrong = old?.spec !== undefined && versionComplaint(old.spec.scaleTargetRef?.apiVersion, grouped) !== undefined
  checkTargetReference(spec.scaleTargetRef, wasWrong ? 'any' : grouped, 'spec.scaleTargetRef', errors)
  metrics?.forEach((metric, index) => {
    checkMetric(metric, `spec.metrics[${index}]`, errors)
  })
  if (minReplicas === 0 && !metrics?.some(({ type }) => type === 'Object' || type === 'External')) {
    const detail = 'must specify at least one Object or External metric to support scaling to zero replicas'
    errors.push(forbidden('spec.metrics', detail))
  }
  checkScaling(spec.behavior?.scaleUp, 'spec.behavior.scaleUp', errors)
  checkScaling(spec.behavior?.scaleDown, 'spec.behavior.scaleDown', errors)
}

/** `grouped`: the version must name a group; `any`: it is not looked at. */
function checkTargetReference(
  reference: CrossVersionObjectReference | undefined,
  grouped: boolean | 'any',
  path: string,
  errors: Errors,
): void {
  requireName(reference?.kind, pathSegment, `${path}.kind`, errors)
  requireName(reference?.name, pathSegment, `${path}.name`, errors)
  if (grouped === 'any') return
  const complaint = versionComplaint(reference?.apiVersion, grouped)
  if (complaint) errors.push(invalid(`${path}.apiVersion`, reference?.apiVersion ?? '', complaint))
}

function versionComplaint(version = '', grouped: boolean): string | undefined {
  const parts = version.split('/')
  if (parts.length > 2) return `unexpected GroupVersion string: ${version}`
  return grouped && (parts.length < 2 || parts[0] === '') ? 'apiVersion must specify API group' : undefined
}

/** By type, in the order in which the first that is given is looked at. */
const METRIC_SOURCES = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const
const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

function checkMetric(metric: MetricSpec, path: string, errors: Errors): void {
  const { type = '' } = metric
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric source type'))
  const expected = METRIC_SOURCES[type as keyof typeof METRIC_SOURCES]
  // Kubernetes asks this twice, and says so twice.
  const unknown = notSupported(`${path}.type`, type, METRIC_TYPES)
  if (!expected) errors.push(unknown, unknown)
  const given = Object.values(METRIC_SOURCES).filter((source) => metric[source])
  if (given[0]) checkSource(metric, given[0], `${path}.${given[0]}`, errors)
  if (expected && !metric[expected]) {
    errors.push(required(`${path}.${expected}`, `must populate information for the given metric source`))
  }
  if (given.length < 2) return
  for (const source of given) {
    if (source !== expected) errors.push(forbidden(`${path}.${source}`, 'must populate the given metric source only'))
  }
}

function checkSource(metric: MetricSpec, source: keyof MetricSpec, path: string, errors: Errors): void {
  const { object, external, pods, resource, containerResource } = metric
  const target = (metric[source] as { target?: MetricTarget }).target ?? ({} as MetricTarget)
  if (source === 'object') checkTargetReference(object?.describedObject, false, `${path}.describedObject`, errors)
  const named = source === 'object' ? object : source === 'external' ? external : source === 'pods' ? pods : undefined
  if (named) checkMetricName(named.metric?.name, `${path}.metric.name`, errors)
  if (source === 'resource') requireText(resource?.name, `${path}.name`, errors, 'must specify a resource name')
  if (source === 'containerResource') {
    const { name, container } = containerResource ?? {}
    if (!name) errors.push(required(`${path}.name`, 'must specify a resource name'))
    else checkContainerResourceName(name, `${path}.name`, errors)
    if (!container) errors.push(required(`${path}.container`, 'must specify a container'))
    else obey(container, dnsLabel, `${path}.container`, errors)
  }
  checkTarget(target, `${path}.target`, errors)
  checkAmounts(target, source, `${path}.target`, errors)
}

function checkMetricName(name: string | undefined, path: string, errors: Errors): void {
  if (!name) errors.push(required(path, 'must specify a metric name'))
  else obey(name, pathSegment, path, errors)
}

function checkTarget({ type = '', ...amounts }: MetricTarget, path: string, errors: Errors): void {
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric target type'))
  if (!['Utilization', 'Value', 'AverageValue'].includes(type)) {
    errors.push(invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  }
  for (const name of ['value', 'averageValue'] as const) {
    const amount = amounts[name]
    if (amount !== undefined && !isPositive(amount)) errors.push(invalid(`${path}.${name}`, amount, 'must be positive'))
  }
  const percent = amounts.averageUtilization
  if (percent !== undefined && percent < 1) {
    errors.push(invalid(`${path}.averageUtilization`, percent, 'must be greater than 0'))
  }
}

/** Which amounts the target of a source must and may have. */
function checkAmounts(target: MetricTarget, source: keyof MetricSpec, path: string, errors: Errors): void {
  const { value, averageValue: average, averageUtilization: percent } = target
  const neither = value === undefined && average === undefined
  if (source === 'object') {
    const detail = 'must set either a target value or averageValue'
    if (neither) errors.push(required(`${path}.averageValue`, detail))
  } else if (source === 'external') {
    const both = 'a target value for metric'
    if (neither) errors.push(required(`${path}.averageValue`, `must set either ${both} or a per-pod target`))
    if (value !== undefined && average !== undefined) {
      errors.push(forbidden(`${path}.value`, `may not set both ${both} and a per-pod target`))
    }
  } else if (source === 'pods') {
    if (average === undefined) errors.push(required(`${path}.averageValue`, 'must specify a positive target averageValue'))
  } else {
    const both = 'a target raw value'
    if (percent === undefined && average === undefined) {
      errors.push(required(`${path}.averageUtilization`, `must set either ${both} or a target utilization`))
    }
    if (percent !== undefined && average !== undefined) {
      errors.push(forbidden(`${path}.averageValue`, `may not set both ${both} and a target utilization`))
    }
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
  const tolerance = tryParseQuantity(rules.tolerance)
  if (tolerance && tolerance.nano < 0n) {
    errors.push(invalid(`${path}.tolerance`, rules.tolerance, 'must be greater or equal to zero'))
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
