/** Which pods' metrics count: ready ones, ones that start up, ones that say nothing, ones on their way out. Pure. */
import type { Pod } from '../../api/types.ts'
import { conditionOf, isTerminating, timeMs } from '../parts/pods.ts'

/** While a pod is this young, its use of CPU is that of its start, until it was ready for a whole window. */
const CPU_INITIALIZATION_MS = 5 * 60_000
/** A pod that became unready so soon after its start has never been ready. */
const INITIAL_READINESS_MS = 30_000

/** What was measured of a pod. */
export interface PodMetric {
  /** In thousandths. */
  readonly value: number
  readonly timestampMs: number
  readonly windowMs: number
}

/** By the pod's name: all are of one namespace. */
export type PodMetrics = ReadonlyMap<string, PodMetric>

export interface PodGroups {
  readonly readyCount: number
  readonly unready: ReadonlySet<string>
  /** Not measured. */
  readonly missing: ReadonlySet<string>
  readonly ignored: ReadonlySet<string>
}

export function groupPods(pods: readonly Pod[], metrics: PodMetrics, resource: string, nowMs: number): PodGroups {
  const unready = new Set<string>()
  const missing = new Set<string>()
  const ignored = new Set<string>()
  let readyCount = 0
  for (const pod of pods) {
    const { name = '' } = pod.metadata
    const metric = metrics.get(name)
    if (isTerminating(pod) || pod.status?.phase === 'Failed') ignored.add(name)
    else if (pod.status?.phase === 'Pending') unready.add(name)
    else if (!metric) missing.add(name)
    else if (resource === 'cpu' && isStarting(pod, metric, nowMs)) unready.add(name)
    else readyCount += 1
  }
  return { readyCount, unready, missing, ignored }
}

function isStarting(pod: Pod, metric: PodMetric, nowMs: number): boolean {
  const ready = conditionOf(pod, 'Ready')
  const startMs = timeMs(pod.status?.startTime)
  if (!ready || startMs === undefined) return true
  const changedMs = timeMs(ready.lastTransitionTime) ?? startMs
  if (nowMs < startMs + CPU_INITIALIZATION_MS) return ready.status === 'False' || metric.timestampMs < changedMs + metric.windowMs
  return ready.status === 'False' && changedMs < startMs + INITIAL_READINESS_MS
}
