/**
 * What to do next for one pod, from what is and what should be. Pure: time, the runtime's view and the agent's memory come
 * in, actions go out, and the same input always gives the same plan. One step forward at a time: volumes, sandbox, init
 * containers in their order (sidecars stay), then the main containers in theirs.
 */
import type { Stage } from '../../api/extensions/stage-timeouts.ts'
import type { Container } from '../../api/types.ts'
import type { ContainerState } from '../runtime/runtime.ts'
import {
  findContainer,
  instanceOf,
  isInitDone,
  isLive,
  isRedefined,
  isSidecar,
  isStarted,
  lastOf,
  newest,
  roleOf,
  runsAgain,
  specOf,
} from './containers.ts'
import { deadlineMs, endingCause, planEnding } from './ending.ts'
import { heldUntilMs } from './held.ts'
import { formatDelay, waitUntil } from './restart-backoff.ts'
import { dueSignals } from './signals.ts'
import { runningLimit, startLimitMs } from './stages.ts'
import type { Action, Failure, PlanInput, PodPlan, Role } from './types.ts'

/** How long a failed pull is shown as such before it is shown as waiting for the next. */
const PULL_ERROR_SHOWN_MS = 5_000

export function planPod(input: PlanInput): PodPlan {
  const cause = endingCause(input)
  return cause ? planEnding(input, cause) : planProgress(input)
}

function planProgress(input: PlanInput): PodPlan {
  const draft = new Draft(input)
  draft.wakeAt(deadlineMs(input))
  for (const sandbox of input.sandboxes) for (const state of sandbox.containers) planRunning(draft, state)
  planForward(draft)
  planGarbage(draft)
  return draft.plan
}

/** Collects a plan; keeps the one promise about forward actions: at most one, and none while a job is under way. */
class Draft {
  readonly input: PlanInput
  readonly plan: PodPlan = { actions: [], waiting: {} }
  private moving: boolean
  constructor(input: PlanInput) {
    this.input = input
    this.moving = input.jobs.forward !== undefined
  }
  add(action: Action): void {
    this.plan.actions.push(action)
  }
  forward(action: Action): void {
    if (this.moving) return
    this.moving = true
    this.add(action)
  }
  wait(container: string, reason: string, message: string): void {
    this.plan.waiting[container] = { reason, message }
  }
  wakeAt(atMs: number | undefined): void {
    if (atMs === undefined || atMs <= this.input.nowMs) return
    this.plan.wakeAtMs = Math.min(atMs, this.plan.wakeAtMs ?? Number.POSITIVE_INFINITY)
  }
}

function planRunning(draft: Draft, state: ContainerState): void {
  planStop(draft, state)
  const signals = dueSignals(draft.input, state)
  if (signals) draft.add({ do: 'SignalContainer', container: state.name, id: state.id, ...signals })
}

/** Stops a running container whose probe failed, or whose definition is another now. */
function planStop(draft: Draft, state: ContainerState): void {
  const { input } = draft
  const spec = specOf(input.pod)
  const container = findContainer(spec, state.name)
  if (!container || !isLive(state) || input.jobs.stopping[state.id] !== undefined) return
  const failed = input.memory.health[state.id]?.failed
  const stage = failed ? undefined : overdueStage(draft, container, state)
  const why = failed ?? (stage ? 'StageTimeout' : isRedefined(container, input.pod, state) ? 'Redefined' : undefined)
  if (!why) return
  const probe = why === 'Liveness' ? container.livenessProbe : why === 'Startup' ? container.startupProbe : undefined
  const seconds = probe?.terminationGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30
  draft.add({ do: 'StopContainer', container: state.name, id: state.id, graceMs: seconds * 1000, why, ...(stage && { stage }) })
}

/** The stage that a running container has taken too long for; otherwise notes when it will have. */
function overdueStage(draft: Draft, container: Container, state: ContainerState): Stage | undefined {
  const { input } = draft
  const role = roleOf(specOf(input.pod), container.name)
  const limit = role && runningLimit(input, container, role, state)
  if (!limit) return undefined
  if (limit.atMs <= input.nowMs) return limit.stage
  draft.wakeAt(limit.atMs)
  return undefined
}

function planForward(draft: Draft): void {
  const { memory, nowMs, pod } = draft.input
  if (memory.setupFailure && nowMs < memory.setupFailure.retryAtMs) {
    draft.wakeAt(memory.setupFailure.retryAtMs)
    return
  }
  const setup = nextSetup(draft.input)
  if (setup) draft.forward(setup)
  else {
    const spec = specOf(pod)
    if (planInit(draft)) for (const container of spec.containers) planContainer(draft, container, 'main')
    for (const container of spec.ephemeralContainers ?? []) planContainer(draft, container, 'ephemeral')
  }
}

