/** A pod's phase from its containers' statuses, as a kubelet computes it. Pure. */
import type { ContainerStatus, PodSpec } from '../../api/types.ts'
import { isSidecar } from '../plan/containers.ts'

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

export function podPhase(
  spec: PodSpec,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
  over: boolean,
): Phase {
  const policy = spec.restartPolicy ?? 'Always'
  const progress = initProgress(spec, init)
  if (progress === 'Failed' && policy === 'Never') return 'Failed'
  const counts = count(main)
  const initialized = counts.running > 0 || counts.stopped > 0
  if (progress !== 'Done' && !initialized) return 'Pending'
  if (counts.waiting > 0) return 'Pending'
  if (counts.running > 0) return 'Running'
  if (counts.stopped === 0) return 'Pending'
  const allSucceeded = counts.stopped === counts.succeeded
  if (over) return allSucceeded ? 'Succeeded' : 'Failed'
  return 'Running'
}

function initProgress(spec: PodSpec, statuses: readonly ContainerStatus[]): 'Done' | 'Pending' | 'Failed' {
  let progress: 'Done' | 'Pending' | 'Failed' = 'Done'
  for (const container of spec.initContainers ?? []) {
    const status = statuses.find((s) => s.name === container.name)
    if (isSidecar(container)) {
      if (!status?.started) progress = progress === 'Done' ? 'Pending' : progress
      continue
    }
    const exitCode = status?.state?.terminated?.exitCode
    if (exitCode === undefined) progress = progress === 'Done' ? 'Pending' : progress
    else if (exitCode !== 0) return 'Failed'
  }
  return progress
}

/** A container that waits for its restart counts as stopped, one that never ran as waiting. */
function count(statuses: readonly ContainerStatus[]): { running: number; waiting: number; stopped: number; succeeded: number } {
  const counts = { running: 0, waiting: 0, stopped: 0, succeeded: 0 }
  for (const { state, lastState } of statuses) {
    if (state?.running) counts.running += 1
    else if (state?.terminated) {
      counts.stopped += 1
      if (state.terminated.exitCode === 0) counts.succeeded += 1
    } else if (lastState?.terminated) counts.stopped += 1
    else counts.waiting += 1
  }
  return counts
}
