/** What a caller gives to a roll and what it is told: shared by all kinds of targets. */
import type { PodTemplateSpec } from '../api/types.ts'
import type { Clock } from '../base/clock.ts'
import type { Client } from '../client/client.ts'

export type RollKind = 'Deployment' | 'ReplicaSet' | 'ReplicationController'
export type Phase = 'Preparing' | 'Rolling' | 'Paused' | 'Complete' | 'Aborted'

export interface RollTarget {
  kind: RollKind
  name: string
}

export interface RollbackOptions {
  client: Client
  clock: Clock
  namespace: string
  target: RollTarget
  /** Pods above the wanted count, as count or percentage; 1 by default, for a Deployment what it says. */
  maxSurge?: number | string | undefined
  /** Pods below the wanted count, as count or percentage; 0 by default, for a Deployment what it says. */
  maxUnavailable?: number | string | undefined
  /** Seconds for which a new pod must be ready to count as available. */
  minReadySeconds?: number | undefined
  /** Gives up with `no-progress` after so long without any. 10 minutes by default. */
  timeoutMs?: number | undefined
  /** Gives up with `deadline` after so long in all. */
  deadlineMs?: number | undefined
  /** The least time between two changes of counts; not for Deployments, whose server sets the pace. */
  updatePeriodMs?: number | undefined
  /** Stops at a safe point with `interrupted`. */
  signal?: AbortSignal | undefined
}

export interface RollOptions extends RollbackOptions {
  /** Images by container name; `*` is every container that is not named. */
  images?: Readonly<Record<string, string>> | undefined
  /** The whole new template instead. */
  template?: PodTemplateSpec | undefined
  /** The new controller's name, or an existing controller to roll to; not for Deployments. */
  toName?: string | undefined
  /** Keeping the old name for the new template is not supported yet. */
  pet?: false | undefined
}

/** What a roll would do. */
export interface RollPreview {
  /** Whether anything would change. */
  changes: boolean
  isConflict: boolean
  message: string
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
  /** Whether this roll has written anything so far. */
  changed: boolean
  message: string
}

/** `rolled-back`: another client took a roll forward over and goes back. */
export type Outcome = 'done' | 'unchanged' | 'no-progress' | 'deadline' | 'interrupted' | 'conflict' | 'rolled-back'

export interface RollResult {
  outcome: Outcome
  changed: boolean
  message: string
  old: SideProgress
  new: SideProgress
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
