/**
 * The end of a pod: why it ends, and in which order it is taken down. Main containers stop together, then sidecars in the
 * reverse of their order; the final status is published; sandbox and volumes go; a deleted pod leaves the API last.
 */
import type { Container } from '../../api/types.ts'
import type { ContainerState } from '../runtime/runtime.ts'
import { isInitDone, isLive, lastOf, roleOf, runsAgain, specOf } from './containers.ts'
import { startTimedOut } from './stages.ts'
import type { Action, EndingCause, PlanInput, PodPlan } from './types.ts'

/** Kubernetes never gives a process less than this between SIGTERM and SIGKILL. */
export const MINIMUM_GRACE_MS = 2_000
/** The grace of a pod that vanished from the API, e.g. by a forced deletion. */
const GONE_GRACE_MS = 2_000
const DEFAULT_GRACE_SECONDS = 30

export function endingCause(input: PlanInput): EndingCause | undefined {
  const { pod, memory } = input
  if (memory.gone) return 'Gone'
  if (pod.metadata.deletionTimestamp) return 'Deleted'
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return 'Ended'
  if (memory.rejected) return 'Rejected'
  const deadline = deadlineMs(input)
  if (deadline !== undefined && input.nowMs >= deadline) return 'DeadlineExceeded'
  if (memory.stageTimeout || startTimedOut(input)) return 'StageTimeout'
  if (initFailed(input)) return 'InitFailed'
  return completed(input) ? 'Completed' : undefined
}

/** When activeDeadlineSeconds is over. */
export function deadlineMs({ pod, memory }: PlanInput): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds
  return seconds === undefined ? undefined : memory.acceptedAtMs + seconds * 1000
}

function initFailed(input: PlanInput): boolean {
  const spec = specOf(input.pod)
  return (spec.initContainers ?? []).some((container) => {
    if (roleOf(spec, container.name) !== 'init') return false
    const state = lastOf(input, container.name)
    return state?.state === 'Exited' && !isInitDone(input, state) && !runsAgain(input, container, 'init', state)
  })
}

function completed(input: PlanInput): boolean {
  const spec = specOf(input.pod)
  return spec.containers.length > 0 && spec.containers.every((container) => isDone(input, container))
}

function isDone(input: PlanInput, container: Container): boolean {
  const state = lastOf(input, container.name)
  if (state?.state !== 'Exited') return false
  const redefined = input.memory.containers[container.name]?.redefined === state.id
  return !redefined && !runsAgain(input, container, 'main', state)
}

export function planEnding(input: PlanInput, cause: EndingCause): PodPlan {
  const plan = (actions: Action[], wakeAtMs?: number): PodPlan => ({
    actions,
    waiting: {},
    ending: cause,
    ...(wakeAtMs !== undefined && { wakeAtMs }),
  })
  const { memory, jobs, sandboxes, heldUntilMs } = input
  const actions: Action[] = heldUntilMs === undefined ? planStops(input, cause) : []
  const stopping = Object.keys(jobs.stopping).length > 0
  if (jobs.forward) {
    if (!jobs.cancelled && isProgress(jobs.forward)) actions.unshift({ do: 'Cancel' })
    return plan(actions)
  }
  if (actions.length > 0 || stopping || liveContainers(input).length > 0) return plan(actions, heldUntilMs)
  const failure = memory.setupFailure
  if (failure && input.nowMs < failure.retryAtMs) return plan([], failure.retryAtMs)
  if (!memory.finished) return plan([{ do: 'Finish' }])
  const sandbox = sandboxes[0]
  if (sandbox) return plan([{ do: 'RemoveSandbox', sandbox: sandbox.id }])
  if (memory.volumesReady) return plan([{ do: 'RemoveVolumes' }])
  if (cause === 'Gone') return plan([{ do: 'Forget' }])
  return plan(cause === 'Deleted' && !memory.deleted ? [{ do: 'DeletePod' }] : [])
}

/** Jobs that bring a pod up are given up at its end; those that take it down go on. */
function isProgress(job: Action['do']): boolean {
  return job === 'PrepareVolumes' || job === 'CreateSandbox' || job === 'PullImage' || job === 'StartContainer'
}

function liveContainers({ sandboxes }: PlanInput): ContainerState[] {
  return sandboxes.flatMap((sandbox) => sandbox.containers.filter(isLive))
}

function planStops(input: PlanInput, cause: EndingCause): Action[] {
  const { jobs, nowMs } = input
  const deadline = (input.memory.endingSinceMs ?? nowMs) + graceMs(input, cause)
  const actions: Action[] = []
  for (const state of nextToStop(input)) {
    const underWay = jobs.stopping[state.id]
    const remaining = Math.max(MINIMUM_GRACE_MS, deadline - nowMs)
    // A second, more impatient deletion shortens a stop that is under way.
    if (underWay !== undefined && underWay <= Math.max(deadline, nowMs + MINIMUM_GRACE_MS)) continue
    actions.push({ do: 'StopContainer', container: state.name, id: state.id, graceMs: remaining, why: 'Ending' })
  }
  return actions
}

/** Everything but sidecars; when that is gone, the sidecar that started last. */
function nextToStop(input: PlanInput): ContainerState[] {
  const spec = specOf(input.pod)
  const live = liveContainers(input)
  const others = live.filter((state) => roleOf(spec, state.name) !== 'sidecar')
  if (others.length > 0) return others
  const order = (spec.initContainers ?? []).map((container) => container.name)
  const last = live.reduce((at, state) => Math.max(at, order.indexOf(state.name)), -1)
  return live.filter((state) => order.indexOf(state.name) === last)
}

function graceMs({ pod }: PlanInput, cause: EndingCause): number {
  const own = (pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000
  const asked = pod.metadata.deletionGracePeriodSeconds
  if (cause === 'Gone') return asked === undefined ? GONE_GRACE_MS : Math.min(asked * 1000, own)
  return cause === 'Deleted' && asked !== undefined ? asked * 1000 : own
}
