/** One step of a StatefulSet: which ordinals to create and which pods to delete, in the order its policy asks for. Pure. */
import type { Pod, StatefulSet } from '../../api/types.ts'
import { resolveIntOrPercent } from '../parts/int-or-percent.ts'
import { isReady, isTerminal, msUntilAvailable } from '../parts/pods.ts'
import { REVISION_LABEL } from '../parts/revisions.ts'
import { ordinalOf } from './pod-of-set.ts'

export interface SetObserved {
  set: StatefulSet
  /** The pods it controls, finished and leaving ones included. */
  pods: readonly Pod[]
  /** Names of revisions. */
  currentRevision: string
  updateRevision: string
  nowMs: number
}

export interface PodRemoval {
  pod: Pod
  why: 'scale' | 'update' | 'failed' | 'succeeded'
}

interface SetPlan {
  create: { ordinal: number; revision: string }[]
  remove: PodRemoval[]
  /** Milliseconds until a pod becomes available by having been ready for long enough. */
  nextAvailableMs: number | undefined
}

interface Slot {
  ordinal: number
  pod: Pod | undefined
}

export function planSet(observed: SetObserved): SetPlan {
  const { set, pods, nowMs } = observed
  const plan: SetPlan = { create: [], remove: [], nextAvailableMs: undefined }
  for (const pod of pods) {
    const waitMs = msUntilAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
    if (waitMs) plan.nextAvailableMs = Math.min(plan.nextAvailableMs ?? waitMs, waitMs)
  }
  if (set.metadata.deletionTimestamp !== undefined) return plan
  const { slots, condemned } = arrange(set, pods)
  const oneByOne = set.spec?.podManagementPolicy !== 'Parallel'
  if (fillSlots(observed, slots, plan, oneByOne) && scaleDown(condemned, plan, oneByOne)) update(observed, slots, plan)
  return plan
}

function startOf(set: StatefulSet): number {
  return set.spec?.ordinals?.start ?? 0
}

/** The wanted ordinals with their pods, in order; and the pods beyond them, highest first. */
function arrange(set: StatefulSet, pods: readonly Pod[]): { slots: Slot[]; condemned: Pod[] } {
  const start = startOf(set)
  const byOrdinal = new Map<number, Pod>()
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod.metadata.name)
    if (ordinal !== undefined) byOrdinal.set(ordinal, pod)
  }
  const slots = Array.from({ length: set.spec?.replicas ?? 1 }, (_, i) => ({ ordinal: start + i, pod: byOrdinal.get(start + i) }))
  const wanted = new Set(slots.map(({ ordinal }) => ordinal))
  const beyond = [...byOrdinal.entries()].filter(([ordinal]) => !wanted.has(ordinal))
  return { slots, condemned: beyond.sort(([a], [b]) => b - a).map(([, pod]) => pod) }
}

/** Creates what is missing. False when the set has to wait, one by one as it goes. */
function fillSlots(observed: SetObserved, slots: readonly Slot[], plan: SetPlan, oneByOne: boolean): boolean {
  for (const { ordinal, pod } of slots) {
    if (!pod) {
      plan.create.push({ ordinal, revision: revisionFor(observed, ordinal) })
      if (oneByOne) return false
    } else if (isTerminal(pod)) {
      const why = pod.status?.phase === 'Failed' ? 'failed' : 'succeeded'
      if (pod.metadata.deletionTimestamp === undefined) plan.remove.push({ pod, why })
      if (oneByOne) return false
    } else if (oneByOne && !isAvailable(observed, pod)) return false
  }
  return true
}

/** Below the partition, pods are made anew from the revision that was current before the update. */
function revisionFor({ set, currentRevision, updateRevision }: SetObserved, ordinal: number): string {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {}
  if (type === 'OnDelete') return updateRevision
  return ordinal < startOf(set) + (rollingUpdate?.partition ?? 0) ? currentRevision : updateRevision
}

function isAvailable({ set, nowMs }: SetObserved, pod: Pod): boolean {
  return isHealthy(pod) && msUntilAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs) === 0
}

function isHealthy(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && pod.status?.phase === 'Running' && isReady(pod)
}

/** Deletes what is too much, the highest ordinal first. False when the set has to wait. */
function scaleDown(condemned: readonly Pod[], plan: SetPlan, oneByOne: boolean): boolean {
  for (const pod of condemned) {
    if (pod.metadata.deletionTimestamp === undefined) plan.remove.push({ pod, why: 'scale' })
    // The next one goes when this one is gone.
    if (oneByOne) return false
  }
  return true
}

/** Replaces pods of older revisions, highest ordinal first, no more at once than may be unavailable. */
function update(observed: SetObserved, slots: readonly Slot[], plan: SetPlan): void {
  const { set, updateRevision } = observed
  const { type = 'RollingUpdate', rollingUpdate } = set.spec?.updateStrategy ?? {}
  if (type === 'OnDelete') return
  const allowed = Math.max(1, resolveIntOrPercent(rollingUpdate?.maxUnavailable ?? 1, set.spec?.replicas ?? 1, 'up'))
  const first = startOf(set) + (rollingUpdate?.partition ?? 0)
  let unavailable = 0
  for (const { ordinal, pod } of [...slots].reverse()) {
    if (ordinal < first || unavailable >= allowed) return
    if (!pod) {
      unavailable += 1
      continue
    }
    const isOld = pod.metadata.labels?.[REVISION_LABEL] !== updateRevision
    if (isOld && pod.metadata.deletionTimestamp === undefined) {
      plan.remove.push({ pod, why: 'update' })
      unavailable += 1
    } else if (!isAvailable(observed, pod)) unavailable += 1
  }
}
