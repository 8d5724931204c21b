/** Why a pod is not ready, from its own status: the last word where nothing else is behind it. Pure. */
import { REQUIREMENTS_MET, REQUIRES_GATE } from '../../api/requires/names.ts'
import type { Container, ContainerStatus, Pod } from '../../api/types.ts'

export interface PodReason {
  why: string
  /** RFC 3339. */
  since?: string | undefined
  /** What it says is only that it is so: the pod's events may say more. */
  vague?: true
}

/** Whether the pod waits for what it requires. */
export function isHeld({ spec }: Pod): boolean {
  return spec?.schedulingGates?.some(({ name }) => name === REQUIRES_GATE) ?? false
}

/** Undefined for a pod that is ready, or that has done what it was for. */
export function podReason(pod: Pod): PodReason | undefined {
  const { metadata, spec, status } = pod
  if (metadata.deletionTimestamp) return { why: 'it is being deleted', since: metadata.deletionTimestamp }
  if (status?.phase === 'Succeeded') return undefined
  const reason = endReason(pod) ?? placeReason(pod) ?? containersReason(pod)
  if (reason)
    return { ...reason, since: reason.since ?? conditionOf(pod, 'Ready')?.lastTransitionTime ?? metadata.creationTimestamp }
  if (conditionOf(pod, 'Ready')?.status === 'True') return undefined
  const since = conditionOf(pod, 'Ready')?.lastTransitionTime ?? metadata.creationTimestamp
  const gate = spec?.readinessGates?.find(({ conditionType }) => conditionOf(pod, conditionType)?.status !== 'True')
  if (gate)
    return { why: `its readiness gate ${gate.conditionType} is not True${said(conditionOf(pod, gate.conditionType))}`, since }
  return {
    why: spec?.nodeName ? `node ${spec.nodeName} has not said that it is ready` : 'it waits for the scheduler',
    since,
    vague: true,
  }
}

/** What has failed for good, or is on its way out, matters only where nothing else came after it. */
export function notWell(pods: readonly Pod[]): Pod[] {
  const others = pods.filter(({ status, metadata }) => status?.phase !== 'Failed' && metadata.deletionTimestamp === undefined)
  return (others.length > 0 ? others : pods).filter((pod) => podReason(pod) !== undefined)
}

/** What the condition of the requirements says, and since when. */
export function requirementsOf(pod: Pod) {
  return conditionOf(pod, REQUIREMENTS_MET)
}

function conditionOf({ status }: Pod, type: string) {
  return status?.conditions?.find((condition) => condition.type === type)
}

function said(from: { reason?: string | undefined; message?: string | undefined } | undefined): string {
  const parts = [from?.reason, from?.message].filter(Boolean)
  return parts.length > 0 ? `: ${parts.join(': ')}` : ''
}

function endReason(pod: Pod): PodReason | undefined {
  const { status } = pod
  if (status?.phase !== 'Failed') return undefined
  const ended = statuses(pod).find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0)
  if (status.reason || !ended) return { why: `it failed${said(status)}` }
  return {
    why: `it failed: ${endOf(`container ${ended.name}`, ended.state?.terminated)}`,
    since: ended.state?.terminated?.finishedAt,
  }
}

function placeReason(pod: Pod): PodReason | undefined {
  const { spec } = pod
  if (spec?.nodeName) return undefined
  const gates = (spec?.schedulingGates ?? []).map(({ name }) => name)
  if (gates.length > 0) {
    const told = pod.status?.conditions?.find(({ type, status }) => status === 'False' && gates.includes(type))
    return {
      why: `it is held by ${gates.length === 1 ? 'the scheduling gate' : 'the scheduling gates'} ${gates.join(', ')}${said(told)}`,
    }
  }
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (scheduled?.status !== 'False') return undefined
  return { why: `no node takes it${said(scheduled)}`, since: scheduled.lastTransitionTime }
}

function statuses({ status }: Pod): ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
}

function containersReason(pod: Pod): PodReason | undefined {
  const { spec, status } = pod
  for (const container of spec?.initContainers ?? []) {
    const found = status?.initContainerStatuses?.find(({ name }) => name === container.name)
    const reason = found && initReason(container, found)
    if (reason) return reason
  }
  for (const { name } of spec?.containers ?? []) {
    const found = status?.containerStatuses?.find((one) => one.name === name)
    if (!found || found.ready) continue
    const reason = stateReason(`container ${name}`, found)
    if (reason) return reason
    const notify = conditionOf(pod, 'skiff.dev/Notify')
    const told = notify?.status === 'False' ? said(notify) : ''
    return {
      why: `container ${name} runs and is not ready${told}`,
      since: found.state?.running?.startedAt,
      ...(told === '' && { vague: true }),
    }
  }
  return undefined
}

function initReason({ name, restartPolicy }: Container, found: ContainerStatus): PodReason | undefined {
  const isSidecar = restartPolicy === 'Always'
  if (isSidecar ? found.started : found.state?.terminated?.exitCode === 0 || found.ready) return undefined
  const reason = stateReason(`init container ${name}`, found)
  return (
    reason ?? {
      why: `init container ${name} ${isSidecar ? 'has not started' : 'is not done'}`,
      since: found.state?.running?.startedAt,
    }
  )
}

/** Undefined while it runs. */
function stateReason(who: string, { state, lastState, restartCount }: ContainerStatus): PodReason | undefined {
  const { waiting, terminated } = state ?? {}
  if (terminated) {
    const vague = isKilled(terminated) && { vague: true as const }
    return { why: endOf(who, terminated), since: terminated.finishedAt, ...vague }
  }
  if (!waiting) return undefined
  // The pod is being made: the runtime has not said anything yet.
  if (!waiting.reason) return { why: `${who} waits`, vague: true }
  const last = lastState?.terminated
  // How long the node waits before the next try says nothing about the crash.
  const told = waiting.reason === 'CrashLoopBackOff' && last ? undefined : waiting.message
  const before = last
    ? `; ${endOf('its last run', last)}${restartCount ? `, restarted ${restartCount === 1 ? 'once' : `${restartCount} times`}` : ''}`
    : ''
  return {
    why: `${who}: ${waiting.reason}${told ? `: ${told}` : ''}${before}`,
    ...((!waiting.message || (last && isKilled(last))) && { vague: true }),
  }
}

/** By a signal that the kernel's memory limit did not send: a probe may be behind it. */
function isKilled({ exitCode, reason }: { exitCode?: number | undefined; reason?: string | undefined }): boolean {
  return (!reason || reason === 'Error') && (exitCode === 137 || exitCode === 143)
}

function endOf(who: string, ended: NonNullable<ContainerStatus['state']>['terminated']): string {
  const { exitCode = 0, reason, message } = ended ?? {}
  const named = reason && reason !== 'Error' ? ` (${reason})` : ''
  return `${who} ended with exit code ${exitCode}${named}${message ? `: ${message}` : ''}`
}
