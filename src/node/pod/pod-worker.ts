/**
 * The one worker of one pod: looks at what is, plans, publishes the status and sets the plan's actions going. Everything
 * that may matter wakes it; it never waits for an action, so a deletion is heard while an image is being pulled.
 */
import type { Pod } from '../../api/types.ts'
import { planPod } from '../plan/plan-pod.ts'
import { startTimedOut } from '../plan/stages.ts'
import type { Action, PlanInput, PodPlan } from '../plan/types.ts'
import type { StatusInput } from '../status/container-status.ts'
import { podStatus, rejectedStatus } from '../status/pod-status.ts'
import type { NodeContext } from './context.ts'
import { finishPod, performForward } from './forward-actions.ts'
import { HostPorts } from './host-ports.ts'
import { closeNotifying, keepNotifying } from './notifying.ts'
import { observe, recall } from './observe.ts'
import { PodState } from './pod-state.ts'
import { keepProbes } from './probing.ts'
import { fail, removePodDirectory } from './setup-actions.ts'
import { signalContainer } from './signal-action.ts'
import { keepReadiness, noteTurn } from './stage-memory.ts'
import { stopContainer } from './stop-actions.ts'
import { StopHold } from './stop-hold.ts'

/** When the runtime itself cannot be asked. */
const BROKEN_RETRY_MS = 2_000

export interface PodWorkerOptions {
  /** The agent was restarted and the pod is not new to it. */
  adopted: boolean
  /** Called once, when nothing of the pod is left to remember. */
  onForgotten: () => void
}

export class PodWorker {
  readonly state: PodState
  private readonly hostPorts: HostPorts
  private readonly hold: StopHold
  private readonly context: NodeContext
  private readonly options: PodWorkerOptions
  private looking = false
  private again = false
  private closed = false
  private forward: { controller: AbortController; done: Promise<void> } | undefined
  private readonly stops = new Map<string, AbortController>()
  private cancelWake = () => {}
  private cancelTokens = () => {}
  private shown: PodPlan['waiting'] = {}
  private changedAt: Pod | undefined

  constructor(pod: Pod, context: NodeContext, options: PodWorkerOptions) {
    this.context = context
    this.options = options
    this.state = new PodState(
      pod,
      context,
      () => this.objectChanged(),
      () => this.wake(),
    )
    this.hostPorts = new HostPorts(this.state)
    this.hold = new StopHold(this.state, () => this.wake())
    if (options.adopted) recall(this.state, context.clock.now())
    if (!this.state.memory.finished) this.admit(options.adopted)
  }

  /** A pod that is here already keeps its place. */
  private admit(adopted: boolean): void {
    const { pod, memory } = this.state
    const refusal = this.state.wishes.refusal ?? this.context.admit(pod, adopted)
    if (!refusal) return
    memory.rejected = refusal
    this.context.event(pod, { type: 'Warning', ...refusal })
  }

  /** What the API has of the pod now. */
  update(pod: Pod): void {
    this.state.pod = pod
    this.state.status.see(pod)
    this.context.metadata?.changed(this.state.uid)
    this.wake()
  }

  /** The API has no such pod any more. `pod` is what it was last. */
  gone(): void {
    this.state.memory.gone = true
    this.wake()
  }

  wake(): void {
    if (this.closed) return
    if (this.looking) {
      this.again = true
      return
    }
    this.looking = true
    void this.look()
  }

  /** Ends the worker and leaves the pod as it is. */
  async close(): Promise<void> {
    this.letGo()
    for (const stop of this.stops.values()) stop.abort()
    this.forward?.controller.abort()
    await this.forward?.done
  }

  private async look(): Promise<void> {
    do {
      this.again = false
      try {
        await this.step()
      } catch (error) {
        this.context.log.error('pod could not be looked at, will retry', { uid: this.state.uid, error: error as Error })
        this.wakeAfter(BROKEN_RETRY_MS)
      }
    } while (this.again && !this.closed)
    this.looking = false
  }