/** What a pod needs before any container: volumes, and one ready sandbox. */
function nextSetup({ memory, sandboxes }: PlanInput): Action | undefined {
  if (!memory.volumesReady) return { do: 'PrepareVolumes' }
  const [sandbox, older] = sandboxes
  if (older) return { do: 'RemoveSandbox', sandbox: older.id }
  if (!sandbox) return { do: 'CreateSandbox', attempt: memory.nextSandbox }
  return sandbox.state === 'NotReady' ? { do: 'RemoveSandbox', sandbox: sandbox.id } : undefined
}

/** Moves the init containers on. True when the main containers' turn has come. */
function planInit(draft: Draft): boolean {
  const { input } = draft
  const spec = specOf(input.pod)
  const initialized = spec.containers.some((container) => instanceOf(input, container.name))
  for (const container of spec.initContainers ?? []) {
    const state = instanceOf(input, container.name)
    if (isSidecar(container)) {
      if (!isLive(state)) planContainer(draft, container, 'sidecar')
      if (!initialized && !(state && isLive(state) && isStarted(input, container, state))) return false
      continue
    }
    if (initialized || (state && isInitDone(input, state))) continue
    if (!isLive(state)) planContainer(draft, container, 'init')
    return false
  }
  return true
}

/** Starts a container that should run and does not, unless it has to wait. */
function planContainer(draft: Draft, container: Container, role: Role): void {
  const { input } = draft
  const { memory, nowMs } = input
  const state = lastOf(input, container.name)
  const known = memory.containers[container.name]
  const here = instanceOf(input, container.name)
  if (isLive(here)) return
  if (state?.state === 'Exited' && !mayRunAgain(draft, container, role, state)) return
  const attempt = state ? state.attempt + 1 : 0
  draft.wakeAt(startLimitMs(input, container.name, attempt))
  if (known?.failure) {
    showFailure(draft, container, known.failure)
    if (nowMs < known.failure.retryAtMs) return
  }
  const until = state?.finishedAtMs === undefined ? 0 : waitUntil(known?.backoff, state.finishedAtMs)
  if (nowMs < until) {
    const { namespace, name, uid } = input.pod.metadata
    const delay = formatDelay(known?.backoff?.delayMs ?? 0)
    const message = `back-off ${delay} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`
    draft.wait(container.name, 'CrashLoopBackOff', message)
    draft.wakeAt(until)
    return
  }
  if (known?.image?.attempt !== attempt) draft.forward({ do: 'PullImage', container: container.name, attempt })
  else if (attempt === 0 && nowMs < heldUntilMs(input.pod, container.name, known)) {
    draft.wait(container.name, 'WaitingForAttach', 'starts as soon as somebody attaches to it')
    draft.wakeAt(heldUntilMs(input.pod, container.name, known))
  } else draft.forward({ do: 'StartContainer', container: container.name, attempt })
}

/** An init container in a new sandbox runs again whatever it did in the old one. */
function mayRunAgain(draft: Draft, container: Container, role: Role, state: ContainerState): boolean {
  const { input } = draft
  if (role === 'init' && !instanceOf(input, container.name)) return true
  if (input.memory.containers[container.name]?.redefined === state.id) return true
  return runsAgain(input, container, role, state)
}

function showFailure(draft: Draft, container: Container, failure: Failure): void {
  const { nowMs } = draft.input
  const pulling = failure.reason === 'ErrImagePull'
  const shownUntil = failure.atMs + PULL_ERROR_SHOWN_MS
  if (pulling && nowMs >= shownUntil && nowMs < failure.retryAtMs) {
    const message = `Back-off pulling image "${container.image}": ErrImagePull: ${failure.message}`
    draft.wait(container.name, 'ImagePullBackOff', message)
  } else draft.wait(container.name, failure.reason, failure.message)
  if (pulling) draft.wakeAt(shownUntil)
  draft.wakeAt(failure.retryAtMs)
}

/** Of every container the newest ended instance is kept, and the one before a running one; older ones go. */
function planGarbage(draft: Draft): void {
  const { input } = draft
  const sandbox = input.sandboxes[0]
  if (!sandbox || sandbox.containers.length < 3) return
  for (const state of sandbox.containers) {
    const latest = newest(sandbox.containers, state.name)
    if (isLive(state) || !latest || state.attempt >= latest.attempt - 1) continue
    if (roleOf(specOf(input.pod), state.name)) draft.add({ do: 'RemoveContainer', container: state.name, id: state.id })
  }
}
