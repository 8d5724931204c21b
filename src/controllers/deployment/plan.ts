/**
 * One step of a Deployment: from what is seen to the writes that follow, the status and the next look. Pure.
 * The new ReplicaSet goes up and the old ones go down in one step, as far as the fences allow on what has been reported.
 */
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '../../api/types.ts'
import { isTerminal } from '../parts/pods.ts'
import { isRollingUpdate, type PlannedEvent, type PlannedSet, REVISION } from './model.ts'
import { historyToDrop, newReplicaSet, sortSets, syncRevision } from './revisions.ts'
import { isScalingEvent, rollingStep, scaleInProportion, stopOld } from './scale.ts'
import * as conditions from './status.ts'

/** A deadline is looked at this much after it ended: wire times are cut to seconds. */
const DEADLINE_SLACK_MS = 1_000

interface DeploymentObserved extends conditions.Time {
  deployment: Deployment
  /** Those it controls. */
  replicaSets: readonly ReplicaSet[]
  /** The pods of one of them; asked for by Recreate only. */
  podsOf: (set: ReplicaSet) => readonly Pod[]
}

interface DeploymentPlan {
  /** The sets to create or change, in order. */
  changed: PlannedSet[]
  drop: ReplicaSet[]
  /** The revision the Deployment itself shall be annotated with. */
  revision: string | undefined
  status: DeploymentStatus
  events: PlannedEvent[]
  nextLookMs: number | undefined
}

interface Step {
  deployment: Deployment
  current: PlannedSet | undefined
  old: PlannedSet[]
  events: PlannedEvent[]
}

export function planDeployment(observed: DeploymentObserved): DeploymentPlan {
  const { deployment, now } = observed
  const step: Step = { deployment, ...sortSets(deployment, observed.replicaSets), events: [] }
  const before = deployment.status?.conditions ?? []
  if (deployment.metadata.deletionTimestamp !== undefined) {
    const status = conditions.countStatus(deployment, step.current, step.old, before, now)
    return { changed: [], drop: [], revision: undefined, status, events: [], nextLookMs: undefined }
  }
  if (step.current) syncRevision(deployment, step.current, step.old)
  const paused = deployment.spec?.paused === true
  // Recreate sizes its one running set in the same step as it replaces it.
  const resize = paused || (isRollingUpdate(deployment) && isScalingEvent(deployment, setsOf(step)))
  if (resize) scaleInProportion(deployment, step.current, step.old, step.events)
  else if (isRollingUpdate(deployment)) roll(step)
  else recreate(step, observed.podsOf)

  const after = noteSet(step, conditions.afterPause(deployment, before, now), now)
  let status = conditions.countStatus(deployment, step.current, step.old, after, now)
  if (!resize) status = conditions.withProgress(deployment, status, step.current, step.old, observed)
  const tidy = paused || (!resize && conditions.isComplete(deployment, status))
  const changed = setsOf(step).filter(isChanged)
  return {
    changed,
    drop: tidy ? historyToDrop(deployment, step.old) : [],
    revision: revisionChange(deployment, step.current),
    status,
    events: step.events,
    nextLookMs: nextLook(observed, status),
  }
}

function setsOf({ current, old }: Step): PlannedSet[] {
  return [...(current ? [current] : []), ...old]
}

function roll(step: Step): void {
  step.current ??= startSet(step)
  rollingStep(step.deployment, step.current, step.old, step.events)
}

/** Nothing new starts before everything old has stopped. */
function recreate(step: Step, podsOf: (set: ReplicaSet) => readonly Pod[]): void {
  const { deployment, old, events } = step
  if (stopOld(deployment, old, events)) return
  if (old.some(({ set }) => (set.status?.replicas ?? 0) > 0 || podsOf(set).some((pod) => !isTerminal(pod)))) return
  step.current ??= startSet(step)
  rollingStep(deployment, step.current, [], events)
}

function startSet({ deployment, old }: Step): PlannedSet {
  const current = newReplicaSet(deployment)
  syncRevision(deployment, current, old)
  return current
}

/** The first thing a rollout reports: that there is a set for its template. */
function noteSet({ deployment, current }: Step, known: ReturnType<typeof conditions.afterPause>, now: string) {
  if (!current || conditions.progressDeadlineSeconds(deployment) === undefined) return known
  const type = 'Progressing'
  const name = JSON.stringify(current.set.metadata.name)
  if (current.create) {
    const message = `Created new replica set ${name}`
    return conditions.withCondition(known, { type, status: 'True', reason: 'NewReplicaSetCreated', message }, now)
  }
  if (conditions.condition(known, type)) return known
  const message = `Found new replica set ${name}`
  return conditions.withCondition(known, { type, status: 'True', reason: 'FoundNewReplicaSet', message }, now)
}

function isChanged({ set, create, replicas, minReadySeconds, annotations }: PlannedSet): boolean {
  if (create || replicas !== (set.spec?.replicas ?? 1)) return true
  if ((minReadySeconds ?? 0) !== (set.spec?.minReadySeconds ?? 0)) return true
  return Object.entries(annotations).some(([key, value]) => set.metadata.annotations?.[key] !== value)
}

function revisionChange(deployment: Deployment, current: PlannedSet | undefined): string | undefined {
  const revision = current?.annotations[REVISION]
  return revision === deployment.metadata.annotations?.[REVISION] ? undefined : revision
}

function nextLook({ deployment, nowMs }: DeploymentObserved, status: DeploymentStatus): number | undefined {
  const known = conditions.condition(status.conditions ?? [], 'Progressing')
  if (known?.reason === 'ProgressDeadlineExceeded' || conditions.isComplete(deployment, status)) return undefined
  if (deployment.spec?.paused) return undefined
  const endMs = conditions.deadlineMs(deployment, status.conditions ?? [])
  return endMs === undefined ? undefined : Math.max(0, endMs - nowMs) + DEADLINE_SLACK_MS
}