  private async step(): Promise<void> {
    const { state, context } = this
    const sandboxes = (await context.sandboxes.fresh()).get(state.uid) ?? []
    await observe(state, sandboxes)
    if (this.closed) return
    keepNotifying(state)
    keepProbes(state, () => this.wake())
    keepReadiness(state)
    this.hostPorts.keep()
    const { pod, memory, jobs } = state
    const isLive = state.sandboxes.some(({ containers }) => containers.some((one) => one.state !== 'Exited'))
    const heldUntilMs = isLive ? this.hold.untilMs() : undefined
    const now = { pod, sandboxes: state.sandboxes, memory, jobs, nowMs: context.clock.now() }
    const input: PlanInput = { ...now, ...(heldUntilMs !== undefined && { heldUntilMs }) }
    const plan = planPod(input)
    if (plan.ending && heldUntilMs === undefined) this.beginEnding(input, plan)
    this.publish(input, plan)
    this.tellWaiting(plan)
    this.refreshVolumes()
    if (plan.wakeAtMs !== undefined) this.wakeAfter(plan.wakeAtMs - input.nowMs)
    for (const action of plan.actions) this.perform(action, input, plan)
  }

  private beginEnding(input: PlanInput, plan: PodPlan): void {
    const { memory, probes, pod } = this.state
    for (const each of probes.values()) each.stopRestarting()
    if (memory.endingSinceMs !== undefined) return
    memory.endingSinceMs = input.nowMs
    delete memory.setupFailure
    if (plan.ending === 'StageTimeout') {
      memory.stageTimeout = startTimedOut(input) as { reason: string; message: string }
      this.context.event(pod, { type: 'Warning', ...memory.stageTimeout })
    }
    if (plan.ending !== 'DeadlineExceeded') return
    const message = 'Pod was active on the node longer than the specified deadline'
    this.context.event(pod, { type: 'Normal', reason: 'DeadlineExceeded', message })
  }

  private perform(action: Action, input: PlanInput, plan: PodPlan): void {
    if (action.do === 'PullImage') noteTurn(this.state, action)
    switch (action.do) {
      case 'StopContainer':
        this.stop(action, input.nowMs)
        return
      case 'Cancel':
        this.state.jobs.cancelled = true
        this.forward?.controller.abort()
        return
      case 'SignalContainer':
        signalContainer(this.state, action)
        return
      case 'RemoveContainer':
        // Garbage: if it fails, it is planned again at the next look.
        void this.context.runtime.removeContainer(action.id, { logs: true }).catch((error: Error) => {
          this.context.log.warn('ended container not removed', { container: action.id, error: error.message })
        })
        return
      case 'Forget':
        this.move(action, async () => {
          await removePodDirectory(this.state)
          this.forget()
        })
        return
      case 'PrepareVolumes':
        this.move(action, async (signal) => {
          await performForward(this.state, action, signal)
          this.planTokens()
        })
        return
      case 'Finish':
        this.move(action, () => finishPod(this.state, this.statusInput(input, plan)))
        return
      default:
        this.move(action, (signal) => performForward(this.state, action, signal))
    }
  }

  private move(action: Action, work: (signal: AbortSignal) => Promise<void>): void {
    const { state } = this
    const controller = new AbortController()
    state.jobs.forward = action.do
    state.jobs.cancelled = false
    const done = work(controller.signal)
      .catch((error: unknown) => {
        if (!controller.signal.aborted && !this.closed) fail(state, action.do, (error as Error).message, false)
      })
      .finally(() => {
        state.jobs.forward = undefined
        this.forward = undefined
        this.wake()
      })
    this.forward = { controller, done }
  }

  /** The deadline is the plan's to the millisecond: a later one would look like a stop that is to be shortened. */
  private stop(action: Extract<Action, { do: 'StopContainer' }>, nowMs: number): void {
    const { state, context } = this
    this.stops.get(action.id)?.abort()
    const controller = new AbortController()
    this.stops.set(action.id, controller)
    state.jobs.stopping[action.id] = nowMs + action.graceMs
    void stopContainer(state, action, controller.signal)
      .catch((error: Error) => context.log.warn('container not stopped', { container: action.id, error: error.message }))
      .finally(() => {
        if (this.stops.get(action.id) !== controller) return
        this.stops.delete(action.id)
        delete state.jobs.stopping[action.id]
        this.wake()
      })
  }

