/**
 * What an autoscaler does next, from what was evaluated: the replicas to have, the reason that is given for it, and the conditions. Pure.
 */
import type { HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerSpec, MetricSpec, MetricStatus } from '../../api/types.ts'
import type { Evaluated, MetricFailure } from './evaluate.ts'
import { type History, pace } from './pace.ts'

/** A condition without its time, which is set where it is written. */
export type Said = Pick<HorizontalPodAutoscalerCondition, 'type' | 'status' | 'reason' | 'message'>

/** What all metrics together ask for. */
export interface Summary {
  /** The metric that asks for most, with its number; undefined when nothing can be concluded. */
  readonly highest: Pick<Evaluated, 'replicas' | 'name'> | undefined
  readonly statuses: readonly MetricStatus[]
  readonly condition: Said
  /** Why some metrics ask for nothing. */
  readonly failure: string | undefined
}

/** The metric that asks for most decides; one that fails keeps the target from shrinking, and the last one from all. */
export function summarize(outcomes: readonly (Evaluated | MetricFailure)[], currentReplicas: number): Summary {
  const failures = outcomes.filter((one): one is MetricFailure => one instanceof Error)
  const evaluated = outcomes.filter((one): one is Evaluated => !(one instanceof Error))
  const statuses = outcomes.map((one): MetricStatus => (one instanceof Error ? { type: '' } : one.status))
  const highest = evaluated.reduce<Evaluated | undefined>(
    (most, one) => (most === undefined || one.replicas > most.replicas ? one : most),
    undefined,
  )
  const [first] = failures
  const failure =
    first && `invalid metrics (${failures.length} invalid out of ${outcomes.length}), first error is: ${first.summary}`
  if (!highest || (first && highest.replicas < currentReplicas)) {
    const message = `the HPA was unable to compute the replica count: ${first?.message ?? ''}`
    return { highest: undefined, statuses, failure, condition: inactive(first?.reason ?? '', message) }
  }
  const message = `the HPA was able to successfully calculate a replica count from ${highest.name}`
  return { highest, statuses, failure, condition: active('ValidMetricFound', message) }
}

export interface Decision {
  readonly replicas: number
  /** Why the number changes, as the event says it; empty when it does not. */
  readonly reason: string
  readonly conditions: readonly Said[]
}

/** Outside the bounds, or with nothing to scale, no metric matters. Undefined when they do. */
export function decideWithoutMetrics(spec: HorizontalPodAutoscalerSpec, current: number): Decision | undefined {
  const { minReplicas = 1, maxReplicas } = spec
  if (current === 0 && minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    return { replicas: 0, reason: '', conditions: [inactive('ScalingDisabled', message)] }
  }
  if (current > maxReplicas)
    return { replicas: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas', conditions: [] }
  if (current < minReplicas)
    return { replicas: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas', conditions: [] }
  return undefined
}

/** From the number that metrics ask for to the one that is set. */
export function decide(
  spec: HorizontalPodAutoscalerSpec,
  current: number,
  { replicas: wanted, name }: Pick<Evaluated, 'replicas' | 'name'>,
  history: History,
  nowMs: number,
): Decision {
  const { replicas, able, limited } = pace(spec, current, wanted, history, nowMs)
  const { isLimited, ...said } = limited
  const reason = wanted > current ? `${name} above target` : 'All metrics below target'
  return {
    replicas,
    reason: replicas === current ? '' : reason,
    conditions: [
      { type: 'AbleToScale', status: 'True', ...able },
      { type: 'ScalingLimited', status: isLimited ? 'True' : 'False', ...said },
    ],
  }
}

/** The conditions with these in place of what was said before; the time is that of the last change of a status. */
export function withConditions(
  before: readonly HorizontalPodAutoscalerCondition[],
  said: readonly Said[],
  now: string,
): HorizontalPodAutoscalerCondition[] {
  const conditions = [...before]
  for (const one of said) {
    const index = conditions.findIndex(({ type }) => type === one.type)
    const old = conditions[index]
    const lastTransitionTime = old?.status === one.status ? old.lastTransitionTime : now
    const next = { ...one, ...(lastTransitionTime !== undefined && { lastTransitionTime }) }
    if (old) conditions[index] = next
    else conditions.push(next)
  }
  return conditions
}

export function active(reason: string, message: string): Said {
  return { type: 'ScalingActive', status: 'True', reason, message }
}

export function inactive(reason: string, message: string): Said {
  return { type: 'ScalingActive', status: 'False', reason, message }
}

export function able(status: 'True' | 'False', reason: string, message: string): Said {
  return { type: 'AbleToScale', status, reason, message }
}

/** What is watched when nothing is said, as the API's defaults have it. */
export function metricsOf({ metrics }: HorizontalPodAutoscalerSpec): readonly MetricSpec[] {
  const target = { type: 'Utilization', averageUtilization: 80 }
  return metrics?.length ? metrics : [{ type: 'Resource', resource: { name: 'cpu', target } }]
}
