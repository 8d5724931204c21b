/**
 * How many replicas a metric asks for: as many as bring its mean to the target, with care for pods that are not measured or not ready.
 * Pure; by the rules of Kubernetes' replica calculator.
 */
import { parseQuantity, quantityMilliValue } from '../../api/quantity.ts'
import type { Pod } from '../../api/types.ts'
import { isReady } from '../parts/pods.ts'
import { groupPods, type PodGroups, type PodMetrics } from './readiness.ts'

/** How far the ratio of use to target may be from 1 without anything to be done. */
export interface Tolerance {
  readonly up: number
  readonly down: number
}

export interface Proposal {
  readonly replicas: number
  /** What was measured, in thousandths: the mean over the pods, or the value itself. */
  readonly value: number
  /** Percent of what is requested. */
  readonly utilization?: number
}

/** What the calculation of any metric starts from. */
export interface Situation {
  /** What the target's spec asks for now. */
  readonly currentReplicas: number
  /** The target's pods. */
  readonly pods: readonly Pod[]
  readonly tolerance: Tolerance
  readonly nowMs: number
}

/** Nothing can be said of this metric; the message is Kubernetes' own. */
export class MetricError extends Error {
  override name = 'MetricError'
}

const NO_PODS = 'no pods returned by selector while calculating replica count'
const NO_METRICS = 'did not receive metrics for targeted pods (pods might be unready)'

/** For a mean that is a share of what the pods request, in percent. Throws MetricError. */
export function byUtilization(
  situation: Situation,
  target: { percent: number; resource: string; container: string | undefined },
  metrics: PodMetrics,
): Proposal {
  const { percent, resource, container } = target
  const { groups, values } = prepare(situation, metrics, resource)
  const requests = requestsOf(situation.pods, resource, container)
  const first = utilizationOf(values, requests)
  const ratioOf = (some: ReadonlyMap<string, number>) => utilizationOf(some, requests).utilization / percent
  // A pod that is not measured is taken for one that uses all it requests before others are taken away.
  const replicas = replicasFor(situation, groups, values, ratioOf, (name) => {
    return Math.floor(((requests.get(name) ?? 0) * Math.max(100, percent)) / 100)
  })
  return { replicas, value: first.value, utilization: first.utilization }
}

/** For a mean that is an amount, in thousandths. Throws MetricError. */
export function byAverage(situation: Situation, target: number, metrics: PodMetrics, resource = ''): Proposal {
  const { groups, values } = prepare(situation, metrics, resource)
  const meanOf = (some: ReadonlyMap<string, number>) => Math.floor(sum(some.values()) / some.size)
  const ratioOf = (some: ReadonlyMap<string, number>) => meanOf(some) / target
  const value = meanOf(values)
  return { replicas: replicasFor(situation, groups, values, ratioOf, () => target), value }
}

/** For one value of something else, in thousandths: the pods that are ready account for it. Throws MetricError. */
export function byValue(situation: Situation, target: number, value: number): Proposal {
  const { currentReplicas, pods, tolerance } = situation
  const ratio = value / target
  if (currentReplicas === 0) return { replicas: Math.ceil(ratio), value }
  if (isWithin(ratio, tolerance)) return { replicas: currentReplicas, value }
  if (pods.length === 0) throw new MetricError(`unable to calculate ready pods: ${NO_PODS}`)
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isReady(pod)).length
  return { replicas: Math.ceil(ratio * ready), value }
}

/** For one value of something else that is shared by all replicas, `statusReplicas` of which there are. */
export function byShare(statusReplicas: number, tolerance: Tolerance, target: number, value: number): Proposal {
  const share = statusReplicas > 0 ? Math.ceil(value / statusReplicas) : value
  const isFine = statusReplicas > 0 && isWithin(value / (target * statusReplicas), tolerance)
  return { replicas: isFine ? statusReplicas : Math.ceil(value / target), value: share }
}

function isWithin(ratio: number, { up, down }: Tolerance): boolean {
  return 1 - down <= ratio && ratio <= 1 + up
}

function prepare({ pods, nowMs }: Situation, metrics: PodMetrics, resource: string) {
  if (pods.length === 0) throw new MetricError(NO_PODS)
  const groups = groupPods(pods, metrics, resource, nowMs)
  const values = new Map<string, number>()
  for (const [name, { value }] of metrics) if (!groups.ignored.has(name) && !groups.unready.has(name)) values.set(name, value)
  if (values.size === 0) throw new MetricError(NO_METRICS)
  return { groups, values }
}

/** `assumed` is what a pod that is not measured is taken to use when there seem to be too many. */
function replicasFor(
  { currentReplicas, tolerance }: Situation,
  { readyCount, unready, missing }: PodGroups,
  measured: ReadonlyMap<string, number>,
  ratioOf: (values: ReadonlyMap<string, number>) => number,
  assumed: (pod: string) => number,
): number {
  const ratio = ratioOf(measured)
  const countsUnready = unready.size > 0 && ratio > 1
  if (!countsUnready && missing.size === 0) return isWithin(ratio, tolerance) ? currentReplicas : Math.ceil(ratio * readyCount)
  const values = new Map(measured)
  if (ratio < 1) for (const name of missing) values.set(name, assumed(name))
  if (ratio > 1) for (const name of missing) values.set(name, 0)
  if (countsUnready) for (const name of unready) values.set(name, 0)
  const dampened = ratioOf(values)
  const turned = (ratio < 1 && dampened > 1) || (ratio > 1 && dampened < 1)
  if (isWithin(dampened, tolerance) || turned) return currentReplicas
  const replicas = Math.ceil(dampened * values.size)
  // What was assumed never makes the other direction of it.
  const isBackwards = dampened < 1 ? replicas > currentReplicas : replicas < currentReplicas
  return isBackwards ? currentReplicas : replicas
}

function utilizationOf(
  values: ReadonlyMap<string, number>,
  requests: ReadonlyMap<string, number>,
): { utilization: number; value: number } {
  let used = 0
  let requested = 0
  let count = 0
  for (const [name, value] of values) {
    const request = requests.get(name)
    if (request === undefined) continue
    used += value
    requested += request
    count += 1
  }
  if (requested === 0) throw new MetricError('no metrics returned matched known pods')
  return { utilization: Math.floor((used * 100) / requested), value: Math.floor(used / count) }
}

/** What each pod requests of the resource, in thousandths: all its containers, or one. Throws MetricError where one does not say. */
function requestsOf(pods: readonly Pod[], resource: string, container: string | undefined): Map<string, number> {
  const requests = new Map<string, number>()
  for (const pod of pods) {
    const { name = '' } = pod.metadata
    const { containers = [], initContainers = [], resources } = pod.spec ?? {}
    const whole = container === undefined ? resources?.requests?.[resource] : undefined
    const counted = [...containers, ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')]
    const chosen = counted.filter((one) => container === undefined || one.name === container)
    if (chosen.length === 0) throw new MetricError(`container ${container} not found in Pod ${name}`)
    const amounts = chosen.map((one) => {
      const request = one.resources?.requests?.[resource]
      if (request === undefined && whole === undefined)
        throw new MetricError(`missing request for ${resource} in container ${one.name} of Pod ${name}`)
      return request === undefined ? 0 : milli(request)
    })
    requests.set(name, whole === undefined ? sum(amounts) : milli(whole))
  }
  return requests
}

const milli = (text: string): number => quantityMilliValue(parseQuantity(text))

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
