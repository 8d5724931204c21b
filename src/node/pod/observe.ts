/** Takes what the runtime shows into the memory of a pod. */
import { stageTimeoutReason } from '../../api/extensions/stage-timeouts.ts'
import type { ContainerStatus, Pod } from '../../api/types.ts'
import { exitCodeOf, findContainer, isLive, newest, specOf } from '../plan/containers.ts'
import type { ContainerMemory } from '../plan/types.ts'
import type { ContainerState, SandboxState } from '../runtime/runtime.ts'
import { UNKNOWN_EXIT_CODE, UNKNOWN_REASON } from '../status/container-status.ts'
import { terminationFile } from './container-config.ts'
import type { PodState } from './pod-state.ts'
import { terminationMessage } from './termination-message.ts'

/** As the program `timeout` has it. */
const TIMED_OUT_EXIT_CODE = 124

/** `sandboxes`: the runtime's of this pod, newest first. */
export async function observe(state: PodState, sandboxes: readonly SandboxState[]): Promise<void> {
  const { memory } = state
  state.sandboxes = await Promise.all(sandboxes.map((sandbox) => withMessages(state, sandbox)))
  for (const sandbox of state.sandboxes) {
    memory.nextSandbox = Math.max(memory.nextSandbox, sandbox.attempt + 1)
    for (const container of sandbox.containers) remember(state, container)
  }
  for (const [name, known] of Object.entries(memory.containers)) loseMissing(state, name, known)
}

function remember(state: PodState, container: ContainerState): void {
  state.memory.containers[container.name] ??= {}
  const known = state.memory.containers[container.name] as ContainerMemory
  const last = known.last
  if (!last || container.attempt > last.attempt) {
    if (last) known.previous = last
    known.last = container
  } else if (container.attempt === last.attempt) {
    known.last = container
  } else if (!known.previous || container.attempt >= known.previous.attempt) {
    known.previous = container
  }
}

/** What was running and is nowhere any more has ended, nobody knows how. */
function loseMissing(state: PodState, name: string, known: ContainerMemory): void {
  const { last } = known
  if (!last || !isLive(last)) return
  const found = state.sandboxes.some((sandbox) => newest(sandbox.containers, name)?.attempt === last.attempt)
  if (!found) known.last = lost(last, state.context.clock.now(), 'The container could not be located when the pod was terminated')
}

function lost(container: ContainerState, nowMs: number, message: string): ContainerState {
  return { ...container, state: 'Exited', exitCode: UNKNOWN_EXIT_CODE, reason: UNKNOWN_REASON, message, finishedAtMs: nowMs }
}

/** The sandbox with the last words of its ended containers filled in. */
async function withMessages(state: PodState, sandbox: SandboxState): Promise<SandboxState> {
  if (!state.context.writesFiles) return sandbox
  const containers = await Promise.all(
    sandbox.containers.map(async (container) => {
      if (container.state !== 'Exited') return container
      const ended = judged(state, container)
      const message = await lastWords(state, ended)
      return message === '' ? ended : { ...ended, message }
    }),
  )
  return { ...sandbox, containers }
}

/** A container that was stopped because a stage took too long has failed, however politely it left. */
function judged({ memory }: PodState, container: ContainerState): ContainerState {
  const timedOut = memory.containers[container.name]?.timedOut
  if (timedOut?.id !== container.id) return container
  return { ...container, reason: stageTimeoutReason(timedOut.stage), exitCode: exitCodeOf(container) || TIMED_OUT_EXIT_CODE }
}

async function lastWords(state: PodState, container: ContainerState): Promise<string> {
  const { last, previous } = state.memory.containers[container.name] ?? {}
  const known = [last, previous].find((each) => each?.id === container.id && each.state === 'Exited')
  if (known) return known.message ?? ''
  const spec = findContainer(specOf(state.pod), container.name)
  if (!spec) return ''
  const { podsDirectory, clock } = state.context
  const file = terminationFile(podsDirectory, state.uid, container.name, container.attempt)
  return terminationMessage(spec, container, file, clock)
}

/**
 * After a restart of the agent: what the API's status says of containers that the runtime no longer has, so that counts go
 * on and a container that was running is not taken for one that never ran.
 */
export function recall(state: PodState, nowMs: number): void {
  for (const status of statusesOf(state.pod)) {
    if (!status.containerID || state.memory.containers[status.name]?.last) continue
    state.memory.containers[status.name] = { ...state.memory.containers[status.name], last: fromStatus(status, nowMs) }
  }
}

function statusesOf(pod: Pod): ContainerStatus[] {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses]
}

function fromStatus(status: ContainerStatus, nowMs: number): ContainerState {
  const base: ContainerState = {
    id: (status.containerID ?? '').replace(/^.*:\/\//, ''),
    name: status.name,
    attempt: status.restartCount,
    image: status.image,
    imageId: status.imageID,
    state: 'Exited',
    logPath: '',
    labels: {},
  }
  const ended = status.state?.terminated ?? (status.state?.waiting ? status.lastState?.terminated : undefined)
  if (!ended) {
    const startedAt = status.state?.running?.startedAt
    const started = startedAt ? { startedAtMs: Date.parse(startedAt) } : {}
    return lost(
      { ...base, ...started },
      nowMs,
      'The container could not be located when the pod was deleted.  The container used to be Running',
    )
  }
  return {
    ...base,
    exitCode: ended.exitCode,
    ...(ended.reason && { reason: ended.reason }),
    ...(ended.message && { message: ended.message }),
    ...(ended.startedAt && { startedAtMs: Date.parse(ended.startedAt) }),
    ...(ended.finishedAt && { finishedAtMs: Date.parse(ended.finishedAt) }),
  }
}
