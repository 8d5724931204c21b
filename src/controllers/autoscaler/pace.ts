/**
 * How fast a target may grow and shrink: stabilization over recent recommendations, policies over recent changes, and the bounds.
 * Pure; what is remembered comes in as an argument.
 */
import type { HorizontalPodAutoscalerSpec, HPAScalingRules } from '../../api/types.ts'

/** Without another wish, only what was recommended for this long is taken away. */
const DOWNSCALE_STABILIZATION_SECONDS = 300
/** Without another wish, a target at most doubles, or grows to this number. */
const SCALE_UP_FACTOR = 2
const SCALE_UP_MINIMUM = 4

export interface Recommendation {
  readonly replicas: number
  readonly atMs: number
}

/** By how many replicas a target was changed. */
export interface ScaleEvent {
  readonly replicas: number
  readonly atMs: number
}

/** What is remembered of an autoscaler, oldest first. */
export interface History {
  readonly recommendations: readonly Recommendation[]
  readonly ups: readonly ScaleEvent[]
  readonly downs: readonly ScaleEvent[]
}

interface Said {
  readonly reason: string
  readonly message: string
}

/** The replicas to have, and what the conditions AbleToScale and ScalingLimited say of it. */
export interface Paced {
  readonly replicas: number
  readonly able: Said
  readonly limited: Said & { readonly isLimited: boolean }
}

const READY: Said = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
const STABLE_UP: Said = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
}
const STABLE_DOWN: Said = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
}
const IN_RANGE: Said = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' }
const TOO_FEW: Said = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
}
const TOO_MANY: Said = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
}
const UP_LIMIT: Said = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
}
const DOWN_LIMIT: Said = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
}

/** `wanted` is what the metrics ask for. */
export function pace(spec: HorizontalPodAutoscalerSpec, current: number, wanted: number, history: History, nowMs: number): Paced {
  const stable = spec.behavior
    ? stabilize(spec, current, wanted, history, nowMs)
    : highest(wanted, history.recommendations, nowMs - DOWNSCALE_STABILIZATION_SECONDS * 1000)
  const stabilized = wanted >= current && spec.behavior ? STABLE_UP : STABLE_DOWN
  const { replicas, said } = spec.behavior ? byPolicies(spec, current, stable, history, nowMs) : byFactor(spec, current, stable)
  return {
    replicas,
    able: stable === wanted ? READY : stabilized,
    limited: { ...said, isLimited: replicas !== stable },
  }
}

/** The longest time over which something has to be remembered. */
export function remembersMs({ behavior }: HorizontalPodAutoscalerSpec): { recommendations: number; events: number } {
  const rules = [behavior?.scaleUp, behavior?.scaleDown]
  const windows = rules.map((each) => each?.stabilizationWindowSeconds ?? 0)
  const periods = rules.flatMap((each) => each?.policies?.map(({ periodSeconds }) => periodSeconds) ?? [])
  return {
    recommendations: Math.max(DOWNSCALE_STABILIZATION_SECONDS, ...windows) * 1000,
    events: Math.max(0, ...periods) * 1000,
  }
}

/** Growing follows the lowest recommendation of its window, shrinking the highest of its own. */
function stabilize(
  { behavior }: HorizontalPodAutoscalerSpec,
  current: number,
  wanted: number,
  { recommendations }: History,
  nowMs: number,
): number {
  const upSeconds = behavior?.scaleUp?.stabilizationWindowSeconds ?? 0
  const downSeconds = behavior?.scaleDown?.stabilizationWindowSeconds ?? DOWNSCALE_STABILIZATION_SECONDS
  const up = lowest(wanted, recommendations, nowMs - upSeconds * 1000)
  const down = highest(wanted, recommendations, nowMs - downSeconds * 1000)
  return Math.min(Math.max(current, up), down)
}

function lowest(wanted: number, recommendations: readonly Recommendation[], sinceMs: number): number {
  return recommendations.reduce((least, { replicas, atMs }) => (atMs > sinceMs ? Math.min(least, replicas) : least), wanted)
}

function highest(wanted: number, recommendations: readonly Recommendation[], sinceMs: number): number {
  return recommendations.reduce((most, { replicas, atMs }) => (atMs > sinceMs ? Math.max(most, replicas) : most), wanted)
}

interface Bounded {
  replicas: number
  said: Said
}

/** The rule for autoscalers that say nothing of their behaviour. */
function byFactor({ minReplicas = 1, maxReplicas }: HorizontalPodAutoscalerSpec, current: number, stable: number): Bounded {
  const limit = Math.max(SCALE_UP_FACTOR * current, SCALE_UP_MINIMUM)
  const [most, why] = maxReplicas > limit ? [limit, UP_LIMIT] : [maxReplicas, TOO_MANY]
  if (stable < minReplicas) return { replicas: minReplicas, said: TOO_FEW }
  if (stable > most) return { replicas: most, said: why }
  return { replicas: stable, said: IN_RANGE }
}

function byPolicies(
  { minReplicas = 1, maxReplicas, behavior }: HorizontalPodAutoscalerSpec,
  current: number,
  stable: number,
  history: History,
  nowMs: number,
): Bounded {
  if (stable > current) {
    const limit = Math.max(current, upLimit(behavior?.scaleUp, current, history, nowMs))
    const [most, why] = maxReplicas > limit ? [limit, UP_LIMIT] : [maxReplicas, TOO_MANY]
    if (stable > most) return { replicas: most, said: why }
  } else if (stable < current) {
    const limit = Math.min(current, downLimit(behavior?.scaleDown, current, history, nowMs))
    const [least, why] = minReplicas < limit ? [limit, DOWN_LIMIT] : [minReplicas, TOO_FEW]
    if (stable < least) return { replicas: least, said: why }
  }
  return { replicas: stable, said: IN_RANGE }
}

function upLimit(rules: HPAScalingRules | undefined, current: number, history: History, nowMs: number): number {
  if (rules?.selectPolicy === 'Disabled') return current
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const before = atBeginning(current, periodSeconds, history, nowMs)
    return type === 'Pods' ? before + value : Math.ceil(before * (1 + value / 100))
  })
  return rules?.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits)
}

function downLimit(rules: HPAScalingRules | undefined, current: number, history: History, nowMs: number): number {
  if (rules?.selectPolicy === 'Disabled') return current
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const before = atBeginning(current, periodSeconds, history, nowMs)
    return type === 'Pods' ? before - value : Math.trunc(before * (1 - value / 100))
  })
  return rules?.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits)
}

/** The replicas there were when the period began. */
function atBeginning(current: number, periodSeconds: number, { ups, downs }: History, nowMs: number): number {
  const within = (events: readonly ScaleEvent[]) =>
    events.reduce((total, { replicas, atMs }) => (atMs > nowMs - periodSeconds * 1000 ? total + replicas : total), 0)
  return current - within(ups) + within(downs)
}
