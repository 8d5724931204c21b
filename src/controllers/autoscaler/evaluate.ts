/** One metric of an autoscaler: what is measured, how many replicas it asks for, and how the status shows it. */
import { formatQuantity, milliQuantity, parseQuantity, quantityMilliValue } from '../../api/quantity.ts'
import type {
  ContainerResourceMetricSource,
  ExternalMetricSource,
  LabelSelector,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  ObjectMetricSource,
  PodsMetricSource,
  ResourceMetricSource,
} from '../../api/types.ts'
import type { MetricsSource } from './metrics-source.ts'
import { byAverage, byShare, byUtilization, byValue, MetricError, type Proposal, type Situation } from './proposal.ts'

/** Where and of what it is measured. */
export interface Measured extends Situation {
  readonly namespace: string
  /** Of the target's pods. */
  readonly selector: string
  /** As the target's status has it. */
  readonly statusReplicas: number
}

export interface Evaluated {
  readonly replicas: number
  /** As conditions and events name the metric. */
  readonly name: string
  readonly status: MetricStatus
}

/** Why a metric asks for nothing: the reason of the condition ScalingActive, and its text without what is before it there. */
export class MetricFailure extends Error {
  override name = 'MetricFailure'
  readonly reason: string
  /** The message as the summary of all metrics has it. */
  readonly summary: string
  constructor(reason: string, message: string, summary: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
    this.summary = `${summary}: ${message}`
  }
}

/** Throws MetricFailure. */
export async function evaluate(spec: MetricSpec, measured: Measured, source: MetricsSource): Promise<Evaluated> {
  const { type, resource, containerResource, pods, object, external } = spec
  switch (type) {
    case 'Resource':
      return failing('FailedGetResourceMetric', `failed to get ${resource?.name} resource metric value`, async () => {
        const { name, proposal, current } = await ofResource(resource!, measured, source)
        return { name, replicas: proposal.replicas, status: { type, resource: { name: resource!.name, current } } }
      })
    case 'ContainerResource':
      return failing(
        'FailedGetContainerResourceMetric',
        `failed to get ${containerResource?.name} container metric value`,
        async () => {
          const { name, proposal, current } = await ofResource(containerResource!, measured, source)
          const { container } = containerResource!
          const status = { type, containerResource: { name: containerResource!.name, container, current } }
          return { name, replicas: proposal.replicas, status }
        },
      )
    case 'Pods':
      return failing('FailedGetPodsMetric', 'failed to get pods metric value', () => ofPods(pods!, measured, source))
    case 'Object':
      return failing('FailedGetObjectMetric', 'failed to get object metric value', () => ofObject(object!, measured, source))
    case 'External':
      return failing('FailedGetExternalMetric', `failed to get ${external?.metric.name} external metric value`, () =>
        ofExternal(external!, measured, source),
      )
    default:
      throw new MetricFailure(
        'InvalidMetricSourceType',
        `unknown metric source type ${JSON.stringify(type)}`,
        'unable to compute the replica count',
      )
  }
}

async function failing(reason: string, summary: string, work: () => Promise<Evaluated>): Promise<Evaluated> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof MetricError)) throw error
    throw new MetricFailure(reason, error.message, summary, { cause: error })
  }
}

/** Puts what was being done before the message of a MetricError. */
async function saying<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof MetricError)) throw error
    throw new MetricError(`${what}: ${error.message}`, { cause: error })
  }
}

async function ofResource(
  { name: resource, target, ...more }: ResourceMetricSource | ContainerResourceMetricSource,
  measured: Measured,
  source: MetricsSource,
): Promise<{ name: string; proposal: Proposal; current: MetricValueStatus }> {
  const { container } = more as { container?: string }
  const fetched = () =>
    saying(`unable to get metrics for resource ${resource}`, () =>
      source.resource(measured.namespace, measured.selector, resource, container),
    )
  const { averageValue, averageUtilization: percent } = target
  if (averageValue !== undefined) {
    const amount = milli(averageValue)
    const proposal = await saying(`failed to get ${resource} usage`, async () =>
      byAverage(measured, amount, await fetched(), resource),
    )
    return { name: `${resource} resource`, proposal, current: { averageValue: shown(proposal.value) } }
  }
  if (percent === undefined)
    throw new MetricError(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    )
  const proposal = await saying(`failed to get ${resource} utilization`, async () =>
    byUtilization(measured, { percent, resource, container }, await fetched()),
  )
  return {
    name: `${resource} resource utilization (percentage of request)`,
    proposal,
    current: {
      ...(proposal.utilization !== undefined && { averageUtilization: proposal.utilization }),
      averageValue: shown(proposal.value),
    },
  }
}

async function ofPods({ metric, target }: PodsMetricSource, measured: Measured, source: MetricsSource): Promise<Evaluated> {
  const { namespace, selector } = measured
  const metrics = await saying(`unable to get metric ${metric.name}`, () => source.pods(namespace, selector, metric))
  const { replicas, value } = byAverage(measured, amountOf(target.averageValue), metrics)
  const status = { type: 'Pods', pods: { metric, current: { averageValue: shown(value) } } }
  return { replicas, name: `pods metric ${metric.name}`, status }
}

async function ofObject(
  { describedObject, metric, target }: ObjectMetricSource,
  measured: Measured,
  source: MetricsSource,
): Promise<Evaluated> {
  const { namespace } = measured
  const { kind, name } = describedObject
  const value = await saying(`unable to get metric ${metric.name}: ${kind} on ${namespace} ${name}`, () =>
    source.object(namespace, describedObject, metric),
  )
  const { replicas, current } = ofOneValue(target, measured, value)
  const status = { type: 'Object', object: { describedObject, metric, current } }
  return { replicas, name: `${kind} metric ${metric.name}`, status }
}

async function ofExternal(
  { metric, target }: ExternalMetricSource,
  measured: Measured,
  source: MetricsSource,
): Promise<Evaluated> {
  const { namespace } = measured
  const selector = shownSelector(metric.selector)
  const value = await saying(`failed to get ${metric.name} external metric`, () =>
    saying(`unable to get external metric ${namespace}/${metric.name}/${selector}`, () => source.external(namespace, metric)),
  )
  const { replicas, current } = ofOneValue(target, measured, value)
  const status = { type: 'External', external: { metric, current } }
  return { replicas, name: `external metric ${metric.name}(${selector})`, status }
}

function ofOneValue(
  { value: whole, averageValue }: MetricTarget,
  measured: Measured,
  value: number,
): { replicas: number; current: MetricValueStatus } {
  if (averageValue !== undefined) {
    const shared = byShare(measured.statusReplicas, measured.tolerance, milli(averageValue), value)
    return { replicas: shared.replicas, current: { averageValue: shown(shared.value) } }
  }
  const { replicas } = byValue(measured, amountOf(whole), value)
  return { replicas, current: { value: shown(value) } }
}

function amountOf(text: string | undefined): number {
  if (text === undefined)
    throw new MetricError('invalid metric source: neither a value target nor an average value target was set')
  return milli(text)
}

/** As Go prints a pointer to one. */
function shownSelector(selector: LabelSelector | undefined): string {
  if (!selector) return 'nil'
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const pairs = labels.map(([key, value]) => `${key}: ${value},`).join('')
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${pairs}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}

const milli = (text: string): number => quantityMilliValue(parseQuantity(text))
const shown = (thousandths: number): string => formatQuantity(milliQuantity(thousandths))