  private publish(input: PlanInput, plan: PodPlan): void {
    const { memory, status, jobs } = this.state
    if (memory.finished || memory.gone || plan.ending === 'Ended') return
    // The final status is written by the action that finishes the pod, and nothing comes after it.
    if (jobs.forward === 'Finish' || plan.actions.some((action) => action.do === 'Finish')) return
    const full = this.statusInput(input, plan)
    status.set(memory.rejected ? rejectedStatus(full) : podStatus(full, false))
  }

  private statusInput(input: PlanInput, plan: PodPlan): StatusInput {
    const { runtimeName, hostAddress } = this.context
    return { ...input, pod: this.state.status.known, plan, runtimeName, hostAddress }
  }

  /** Events for containers that began to wait. */
  private tellWaiting(plan: PodPlan): void {
    const { pod, uid } = this.state
    for (const [container, { reason }] of Object.entries(plan.waiting)) {
      if (this.shown[container]?.reason === reason) continue
      if (reason === 'CrashLoopBackOff') {
        const where = `${pod.metadata.name}_${pod.metadata.namespace}(${uid})`
        const message = `Back-off restarting failed container ${container} in pod ${where}`
        this.context.event(pod, { type: 'Warning', reason: 'BackOff', message, container })
      } else if (reason === 'ImagePullBackOff') {
        const message = plan.waiting[container]?.message.replace(/: ErrImagePull: .*$/s, '') ?? ''
        this.context.event(pod, { type: 'Normal', reason: 'BackOff', message, container })
        this.context.event(pod, { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff', container })
      }
    }
    this.shown = plan.waiting
  }

  /** Volumes made from the pod itself follow its labels and annotations. */
  private refreshVolumes(): void {
    const { state } = this
    if (this.changedAt?.metadata === state.pod.metadata) return
    const before = this.changedAt
    this.changedAt = state.pod
    if (!before || !state.memory.volumesReady || state.memory.finished) return
    const { labels, annotations } = state.pod.metadata
    const same = JSON.stringify([before.metadata.labels, before.metadata.annotations]) === JSON.stringify([labels, annotations])
    if (!same) this.rewriteVolumes()
  }

  private objectChanged(): void {
    const { memory } = this.state
    if (this.closed) return
    delete memory.setupFailure
    for (const known of Object.values(memory.containers)) {
      if (known.failure?.reason === 'CreateContainerConfigError') delete known.failure
    }
    if (memory.volumesReady && !memory.finished) this.rewriteVolumes()
    this.wake()
  }

  private rewriteVolumes(): void {
    const { state, context } = this
    this.cancelTokens()
    void state.volumes
      .refresh(state.pod, state.fields(), context.signal)
      .catch((error: Error) => {
        if (!this.closed) context.event(state.pod, { type: 'Warning', reason: 'FailedMount', message: error.message })
      })
      .finally(() => this.planTokens())
  }

  private planTokens(): void {
    const due = this.state.tokens.dueAtMs
    if (due === undefined || this.closed || this.state.memory.finished) return
    this.cancelTokens()
    // A renewal that failed left the time in the past: not more often than once in a while.
    const delay = Math.max(10_000, due - this.context.clock.now())
    this.cancelTokens = this.context.clock.after(delay, () => this.rewriteVolumes(), { unref: true })
  }

  private wakeAfter(delayMs: number): void {
    this.cancelWake()
    this.cancelWake = this.context.clock.after(Math.max(0, delayMs), () => this.wake(), { unref: true })
  }

  private forget(): void {
    this.letGo()
    this.options.onForgotten()
  }

  /** Nothing of it is waited for, watched or held any more. */
  private letGo(): void {
    this.closed = true
    this.cancelWake()
    this.cancelTokens()
    this.hostPorts.close()
    this.state.stopProbes()
    closeNotifying(this.state)
    this.state.releaseWatches()
    this.state.attaches.close()
    this.hold.close()
  }
}
