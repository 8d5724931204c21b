/** How many pods each ReplicaSet of a Deployment gets: the rolling step, recreation, and scaling in proportion. Pure. */
import type { Deployment } from '../../api/types.ts'
import {
  available,
  byCreation,
  DESIRED_REPLICAS,
  fences,
  isRollingUpdate,
  MAX_REPLICAS,
  type PlannedEvent,
  type PlannedSet,
  replicas,
  scaleTo,
  sum,
  wantedReplicas,
} from './model.ts'

const isActive = (planned: PlannedSet) => planned.replicas > 0

/** One step of a rolling update: the new set up as far as the surge allows, the old ones down as far as availability allows. */
export function rollingStep(
  deployment: Deployment,
  current: PlannedSet,
  old: readonly PlannedSet[],
  events: PlannedEvent[],
): void {
  const wanted = wantedReplicas(deployment)
  const { surge, unavailable } = fences(deployment)
  const all = [...old, current]
  if (current.replicas > wanted) scaleTo(deployment, current, wanted, events)
  else if (current.replicas < wanted || current.create) {
    const room = Math.max(0, wanted + surge - sum(all, replicas))
    scaleTo(deployment, current, current.replicas + Math.min(room, wanted - current.replicas), events)
  }
  const least = wanted - unavailable
  const notYetAvailable = Math.max(0, current.replicas - available(current))
  const spare = sum(all, replicas) - least - notYetAvailable
  if (spare <= 0) return
  const oldest = old.filter(isActive).sort(byCreation)
  const dropped = dropUnavailable(deployment, oldest, spare, events)
  dropAvailable(deployment, oldest, Math.min(spare - dropped, sum(all, availableWithin) - least), events)
}

/** Pods a set has available, as far as it is still meant to have them. */
function availableWithin(planned: PlannedSet): number {
  return planned.isNew ? available(planned) : Math.min(available(planned), planned.replicas)
}

/** Old pods that serve nobody go first: they cost no availability. */
function dropUnavailable(deployment: Deployment, old: readonly PlannedSet[], limit: number, events: PlannedEvent[]): number {
  let dropped = 0
  for (const planned of old) {
    const count = Math.min(limit - dropped, planned.replicas - available(planned))
    if (count <= 0) continue
    scaleTo(deployment, planned, planned.replicas - count, events)
    dropped += count
  }
  return dropped
}

function dropAvailable(deployment: Deployment, old: readonly PlannedSet[], limit: number, events: PlannedEvent[]): void {
  let dropped = 0
  for (const planned of old) {
    const count = Math.min(limit - dropped, planned.replicas)
    if (count <= 0) continue
    scaleTo(deployment, planned, planned.replicas - count, events)
    dropped += count
  }
}

/** Everything old to zero. True when something was still to be scaled. */
export function stopOld(deployment: Deployment, old: readonly PlannedSet[], events: PlannedEvent[]): boolean {
  const running = old.filter(isActive)
  for (const planned of running) scaleTo(deployment, planned, 0, events)
  return running.length > 0
}

/** The Deployment's size was changed since the sets were sized. */
export function isScalingEvent(deployment: Deployment, sets: readonly PlannedSet[]): boolean {
  return sets.some((planned) => {
    const desired = planned.annotations[DESIRED_REPLICAS]
    return isActive(planned) && desired !== undefined && Number(desired) !== wantedReplicas(deployment)
  })
}

/** Sizes the sets for the Deployment's size, without moving the rollout on. */
export function scaleInProportion(
  deployment: Deployment,
  current: PlannedSet | undefined,
  old: readonly PlannedSet[],
  events: PlannedEvent[],
): void {
  const wanted = wantedReplicas(deployment)
  const active = [...old, ...(current ? [current] : [])].filter(isActive)
  if (active.length <= 1) {
    const only = active[0] ?? current ?? [...old].sort(byCreation).at(-1)
    if (only) scaleTo(deployment, only, wanted, events)
    return
  }
  if (current && isSaturated(deployment, current)) {
    stopOld(deployment, old, events)
    return
  }
  if (isRollingUpdate(deployment)) shareOut(deployment, active, events)
}

/** The new set has all its pods, available: the old ones are not needed. */
function isSaturated(deployment: Deployment, current: PlannedSet): boolean {
  const wanted = wantedReplicas(deployment)
  return current.replicas === wanted && Number(current.annotations[DESIRED_REPLICAS]) === wanted && available(current) === wanted
}

/** Adds or takes away in proportion to the sizes; what rounding leaves over goes to the largest. */
function shareOut(deployment: Deployment, active: PlannedSet[], events: PlannedEvent[]): void {
  const wanted = wantedReplicas(deployment)
  const allowed = wanted > 0 ? wanted + fences(deployment).surge : 0
  const difference = allowed - sum(active, replicas)
  // Ties: growth goes to the newer set, shrinking takes from the older.
  const order = difference > 0 ? -1 : 1
  active.sort((a, b) => b.replicas - a.replicas || order * byCreation(a, b))
  let given = 0
  const sizes = active.map((planned) => {
    const share = difference === 0 ? 0 : shareOf(deployment, planned, difference - given)
    given += share
    return planned.replicas + share
  })
  active.forEach((planned, index) => {
    const rest = index === 0 ? difference - given : 0
    scaleTo(deployment, planned, Math.max(0, (sizes[index] ?? 0) + rest), events)
  })
}

function shareOf(deployment: Deployment, planned: PlannedSet, left: number): number {
  if (planned.replicas === 0 || left === 0) return 0
  const fraction = fractionOf(deployment, planned)
  return left > 0 ? Math.min(fraction, left) : Math.max(fraction, left)
}

/** By how much the set would grow if it kept its part of the whole. */
function fractionOf(deployment: Deployment, planned: PlannedSet): number {
  const wanted = wantedReplicas(deployment)
  if (wanted === 0) return -planned.replicas
  const before = Number(planned.annotations[MAX_REPLICAS] ?? 0) || (deployment.status?.replicas ?? 0)
  if (before === 0) return 0
  return Math.round((planned.replicas * (wanted + fences(deployment).surge)) / before) - planned.replicas
}
