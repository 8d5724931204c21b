/** How a pod is summed up in a table: the one word of its state, counts, restarts. Pure functions of the pod. */
import type { Column } from '../definition.ts'
import { humanDuration } from '../human-duration.ts'
import type { ContainerState, ContainerStatus, Pod } from '../types.ts'
import { ageColumn, column, wideColumn } from './columns.ts'

const pod = (object: object) => object as Pod

export const podColumns: readonly Column[] = [
  column('Ready', (object) => readyCount(pod(object))),
  column('Status', (object) => podStatus(pod(object))),
  column('Restarts', (object, { now }) => restarts(pod(object), now)),
  ageColumn,
  wideColumn('IP', (object) => podIp(pod(object))),
  wideColumn('Node', (object) => object.spec?.nodeName || '<none>'),
  wideColumn('Nominated Node', (object) => object.status?.nominatedNodeName || '<none>'),
  wideColumn('Readiness Gates', (object) => readinessGates(pod(object))),
]

function podIp(pod: Pod): string {
  return pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>'
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates
  if (!gates?.length) return '<none>'
  const met = gates.filter((gate) => isTrue(pod, gate.conditionType)).length
  return `${met}/${gates.length}`
}

function isTrue(pod: Pod, condition: string): boolean {
  return pod.status?.conditions?.some((c) => c.type === condition && c.status === 'True') ?? false
}

/** Init containers that keep running beside the others, by name. */
function sidecarNames(pod: Pod): Set<string> {
  const names = new Set<string>()
  for (const container of pod.spec?.initContainers ?? []) if (container.restartPolicy === 'Always') names.add(container.name)
  return names
}

/** `1/2`: containers that serve, of those that should. */
export function readyCount(pod: Pod): string {
  const sidecars = sidecarNames(pod)
  const isServing = (status: ContainerStatus) => status.ready && status.state?.running !== undefined
  const containers = (pod.status?.containerStatuses ?? []).filter(isServing).length
  const started = (pod.status?.initContainerStatuses ?? []).filter((s) => sidecars.has(s.name) && s.started && s.ready).length
  return `${containers + started}/${(pod.spec?.containers?.length ?? 0) + sidecars.size}`
}

/** The STATUS column: the phase, unless a reason says more. */
export function podStatus(pod: Pod): string {
  let reason = pod.status?.reason || pod.status?.phase || 'Unknown'
  if (pod.status?.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated')) reason = 'SchedulingGated'
  const init = initStatus(pod)
  if (init.reason) reason = init.reason
  if (!init.waiting || isTrue(pod, 'Initialized')) reason = mainStatus(pod, reason)
  if (pod.metadata.deletionTimestamp) {
    if (pod.status?.reason === 'NodeLost') return 'Unknown'
    return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded' ? reason : 'Terminating'
  }
  return reason
}

/** What the first init container that is not done says, if there is one. */
function initStatus(pod: Pod): { waiting: boolean; reason?: string } {
  const sidecars = sidecarNames(pod)
  const statuses = pod.status?.initContainerStatuses ?? []
  for (const [index, status] of statuses.entries()) {
    const terminated = status.state?.terminated
    if (terminated?.exitCode === 0) continue
    if (sidecars.has(status.name) && status.started) continue
    if (terminated) return { waiting: true, reason: `Init:${terminated.reason || exitReason(terminated)}` }
    const waiting = status.state?.waiting?.reason
    if (waiting && waiting !== 'PodInitializing') return { waiting: true, reason: `Init:${waiting}` }
    return { waiting: true, reason: `Init:${index}/${pod.spec?.initContainers?.length ?? 0}` }
  }
  return { waiting: false }
}

function mainStatus(pod: Pod, fallback: string): string {
  let reason = fallback
  let running = false
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    const { waiting, terminated } = status.state ?? {}
    if (waiting?.reason) reason = waiting.reason
    else if (terminated) reason = terminated.reason || exitReason(terminated)
    else if (status.ready && status.state?.running) running = true
  }
  if (reason !== 'Completed' || !running) return reason
  return isTrue(pod, 'Ready') ? 'Running' : 'NotReady'
}

function exitReason(terminated: NonNullable<ContainerState['terminated']>): string {
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`
}

/** The number of restarts, and how long ago the last one was. While init containers run only theirs count. */
function restarts(pod: Pod, now: number): string {
  const sidecars = sidecarNames(pod)
  const init = pod.status?.initContainerStatuses ?? []
  const initializing = initStatus(pod).waiting && !isTrue(pod, 'Initialized')
  const counted = initializing ? init : [...init.filter((s) => sidecars.has(s.name)), ...(pod.status?.containerStatuses ?? [])]
  let count = 0
  let last = 0
  for (const status of counted) {
    count += status.restartCount ?? 0
    const finished = status.lastState?.terminated?.finishedAt
    if (finished) last = Math.max(last, Date.parse(finished))
  }
  return count > 0 && last > 0 ? `${count} (${humanDuration(now - last)} ago)` : String(count)
}
