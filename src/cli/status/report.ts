/** The answer of `skiff status` about one object: whether it works, why not, and what there is to see of that. */
import type { RolloutState } from '../../rollout/index.ts'
import type { Cause } from '../why/cause.ts'

/** `partly`: some of what is asked for is there. `stopped`: somebody wants it to do nothing. */
export type Verdict = 'works' | 'partly' | 'broken' | 'stopped'

export interface Report {
  /** `deployment/web`. */
  readonly handle: string
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string | undefined
  readonly verdict: Verdict
  /** Where it works, what it does; else the first of the root causes, in one sentence. */
  readonly why: string
  /** The ends of the chains of what waits for what. */
  readonly rootCauses: readonly Cause[]
  readonly causes: readonly Cause[]
  readonly replicas?: Replicas | undefined
  readonly rollout?: RolloutReport | undefined
  readonly pods?: PodsReport | undefined
  readonly services?: readonly ServiceReport[] | undefined
  readonly events?: readonly EventReport[] | undefined
}

export interface RolloutReport extends Pick<RolloutState, 'state' | 'partner'> {
  /** There was another template before. */
  readonly canGoBack: boolean
}

export interface Replicas {
  readonly wanted: number
  readonly updated: number
  readonly ready: number
  readonly available: number
}

interface PodsReport {
  readonly all: number
  readonly ready: number
  /** They have done what they were for. */
  readonly done: number
  readonly notWell: readonly PodReport[]
}

export interface PodReport {
  readonly name: string
  readonly why: string
  /** RFC 3339. */
  readonly since?: string | undefined
  readonly crashes: readonly CrashReport[]
}

/** How the last run of a container ended. */
export interface CrashReport {
  readonly container: string
  readonly exitCode: number
  readonly reason?: string | undefined
  readonly restarts: number
  /** RFC 3339. */
  readonly at?: string | undefined
  /** What it wrote at the end; absent where nobody looked, or nothing is to be had. */
  readonly lastLines?: readonly string[] | undefined
}

export interface ServiceReport {
  readonly name: string
  /** `ClusterIP 10.96.0.7:80`. */
  readonly text: string
  readonly ready: number
  readonly endpoints: number
}

export interface EventReport {
  /** `pod/web-1`: the one that reported it last. */
  readonly object: string
  /** As many more of its kind reported the same. */
  readonly others?: number
  readonly reason: string
  readonly message: string
  /** Of all of them. */
  readonly count: number
  /** RFC 3339. */
  readonly at: string
}
