/** A pod's whole status as this node sees it. Pure: what others wrote into it (their conditions) is kept. */
import type { ContainerStatus, PodStatus } from '../../api/types.ts'
import { isLive, roleOf, specOf } from '../plan/containers.ts'
import type { EndingCause } from '../plan/types.ts'
import { podConditions } from './conditions.ts'
import { containerStatus, type StatusInput, UNKNOWN_EXIT_CODE, UNKNOWN_REASON } from './container-status.ts'
import { notifyFinding } from './notify-condition.ts'
import { type Phase, podPhase } from './phase.ts'
import { qosClass } from './qos.ts'
import { statusTime } from './time.ts'

/** A pod that ends for one of these has failed, whatever its containers did. */
const FAILING = new Set<EndingCause | undefined>(['DeadlineExceeded', 'InitFailed', 'StageTimeout'])

/** `over`: nothing runs any more and nothing will. */
export function podStatus(input: StatusInput, over: boolean): PodStatus {
  const { pod, memory, plan } = input
  const spec = specOf(pod)
  let init = (spec.initContainers ?? []).map((c) => containerStatus(input, c, roleOf(spec, c.name) ?? 'init'))
  let main = spec.containers.map((c) => containerStatus(input, c, 'main'))
  const ephemeral = (spec.ephemeralContainers ?? []).map((c) => containerStatus(input, c, 'ephemeral'))
  if (over) ({ init, main } = closed(init, main))
  const phase = phaseOf(input, init, main, over)
  const sandbox = input.sandboxes[0]
  const ip = sandbox ? sandbox.ip || input.hostAddress : ''
  const conditions = podConditions({
    pod,
    phase: plan.ending === 'Completed' && !over ? podPhase(spec, init, main, true) : phase,
    init,
    main,
    sandboxReady: !over && sandbox?.state === 'Ready',
    notify: notifyFinding(input),
    nowMs: input.nowMs,
  })
  const ips = ip ? { podIP: ip, podIPs: [{ ip }] } : addressOf(pod.status)
  return {
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase,
    conditions,
    ...(over && why(input, phase)),
    hostIP: input.hostAddress,
    hostIPs: [{ ip: input.hostAddress }],
    ...ips,
    startTime: pod.status?.startTime ?? statusTime(memory.acceptedAtMs),
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: main,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
    qosClass: qosClass(pod),
  }
}

/** The status of a pod this node never took. */
export function rejectedStatus(input: StatusInput): PodStatus {
  const { reason, message } = input.memory.rejected ?? { reason: '', message: '' }
  const { pod } = input
  return {
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase: 'Failed',
    reason,
    message: `Pod was rejected: ${message}`,
    conditions: pod.status?.conditions ?? [],
    startTime: pod.status?.startTime ?? statusTime(input.memory.acceptedAtMs),
    qosClass: qosClass(pod),
  }
}

/** An address stays in the status of a pod whose sandbox is gone. */
function addressOf(status: PodStatus | undefined): Pick<PodStatus, 'podIP' | 'podIPs'> {
  return { ...(status?.podIP && { podIP: status.podIP }), ...(status?.podIPs && { podIPs: status.podIPs }) }
}

function phaseOf(input: StatusInput, init: readonly ContainerStatus[], main: readonly ContainerStatus[], over: boolean): Phase {
  const spec = specOf(input.pod)
  const counted = init.map((status) => forgiven(input, status))
  if (!over) {
    const phase = podPhase(spec, counted, main, false)
    // A pod that is being taken down, or has sidecars to wait for, is not over before all of it is.
    const live = input.sandboxes.some((sandbox) => sandbox.containers.some(isLive))
    const ran = input.pod.status?.phase === 'Running' && input.plan.ending !== undefined
    return (phase === 'Failed' && live) || (ran && phase === 'Pending') ? 'Running' : phase
  }
  if (FAILING.has(input.plan.ending)) return 'Failed'
  const phase = podPhase(spec, counted, main, true)
  return phase === 'Succeeded' ? 'Succeeded' : 'Failed'
}

/** A pre-start hook whose failure is not minded counts as one that succeeded, one that is tried again as one that waits. */
function forgiven({ memory }: StatusInput, status: ContainerStatus): ContainerStatus {
  const ended = status.state?.terminated
  const policy = ended && ended.exitCode !== 0 ? memory.preStarts?.[status.name]?.onFailure : undefined
  if (!ended || policy === undefined || policy === 'abort') return status
  if (policy === 'retry') return { ...status, state: { waiting: { reason: 'PodInitializing' } } }
  return { ...status, state: { terminated: { ...ended, exitCode: 0 } } }
}

function why(input: StatusInput, phase: Phase): Pick<PodStatus, 'reason' | 'message'> {
  if (input.plan.ending === 'DeadlineExceeded') {
    return { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }
  }
  if (input.memory.stageTimeout) return input.memory.stageTimeout
  const { reason, message } = input.pod.status ?? {}
  return phase === 'Failed' && reason ? { reason, ...(message && { message }) } : {}
}

/** What no longer runs but was never seen to end is told as such, once a pod got as far as its main containers. */
function closed(init: ContainerStatus[], main: ContainerStatus[]): { init: ContainerStatus[]; main: ContainerStatus[] } {
  const ran = main.some((s) => s.state?.terminated || s.state?.running || s.lastState?.terminated)
  const lastStarted = init.findLastIndex((s) => s.state?.terminated || s.state?.running)
  return {
    init: init.map((status, index) => (ran || index <= lastStarted ? close(status) : status)),
    main: ran ? main.map(close) : main,
  }
}

function close(status: ContainerStatus): ContainerStatus {
  if (status.state?.terminated) return status
  const message = 'The container could not be located when the pod was terminated'
  const unknown = { exitCode: UNKNOWN_EXIT_CODE, reason: UNKNOWN_REASON, message }
  const { containerID } = status
  const ended = status.lastState?.terminated && status.state?.waiting ? status.lastState.terminated : undefined
  return {
    ...status,
    state: { terminated: ended ?? { ...unknown, ...(containerID && { containerID }) } },
    lastState: ended ? {} : (status.lastState ?? {}),
    ready: false,
    started: false,
  }
}
