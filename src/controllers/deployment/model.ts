/** What a plan for a Deployment works on: its ReplicaSets as they are and as they shall be, and the limits of its strategy. Pure. */
import type { Deployment, ReplicaSet } from '../../api/types.ts'
import { resolveIntOrPercent } from '../parts/int-or-percent.ts'

export const REVISION = 'deployment.kubernetes.io/revision'
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'

/** A ReplicaSet under plan. `set` is as read, or the new one to be made; the other fields are what it shall become. */
export interface PlannedSet {
  readonly set: ReplicaSet
  readonly isNew: boolean
  /** To be created by this plan. */
  readonly create: boolean
  replicas: number
  minReadySeconds: number | undefined
  annotations: Record<string, string>
}

export function plannedSet(set: ReplicaSet, isNew: boolean, create = false): PlannedSet {
  return {
    set,
    isNew,
    create,
    replicas: create ? 0 : (set.spec?.replicas ?? 1),
    minReadySeconds: set.spec?.minReadySeconds,
    annotations: { ...set.metadata.annotations },
  }
}

export interface PlannedEvent {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

export function wantedReplicas(deployment: Deployment): number {
  return deployment.spec?.replicas ?? 1
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec?.strategy?.type !== 'Recreate'
}

/** Pods allowed above the wanted count, and below it. Both zero would stand still: then one may be unavailable. */
export function fences(deployment: Deployment): { surge: number; unavailable: number } {
  const wanted = wantedReplicas(deployment)
  if (!isRollingUpdate(deployment)) return { surge: 0, unavailable: 0 }
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec?.strategy?.rollingUpdate ?? {}
  const surge = resolveIntOrPercent(maxSurge, wanted, 'up')
  const unavailable = resolveIntOrPercent(maxUnavailable, wanted, 'down')
  return { surge, unavailable: Math.min(wanted, surge === 0 && unavailable === 0 ? 1 : unavailable) }
}

export function sum(sets: readonly PlannedSet[], count: (planned: PlannedSet) => number): number {
  let total = 0
  for (const planned of sets) total += count(planned)
  return total
}

export const available = ({ set }: PlannedSet): number => set.status?.availableReplicas ?? 0
export const replicas = (planned: PlannedSet): number => planned.replicas

/** Oldest first. */
export function byCreation(a: PlannedSet, b: PlannedSet): number {
  const [left = '', right = ''] = [a.set.metadata.creationTimestamp, b.set.metadata.creationTimestamp]
  if (left !== right) return left < right ? -1 : 1
  return (a.set.metadata.name ?? '') < (b.set.metadata.name ?? '') ? -1 : 1
}

/** Gives a set its size, and the annotations that say for which size of the Deployment; records the event. */
export function scaleTo(deployment: Deployment, planned: PlannedSet, size: number, events: PlannedEvent[]): void {
  const { surge } = fences(deployment)
  const wanted = wantedReplicas(deployment)
  planned.annotations[DESIRED_REPLICAS] = String(wanted)
  planned.annotations[MAX_REPLICAS] = String(wanted + surge)
  if (planned.replicas === size) return
  const direction = planned.replicas < size ? 'up' : 'down'
  const message = `Scaled ${direction} replica set ${planned.set.metadata.name} from ${planned.replicas} to ${size}`
  events.push({ type: 'Normal', reason: 'ScalingReplicaSet', message })
  planned.replicas = size
}
