/** What a caller gives to a roll and what it is told: shared by all kinds of targets. */
import type { PodTemplateSpec } from '../api/types.ts'
import type { Clock } from '../base/clock.ts'
import type { Client } from '../client/client.ts'

export type RollKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'ReplicaSet' | 'ReplicationController'
/** Switching: a name is moved from one template to another, the pods staying as they are. */
export type Phase = 'Preparing' | 'Rolling' | 'Paused' | 'Switching' | 'Complete' | 'Aborted'

export interface RollTarget {
  kind: RollKind
  name: string
}

/** How fast and how patient; what is left out is as it was when the roll began. */
export interface PaceOptions {
  /** Pods above the wanted count, as count or percentage; 25% by default, for server-side rolls what the object says. */
  maxSurge?: number | string | undefined
  /** Pods below the wanted count, as count or percentage; 0 by default, for server-side rolls what the object says. */
  maxUnavailable?: number | string | undefined
  /** Seconds for which a new pod must be ready to count as available. */
  minReadySeconds?: number | undefined
  /** The least time between two changes of counts; not where the server sets the pace. */
  updatePeriodMs?: number | undefined
  /** Gives up with `no-progress` after so long without any. 10 minutes by default. */
  timeoutMs?: number | undefined
  /** Gives up with `deadline` after so long in all. */
  deadlineMs?: number | undefined
}

/** What every driver of a roll is given, in whichever direction it goes. */
export interface RollbackOptions extends PaceOptions {
  client: Client
  clock: Clock
  namespace: string
  target: RollTarget
  /** Stops at a safe point with `interrupted`. */
  signal?: AbortSignal | undefined
  /** What an interruption does: `pause` by default; `rollback` goes back before it ends; `continue` takes no notice. */
  onInterrupt?: 'pause' | 'rollback' | 'continue' | undefined
  /** This driver's name in the lease that keeps a second one away; a random one by default. */
  holder?: string | undefined
  /** Whether another driver is known to have ended, so that its lease need not run out first. */
  isGone?: ((holder: string) => boolean) | undefined
  /** Kept in the history: who, with what command, and why. */
  by?: string | undefined
  command?: string | undefined
  note?: string | undefined
  /** The number of the template to go to, as `historyOf` has it. */
  toRevision?: number | undefined
}

export interface RollOptions extends RollbackOptions {
  /** Images by container name; `*` is every container that is not named. */
  images?: Readonly<Record<string, string>> | undefined
  /** The whole new template instead. */
  template?: PodTemplateSpec | undefined
  /** The new controller's name, or an existing controller to roll to; only for ReplicationControllers and ReplicaSets. */
  toName?: string | undefined
  /** Keeps the name for the new template: the old one goes on under a generated name. */
  pet?: boolean | undefined
  /** Stops in Paused once so many pods, or such a share of them, run the new template. */
  canary?: number | string | undefined
  /** Replaces a roll that is under way to another template, which is a conflict otherwise. */
  rollover?: boolean | undefined
  /** How many old controllers stay at 0 as history; 10 by default. */
  keep?: number | undefined
  /** `delete` keeps no history, the controller just left included. */
  cleanup?: 'keep' | 'delete' | undefined
}

/** What a roll would do. */
export interface RollPreview {
  /** Whether anything would change. */
  changes: boolean
  isConflict: boolean
  message: string
  /** One line for each step, in order. */
  steps: readonly string[]
}

export interface SideProgress {
  name: string
  replicas: number
  ready: number
}

export interface Progress {
  phase: Phase
  old: SideProgress
  new: SideProgress
  /** The count that the roll ends with. */
  desired: number
  /** Whether this roll has written anything so far. */
  changed: boolean
  message: string
}

/**
 * `canary`: the canary runs, and waits for promote or abort. `rolled-back`: the roll goes back, by another client or by
 * `onInterrupt`. `conflict`: another roll or another driver is at work.
 */
export type Outcome = 'done' | 'unchanged' | 'canary' | 'no-progress' | 'deadline' | 'interrupted' | 'conflict' | 'rolled-back'

export interface RollResult {
  outcome: Outcome
  changed: boolean
  message: string
  old: SideProgress
  new: SideProgress
  desired: number
}

/** Progress as it happens; `result()` runs what is left and gives the end. Failures are thrown by whichever is asked. */
export interface Roll extends AsyncIterable<Progress> {
  result(): Promise<RollResult>
}

/** A request that cannot be carried out as it stands: nothing was changed. */
export class RollError extends Error {
  override name = 'RollError'
}

export const DEFAULT_TIMEOUT_MS = 600_000

/** Makes a Roll of a generator whose return value is the result. */
export function rollOf(steps: AsyncGenerator<Progress, RollResult>): Roll {
  let result: RollResult | undefined
  const iterator: AsyncIterator<Progress> = {
    async next() {
      const step = await steps.next()
      if (!step.done) return step
      // A finished generator gives undefined when it is asked again.
      result = step.value ?? result
      return { done: true, value: undefined }
    },
    async return() {
      await steps.return(undefined as never)
      return { done: true, value: undefined }
    },
  }
  return {
    [Symbol.asyncIterator]: () => iterator,
    async result() {
      while (!result) if ((await iterator.next()).done && !result) throw new RollError('the roll was left before its end')
      return result
    },
  }
}
