/** What a ReplicaSet or ReplicationController does next, and the status it reports: decided from what is seen. Pure. */
import type { Pod } from '../../api/types.ts'
import { isReady, msUntilAvailable } from '../parts/pods.ts'
import { pickPodsToDelete } from './rank.ts'

/** Pods created or deleted in one step; the rest follows once the cache shows these. */
const BURST_REPLICAS = 500

export type ReplicasPlan =
  | { action: 'none' }
  /** `wanted` is the whole difference, `count` what one step covers. */
  | { action: 'create'; count: number; wanted: number }
  | { action: 'delete'; pods: Pod[]; wanted: number }

/** `pods` are the active ones; `related` is asked for only when some, not all, of the pods are to go. */
export function planReplicas(replicas: number, pods: readonly Pod[], related: () => readonly Pod[], nowMs: number): ReplicasPlan {
  const difference = pods.length - replicas
  if (difference === 0) return { action: 'none' }
  if (difference < 0) return { action: 'create', count: Math.min(-difference, BURST_REPLICAS), wanted: -difference }
  const count = Math.min(difference, BURST_REPLICAS)
  const shared = count < pods.length ? related() : []
  return { action: 'delete', pods: pickPodsToDelete(pods, shared, count, nowMs), wanted: difference }
}

/** The failure of a step, for the ReplicaFailure condition. */
export interface ReplicasFailure {
  reason: 'FailedCreate' | 'FailedDelete'
  message: string
}

export interface ReplicasStatus {
  replicas: number
  fullyLabeledReplicas?: number | undefined
  readyReplicas?: number | undefined
  availableReplicas?: number | undefined
  terminatingReplicas?: number | undefined
  observedGeneration?: number | undefined
  conditions?: ReplicasCondition[] | undefined
}

export interface ReplicasCondition {
  type: string
  status: string
  lastTransitionTime?: string | undefined
  reason?: string | undefined
  message?: string | undefined
}

interface StatusObserved {
  pods: readonly Pod[]
  /** Undefined where the kind has no such field. */
  terminating: number | undefined
  templateLabels: Readonly<Record<string, string>>
  minReadySeconds: number
  generation: number | undefined
  failure: ReplicasFailure | undefined
  conditions: readonly ReplicasCondition[]
  nowMs: number
  /** RFC 3339, for a new condition. */
  now: string
}

/** The status, and in how many milliseconds the next pod becomes available by having been ready for long enough. */
export function planStatus(observed: StatusObserved): { status: ReplicasStatus; nextAvailableMs: number | undefined } {
  const { pods, minReadySeconds, nowMs } = observed
  const wanted = Object.entries(observed.templateLabels)
  let [labeled, ready, available] = [0, 0, 0]
  let nextAvailableMs: number | undefined
  for (const pod of pods) {
    const labels = pod.metadata.labels
    if (wanted.every(([key, value]) => labels?.[key] === value)) labeled += 1
    if (!isReady(pod)) continue
    ready += 1
    const waitMs = msUntilAvailable(pod, minReadySeconds, nowMs)
    if (waitMs === 0) available += 1
    else if (waitMs !== undefined) nextAvailableMs = Math.min(nextAvailableMs ?? waitMs, waitMs)
  }
  const conditions = conditionsAfter(observed)
  const status: ReplicasStatus = {
    replicas: pods.length,
    ...(labeled > 0 && { fullyLabeledReplicas: labeled }),
    ...(ready > 0 && { readyReplicas: ready }),
    ...(available > 0 && { availableReplicas: available }),
    ...(observed.terminating !== undefined && { terminatingReplicas: observed.terminating }),
    ...(observed.generation !== undefined && { observedGeneration: observed.generation }),
    ...(conditions.length > 0 && { conditions }),
  }
  return { status, nextAvailableMs }
}

function conditionsAfter({ conditions, failure, now }: StatusObserved): ReplicasCondition[] {
  const known = conditions.find(({ type }) => type === 'ReplicaFailure')
  if (!failure) return conditions.filter((condition) => condition !== known)
  if (known) return [...conditions]
  return [...conditions, { type: 'ReplicaFailure', status: 'True', lastTransitionTime: now, ...failure }]
}
