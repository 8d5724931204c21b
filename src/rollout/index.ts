/** `skiff/rollout`: rolling updates and their way back, over any Kubernetes API. Knows no terminal and no command line. */
import { previewDeployment, rollBackDeployment, rollDeployment } from './deployment.ts'
import { driveRoll } from './drive.ts'
import { type PairDecision, pairForRoll, pairForRollback } from './pair.ts'
import {
  type Progress,
  type Roll,
  type RollbackOptions,
  type RollOptions,
  type RollPreview,
  type RollResult,
  rollOf,
} from './progress.ts'
import { handleOf, nameOf, progressOf } from './replica-kinds.ts'

export {
  type Outcome,
  type Phase,
  type Progress,
  type Roll,
  type RollbackOptions,
  RollError,
  type RollKind,
  type RollOptions,
  type RollPreview,
  type RollResult,
  type RollTarget,
  type SideProgress,
} from './progress.ts'

/**
 * Rolls the target to other images, another template or another controller. Nothing happens before the first progress or the
 * result is asked for. Throws RollError for what cannot be done and StatusError for what the server refuses.
 */
export function roll(options: RollOptions): Roll {
  const { kind } = options.target
  if (kind === 'Deployment') return rollOf(rollDeployment(options))
  return rollOf(perform(options, () => pairForRoll(options, kind)))
}

/** What `roll` would do; changes nothing. */
export async function previewRoll(options: RollOptions): Promise<RollPreview> {
  const { kind } = options.target
  if (kind === 'Deployment') return previewDeployment(options)
  const decision = await pairForRoll(options, kind)
  if (decision.is !== 'pair') return { changes: false, isConflict: decision.is === 'conflict', message: decision.message }
  const { old, newName, blueprint, desired } = decision.pair
  const how = blueprint ? 'a new controller' : 'which exists'
  const message = `would roll ${handleOf(kind, nameOf(old))} to ${handleOf(kind, newName)}, ${how}, with ${desired} replicas`
  return { changes: true, isConflict: false, message }
}

/** Goes back to what was there before the last roll, finished or not, with the count of that time. */
export function rollback(options: RollbackOptions): Roll {
  const { kind } = options.target
  if (kind === 'Deployment') return rollOf(rollBackDeployment(options))
  return rollOf(perform(options, () => pairForRollback(options, kind)))
}

async function* perform(options: RollbackOptions, decide: () => Promise<PairDecision>): AsyncGenerator<Progress, RollResult> {
  const decision = await decide()
  if (decision.is === 'pair') return yield* driveRoll(decision.pair, options)
  const side = progressOf(decision.current, options.target.name)
  return { outcome: decision.is, old: side, new: side, changed: false, message: decision.message }
}
