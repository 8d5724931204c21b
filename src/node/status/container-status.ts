/**
 * `containerStatuses` from what the runtime has and what the plan waits for, as a kubelet words them (k8s.io/api core/v1
 * `ContainerStatus`). Pure.
 */
import type {
  ContainerState as ApiState,
  Container,
  ContainerStateTerminated,
  ContainerStatus,
  VolumeMount,
} from '../../api/types.ts'
import { exitCodeOf, isLive, lastOf, runsAgain, specOf } from '../plan/containers.ts'
import { isAwaited, notifyOf } from '../plan/stages.ts'
import type { PlanInput, PodPlan, Role } from '../plan/types.ts'
import type { ContainerState } from '../runtime/runtime.ts'
import { statusTime } from './time.ts'

/** The exit code of a container that was running and that nobody knows the end of. */
export const UNKNOWN_EXIT_CODE = 137
export const UNKNOWN_REASON = 'ContainerStatusUnknown'

export interface StatusInput extends PlanInput {
  plan: PodPlan
  /** The prefix of container ids, e.g. `skiff-local`. */
  runtimeName: string
  hostAddress: string
}

export function containerStatus(input: StatusInput, container: Container, role: Role): ContainerStatus {
  const instance = lastOf(input, container.name)
  const known = input.memory.containers[container.name]
  const previous = instance && known?.previous && known.previous.attempt < instance.attempt ? known.previous : undefined
  const { state, lastState } = describe(input, container, role, instance, previous)
  const health = instance ? input.memory.health[instance.id] : undefined
  const running = state.running !== undefined
  const awaited = instance !== undefined && isAwaited(input, instance)
  const started = running && !known?.starting && !awaited && (health?.started ?? !container.startupProbe)
  const ready =
    role === 'init'
      ? instance?.state === 'Exited' && exitCodeOf(instance) === 0
      : role !== 'ephemeral' && started && !isStopping(input, instance) && (health?.ready ?? !container.readinessProbe)
  return {
    name: container.name,
    state,
    lastState,
    ready,
    restartCount: instance?.attempt ?? 0,
    image: instance?.image || (container.image ?? ''),
    imageID: instance?.imageId ?? '',
    ...(instance?.id && { containerID: `${input.runtimeName}://${instance.id}` }),
    started,
    ...(running && resourcesOf(container)),
    ...mountsOf(container.volumeMounts),
  }
}

/** It has said that it is on its way out. */
function isStopping(input: StatusInput, instance: ContainerState | undefined): boolean {
  return instance !== undefined && notifyOf(input, instance)?.stopping === true
}

function describe(
  input: StatusInput,
  container: Container,
  role: Role,
  instance: ContainerState | undefined,
  previous: ContainerState | undefined,
): { state: ApiState; lastState: ApiState } {
  const before: ApiState = previous ? { terminated: terminated(input, previous) } : {}
  const waiting = input.plan.waiting[container.name]
  if (!instance) return { state: { waiting: waiting ?? { reason: firstReason(input) } }, lastState: {} }
  if (isLive(instance)) {
    const startedAt = statusTime(instance.startedAtMs ?? input.nowMs)
    return { state: { running: { startedAt } }, lastState: before }
  }
  const ended: ApiState = { terminated: terminated(input, instance) }
  const again = !input.plan.ending && runsAgain(input, container, role, instance)
  return waiting && again ? { state: { waiting }, lastState: ended } : { state: ended, lastState: before }
}

/** What a container waits for that was never started. */
function firstReason(input: StatusInput): string {
  return (specOf(input.pod).initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating'
}

export function terminated(input: { runtimeName: string }, state: ContainerState): ContainerStateTerminated {
  const exitCode = exitCodeOf(state)
  return {
    exitCode,
    reason: state.reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
    ...(state.message && { message: state.message }),
    ...(state.startedAtMs !== undefined && { startedAt: statusTime(state.startedAtMs) }),
    ...(state.finishedAtMs !== undefined && { finishedAt: statusTime(state.finishedAtMs) }),
    ...(state.id && { containerID: `${input.runtimeName}://${state.id}` }),
  }
}

function resourcesOf(container: Container): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const { requests, limits } = container.resources ?? {}
  if (!requests && !limits) return { resources: {} }
  return {
    ...(requests && { allocatedResources: requests }),
    resources: { ...(limits && { limits }), ...(requests && { requests }) },
  }
}

function mountsOf(mounts: readonly VolumeMount[] | undefined): Pick<ContainerStatus, 'volumeMounts'> {
  if (!mounts || mounts.length === 0) return {}
  return {
    volumeMounts: mounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly && { readOnly, recursiveReadOnly: 'Disabled' }),
    })),
  }
}
