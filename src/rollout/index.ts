/** `skiff/rollout`: rolling updates and their way back, over any Kubernetes API. Knows no terminal and no command line. */
import { type Clock, systemClock } from '../base/clock.ts'
import type * as Driven from './progress.ts'
import { type Roll, type RollKind, type RollPreview, rollOf } from './progress.ts'
import type { ReplicaKind } from './replica-kinds.ts'
import {
  abortReplicas,
  keepReplicas,
  previewReplicas,
  promoteReplicas,
  resumeReplicas,
  rollBackReplicas,
  rollReplicas,
} from './replicas.ts'
import { abortServed, previewServed, resumeServed, rollBackServed, rollServed } from './served/served.ts'

export { currentControllerOf, type History, historyOf, revisionOf } from './history.ts'
export {
  type Outcome,
  type PaceOptions,
  type Phase,
  type Progress,
  type Roll,
  RollError,
  type RollKind,
  type RollPreview,
  type RollResult,
  type RollTarget,
  type SideProgress,
} from './progress.ts'
export { type RolloutState, rolloutStateOf } from './state.ts'

/** Time is the system's unless another clock is given. */
type Timed<T> = Omit<T, 'clock'> & { clock?: Clock | undefined }
export type RollOptions = Timed<Driven.RollOptions>
export type RollbackOptions = Timed<Driven.RollbackOptions>

function timed<T extends object>(options: T): Omit<T, 'clock'> & { clock: Clock } {
  const { clock = systemClock, ...rest } = options as T & { clock?: Clock | undefined }
  return { ...rest, clock }
}

/**
 * Rolls the target to other images, another template or another controller. Nothing happens before the first progress or the
 * result is asked for. Throws RollError for what cannot be done and StatusError for what the server refuses.
 */
export function roll(options: RollOptions): Roll {
  const { kind } = options.target
  return rollOf(isReplicas(kind) ? rollReplicas(timed(options), kind) : rollServed(timed(options), kind))
}

/** What `roll` would do; changes nothing. */
export function previewRoll(options: RollOptions): Promise<RollPreview> {
  const { kind } = options.target
  return isReplicas(kind) ? previewReplicas(timed(options), kind) : previewServed(timed(options), kind)
}

/** Goes back to what was there before the last roll, finished or not, with the count of that time. */
export function rollback(options: RollbackOptions): Roll {
  const { kind } = options.target
  return rollOf(isReplicas(kind) ? rollBackReplicas(timed(options), kind) : rollBackServed(timed(options), kind))
}

/** Goes on with a roll that was paused or whose driver ended, in the direction that it has. */
export function resume(options: RollbackOptions): Roll {
  const { kind } = options.target
  return rollOf(isReplicas(kind) ? resumeReplicas(timed(options), kind) : resumeServed(timed(options), kind, false))
}

/** From a canary to all pods. */
export function promote(options: RollbackOptions): Roll {
  const { kind } = options.target
  return rollOf(isReplicas(kind) ? promoteReplicas(timed(options), kind) : resumeServed(timed(options), kind, true))
}

/** Goes back, and deletes what the roll had made. With `keepPods` the roll ends where it stands instead: both sides stay as they are. */
export function abort(options: RollbackOptions & { keepPods?: boolean | undefined }): Roll {
  const { kind } = options.target
  if (!isReplicas(kind)) return rollOf(abortServed(timed(options), kind, options.keepPods === true))
  return rollOf(options.keepPods ? keepReplicas(timed(options), kind) : abortReplicas(timed(options), kind))
}

function isReplicas(kind: RollKind): kind is ReplicaKind {
  return kind === 'ReplicationController' || kind === 'ReplicaSet'
}
