/** What the planner of a pod reads and says. Plain data throughout: plans are tested as YAML in, YAML out. */
import type { FailurePolicy } from '../../api/extensions/pre-start.ts'
import type { Stage, StageTimeouts } from '../../api/extensions/stage-timeouts.ts'
import type { Pod } from '../../api/types.ts'
import type { NotifyState } from '../notify/state.ts'
import type { ContainerState, SandboxState } from '../runtime/runtime.ts'
import type { RestartBackoff } from './restart-backoff.ts'

/**
 * `sidecar`: an init container with restartPolicy Always, which runs beside the main containers.
 * `ephemeral`: added to a running pod for a look around; it runs once.
 */
export type Role = 'init' | 'sidecar' | 'main' | 'ephemeral'

export interface PlanInput {
  pod: Pod
  /** Every sandbox of the pod's uid, the newest attempt first. */
  sandboxes: readonly SandboxState[]
  memory: PodMemory
  jobs: PodJobs
  nowMs: number
  /** The pod is deleted, and its containers go on for others that require it: until then at most. */
  heldUntilMs?: number
}

/** What the agent remembers of a pod between two looks at it; all of it may be lost with the agent. */
export interface PodMemory {
  /** When the agent first took the pod: status.startTime. */
  acceptedAtMs: number
  /** Why the node does not take the pod. */
  rejected?: { reason: string; message: string }
  /** The API has no such pod any more. */
  gone?: boolean
  volumesReady: boolean
  /** The attempt number of the next sandbox. */
  nextSandbox: number
  /** Why there are no volumes, or no sandbox, yet. */
  setupFailure?: Failure
  /** When the pod's end began, by the agent's clock: the grace period counts from there. */
  endingSinceMs?: number
  /** The final status is known and published. */
  finished?: boolean
  /** The API was asked to drop the pod; finalizers may keep it. */
  deleted?: boolean
  containers: Record<string, ContainerMemory>
  /** How long stages may take, by container. */
  timeouts?: Readonly<Record<string, StageTimeouts>>
  /** Init containers that are pre-start hooks. */
  preStarts?: Readonly<Record<string, { onFailure: FailurePolicy; timeoutMs?: number }>>
  /** The pod ends because a stage took too long. */
  stageTimeout?: { reason: string; message: string }
  /** What probes and hooks said, by container id. */
  health: Record<string, ContainerHealth>
}

export interface ContainerMemory {
  /** The newest instance seen, also when its sandbox is gone. */
  last?: ContainerState
  /** The instance before that one. */
  previous?: ContainerState
  /** The image that was made present for the next start. */
  image?: { attempt: number; id: string; presentAtMs: number }
  /** Somebody waits to be attached to its first process. */
  attached?: boolean
  /** Why the next start waits. */
  failure?: Failure
  /** How long restarts are spaced out. */
  backoff?: RestartBackoff
  /** How long failing pulls are spaced out. */
  pullBackoff?: RestartBackoff
  /** Its start is under way: the process may run, its postStart hook is not through. */
  starting?: boolean
  /** Since when it is its turn to start this run. */
  turn?: { attempt: number; sinceMs: number }
  /** What it said by sd_notify, for a container that does. */
  notify?: NotifyState
  /** The run that has been ready once. */
  wasReady?: number
  /** The instance that is stopped because a stage took too long. */
  timedOut?: { id: string; stage: Stage }
  /** The instance that was stopped because the container's definition changed: its restart ignores the policy. */
  redefined?: string
  /** The signals that the newest instance has been sent, as the pod's annotation asks for them. */
  signalled?: { id: string; text: string }
}

export interface Failure {
  reason: string
  message: string
  atMs: number
  retryAtMs: number
}

export interface ContainerHealth {
  started: boolean
  ready: boolean
  /** The probe that wants the container restarted. */
  failed?: 'Liveness' | 'Startup' | 'PostStart'
}

/** Work under way. At most one job moves the pod forward; stops run beside it. */
export interface PodJobs {
  forward?: Action['do'] | undefined
  /** The forward job has been told to give up. */
  cancelled?: boolean
  /** Deadlines of the stops under way, by container id. */
  stopping: Record<string, number>
}

export type Action =
  | { do: 'PrepareVolumes' }
  | { do: 'CreateSandbox'; attempt: number }
  | { do: 'RemoveSandbox'; sandbox: string }
  | { do: 'PullImage'; container: string; attempt: number }
  | { do: 'StartContainer'; container: string; attempt: number }
  | { do: 'StopContainer'; container: string; id: string; graceMs: number; why: StopReason; stage?: Stage }
  | { do: 'RemoveContainer'; container: string; id: string }
  /** `text` is what the annotation says by then. */
  | { do: 'SignalContainer'; container: string; id: string; signals: string[]; text: string }
  /** Makes the forward job give up. */
  | { do: 'Cancel' }
  /** Publishes the final status. */
  | { do: 'Finish' }
  | { do: 'RemoveVolumes' }
  /** Takes the pod's object out of the API. */
  | { do: 'DeletePod' }
  /** Drops all that is remembered of a pod that the API no longer has. */
  | { do: 'Forget' }

export type StopReason = 'Ending' | 'Liveness' | 'Startup' | 'PostStart' | 'Redefined' | 'StageTimeout'

/** Why a pod is brought to its end; see `ending.ts`. */
export type EndingCause =
  | 'Gone'
  | 'Deleted'
  | 'Ended'
  | 'Rejected'
  | 'DeadlineExceeded'
  | 'StageTimeout'
  | 'InitFailed'
  | 'Completed'

export interface PodPlan {
  /** To do now. Among them at most one that is not a stop or a cancellation. */
  actions: Action[]
  /** Why containers that should run do not, by name. */
  waiting: Record<string, { reason: string; message: string }>
  /** When to plan again although nothing changes. */
  wakeAtMs?: number
  ending?: EndingCause
}
