/** How pods are: ready or not, how their containers ended, which of them ail from the same. Decides, reads nothing. */
import type { ContainerStatus, Pod } from '../../api/types.ts'
import type { CrashReport, PodReport } from './report.ts'

export interface Crash extends CrashReport {
  readonly pod: Pod
  /** It runs again: its log is that of the run before. */
  readonly isPrevious: boolean
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false
}

/** Of a pod that is not ready: the containers whose last run failed. */
export function crashesOf(pod: Pod): Crash[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {}
  return [...initContainerStatuses, ...containerStatuses].flatMap((status) => crashOf(pod, status) ?? [])
}

function crashOf(pod: Pod, { name, ready, state, lastState, restartCount }: ContainerStatus): Crash | undefined {
  if (ready) return undefined
  const ended = state?.terminated ?? lastState?.terminated
  // Of a run that the node has lost sight of nothing is known.
  if (!ended?.exitCode || ended.reason === 'ContainerStatusUnknown') return undefined
  const reason = ended.reason && ended.reason !== 'Error' ? ended.reason : undefined
  return {
    ...{ pod, container: name, exitCode: ended.exitCode, reason, restarts: restartCount ?? 0, at: ended.finishedAt },
    isPrevious: state?.running !== undefined,
  }
}

/** Pods of one workload mostly ail from the same: their names, which stand in the sentences, do not make them differ. */
export function alike(pods: readonly PodReport[]): PodReport[][] {
  const groups = new Map<string, PodReport[]>()
  for (const pod of pods) {
    const key = pod.why.replaceAll(pod.name, '*').replaceAll(/\d+/g, '#')
    const group = groups.get(key)
    if (group) group.push(pod)
    else groups.set(key, [pod])
  }
  return [...groups.values()]
}
