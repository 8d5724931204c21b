/** The status of a Deployment and its conditions, with Kubernetes' reasons: what `kubectl rollout status` reads. Pure. */
import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../api/types.ts'
import { timeMs } from '../parts/pods.ts'
import { available, fences, type PlannedSet, replicas, sum, wantedReplicas } from './model.ts'

/** A deadline of this many seconds means none. */
const NO_DEADLINE = 2 ** 31 - 1

export interface Time {
  nowMs: number
  /** The same, RFC 3339 in seconds. */
  now: string
}

type Conditions = readonly DeploymentCondition[]
type NewCondition = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>

export function progressDeadlineSeconds(deployment: Deployment): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds
  return seconds === undefined || seconds === NO_DEADLINE ? undefined : seconds
}

export function condition(conditions: Conditions, type: string): DeploymentCondition | undefined {
  return conditions.find((one) => one.type === type)
}

/** The conditions with one of them set: untouched if it already says so, its transition time kept if the status stays. */
export function withCondition(conditions: Conditions, change: NewCondition, now: string): DeploymentCondition[] {
  const known = condition(conditions, change.type)
  if (known && known.status === change.status && known.reason === change.reason) return [...conditions]
  const since = known?.status === change.status ? known.lastTransitionTime : now
  const rest = conditions.filter((one) => one !== known)
  return [...rest, { ...change, lastUpdateTime: now, lastTransitionTime: since }]
}

function without(conditions: Conditions, type: string): DeploymentCondition[] {
  return conditions.filter((one) => one.type !== type)
}

/** While a Deployment is paused its progress is not judged; the deadline's clock starts anew when it is resumed. */
export function afterPause(deployment: Deployment, conditions: Conditions, now: string): DeploymentCondition[] {
  const progressing = condition(conditions, 'Progressing')
  if (progressDeadlineSeconds(deployment) === undefined || progressing?.reason === 'ProgressDeadlineExceeded')
    return [...conditions]
  const saysPaused = progressing?.reason === 'DeploymentPaused'
  const type = 'Progressing'
  if (deployment.spec?.paused && !saysPaused)
    return withCondition(
      conditions,
      { type, status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' },
      now,
    )
  if (!deployment.spec?.paused && saysPaused)
    return withCondition(
      conditions,
      { type, status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' },
      now,
    )
  return [...conditions]
}

/** Counts and the Available condition. */
export function countStatus(
  deployment: Deployment,
  current: PlannedSet | undefined,
  old: readonly PlannedSet[],
  conditions: Conditions,
  now: string,
): DeploymentStatus {
  const all = [...old, ...(current ? [current] : [])]
  const availableCount = sum(all, available)
  const unavailableCount = Math.max(0, sum(all, replicas) - availableCount)
  const enough = availableCount >= wantedReplicas(deployment) - fences(deployment).unavailable
  const minimum: NewCondition = enough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
  const created = all.filter((planned) => !planned.create)
  const terminating = created.map(({ set }) => set.status?.terminatingReplicas)
  const allSay = terminating.every((count) => count !== undefined)
  return {
    observedGeneration: deployment.metadata.generation,
    ...positive(
      'replicas',
      sum(all, ({ set }) => set.status?.replicas ?? 0),
    ),
    ...positive('updatedReplicas', current?.set.status?.replicas ?? 0),
    ...positive(
      'readyReplicas',
      sum(all, ({ set }) => set.status?.readyReplicas ?? 0),
    ),
    ...positive('availableReplicas', availableCount),
    ...positive('unavailableReplicas', unavailableCount),
    ...(allSay && { terminatingReplicas: terminating.reduce<number>((total, count) => total + (count ?? 0), 0) }),
    ...(deployment.status?.collisionCount !== undefined && { collisionCount: deployment.status.collisionCount }),
    conditions: withCondition(conditions, minimum, now),
  }
}

function positive<K extends string>(name: K, count: number): Partial<Record<K, number>> {
  return count > 0 ? ({ [name]: count } as Record<K, number>) : {}
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = wantedReplicas(deployment)
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

function hasProgressed(status: DeploymentStatus, before: DeploymentStatus): boolean {
  const old = (one: DeploymentStatus) => (one.replicas ?? 0) - (one.updatedReplicas ?? 0)
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(status) < old(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

/** When the deadline for progress ends; undefined when none runs. */
export function deadlineMs(deployment: Deployment, conditions: Conditions): number | undefined {
  const seconds = progressDeadlineSeconds(deployment)
  const progressing = condition(conditions, 'Progressing')
  if (seconds === undefined || !progressing || progressing.reason === 'NewReplicaSetAvailable') return undefined
  const since = timeMs(progressing.lastUpdateTime)
  return since === undefined ? undefined : since + seconds * 1000
}

/** The Progressing and ReplicaFailure conditions of a Deployment that rolls. `status` has its counts already. */
export function withProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  current: PlannedSet | undefined,
  old: readonly PlannedSet[],
  time: Time,
): DeploymentStatus {
  let conditions: DeploymentCondition[] = [...(status.conditions ?? [])]
  if (progressDeadlineSeconds(deployment) === undefined) conditions = without(conditions, 'Progressing')
  else conditions = progressConditions(deployment, status, conditions, current, time)
  const failure = replicaFailure(current, old)
  conditions = failure ? withCondition(conditions, failure, time.now) : without(conditions, 'ReplicaFailure')
  return { ...status, conditions }
}

function progressConditions(
  deployment: Deployment,
  status: DeploymentStatus,
  conditions: DeploymentCondition[],
  current: PlannedSet | undefined,
  time: Time,
): DeploymentCondition[] {
  const known = condition(conditions, 'Progressing')
  const settled = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && known?.reason === 'NewReplicaSetAvailable'
  if (settled) return conditions
  const subject = current
    ? `ReplicaSet ${JSON.stringify(current.set.metadata.name)}`
    : `Deployment ${JSON.stringify(deployment.metadata.name)}`
  const set = (to: 'True' | 'False', reason: string, does: string, base: Conditions = conditions) =>
    withCondition(base, { type: 'Progressing', status: to, reason, message: `${subject} ${does}` }, time.now)

  if (isComplete(deployment, status)) return set('True', 'NewReplicaSetAvailable', 'has successfully progressed.')
  if (hasProgressed(status, deployment.status ?? {})) {
    // Taken out first, so that the time of the last update moves on with every progress.
    const since = known?.status === 'True' ? known.lastTransitionTime : time.now
    return set('True', 'ReplicaSetUpdated', 'is progressing.', without(conditions, 'Progressing')).map((one) =>
      one.type === 'Progressing' ? { ...one, lastTransitionTime: since } : one,
    )
  }
  const endMs = deadlineMs(deployment, conditions)
  if (known?.reason === 'ProgressDeadlineExceeded' || (endMs !== undefined && endMs < time.nowMs))
    return set('False', 'ProgressDeadlineExceeded', 'has timed out progressing.')
  return conditions
}

/** A failure of the new set counts before one of the old ones. */
function replicaFailure(current: PlannedSet | undefined, old: readonly PlannedSet[]): NewCondition | undefined {
  for (const { set } of [...(current ? [current] : []), ...old]) {
    const failed = set.status?.conditions?.find(({ type }) => type === 'ReplicaFailure')
    if (failed) return { type: 'ReplicaFailure', status: failed.status, reason: failed.reason, message: failed.message }
  }
  return undefined
}
