/** How an object is, in a few words: what stands behind its name in a tree. Pure. */

import { podStatus, readyCount } from '../../api/kinds/pod-columns.ts'
import type { KubeObject } from '../../api/object.ts'
import type { ContainerStatus, EndpointSlice, Pod, Service } from '../../api/types.ts'
import { rolloutStateOf } from '../../rollout/index.ts'
import { age } from '../age.ts'
import { shortDigests } from '../short-digests.ts'

/** `idle`: it is as it should be and does nothing, like what is done or scaled to zero. */
export type Health = 'well' | 'busy' | 'bad' | 'idle'

export interface State {
  /** `2/3`, where that can be said. */
  readonly ready?: string | undefined
  readonly text: string
  readonly health: Health
}

interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
}

const plain: State = { text: '', health: 'well' }
const well = (text: string, ready?: string): State => ({ text, health: 'well', ready })
const busy = (text: string, ready?: string): State => ({ text, health: 'busy', ready })
const bad = (text: string, ready?: string): State => ({ text, health: 'bad', ready })
const idle = (text: string, ready?: string): State => ({ text, health: 'idle', ready })

/** `slices` are a Service's. */
export function stateOf(object: KubeObject, slices: readonly EndpointSlice[], nowMs: number): State {
  const state = kindState(object, slices, nowMs)
  return object.metadata.deletionTimestamp !== undefined && object.kind !== 'Pod' ? busy('is being deleted', state.ready) : state
}

function kindState(object: KubeObject, slices: readonly EndpointSlice[], nowMs: number): State {
  const { spec, status } = object
  switch (object.kind) {
    case 'Pod':
      return podState(object as Pod)
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicaSet':
    case 'ReplicationController':
      return workloadState(object)
    case 'Job':
      return jobState(object)
    case 'CronJob':
      return cronJobState(object, nowMs)
    case 'Service':
      return serviceState(object, slices)
    case 'EndpointSlice':
      return endpointState([object as EndpointSlice], '')
    case 'PersistentVolumeClaim':
    case 'PersistentVolume':
      return volumeState(object)
    case 'Ingress':
      return well(((spec?.rules ?? []) as { host?: string }[]).map(({ host = '*' }) => host).join(', '))
    case 'HorizontalPodAutoscaler':
      return autoscalerState(object)
    case 'PodDisruptionBudget':
      return well(disruptions(Number(status?.disruptionsAllowed ?? 0)))
    case 'NetworkPolicy':
      return well(((spec?.policyTypes ?? []) as string[]).join(', '))
    case 'Node':
      return nodeState(object)
    case 'Namespace':
      return status?.phase === 'Active' ? well('Active') : busy(String(status?.phase ?? ''))
    default:
      return otherState(object)
  }
}

function podState(pod: Pod): State {
  const text = podStatus(pod)
  const { phase, conditions } = pod.status ?? {}
  if (phase === 'Succeeded') return idle(text)
  const ready = readyCount(pod)
  const isReady = conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  if (pod.metadata.deletionTimestamp !== undefined) return busy(text, ready)
  if (isReady) return well(text, ready)
  const unplaced = conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (unplaced) return bad(withMessage(text, unplaced.message), ready)
  const isStarting = ['Pending', 'ContainerCreating', 'PodInitializing', 'Running'].includes(text) || /^Init:\d/.test(text)
  if (isStarting) return busy(text === 'Running' ? 'Running, not ready' : text, ready)
  return bad(withMessage(text, pod.status?.message), ready)
}

function withMessage(text: string, message: string | undefined): string {
  return message ? `${text}: ${message}` : text
}

/** A container of a pod; `status` is absent until the node has seen it. */
export function containerState(wanted: string, status: ContainerStatus | undefined, isInit: boolean): State {
  const image = shortDigests(wanted)
  const { running, waiting, terminated } = status?.state ?? {}
  const restarts = status?.restartCount ? `, restarted ${times(status.restartCount)}` : ''
  if (running) {
    const serves = status?.ready || (isInit && status?.started)
    return serves || isInit ? well(`running ${image}${restarts}`) : busy(`running ${image}, not ready${restarts}`)
  }
  if (terminated) {
    if (terminated.exitCode === 0) return idle(`done ${image}`)
    return bad(`${endOf(terminated)}${restarts}`)
  }
  const last = status?.lastState?.terminated
  // Of a crash its end tells, not that the node waits before the next try.
  const isCrash = waiting?.reason === 'CrashLoopBackOff' && last
  if (isCrash) return bad(`CrashLoopBackOff: ${endOf(last)}${restarts}`)
  const isStarting = [undefined, 'ContainerCreating', 'PodInitializing'].includes(waiting?.reason)
  const text = withMessage(waiting?.reason ?? `waiting ${image}`, waiting?.message)
  return isStarting ? busy(text) : bad(`${text}${restarts}`)
}

export function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function endOf({ exitCode, reason }: { exitCode: number; reason?: string | undefined }): string {
  return `ended with exit code ${exitCode}${reason && reason !== 'Error' ? ` (${reason})` : ''}`
}

function workloadState(object: KubeObject): State {
  const rollout = rolloutStateOf(object)
  if (!rollout) return plain
  const { wanted, updated, available, state } = rollout
  const isDaemon = object.kind === 'DaemonSet'
  const serving = Number((isDaemon ? object.status?.numberReady : object.status?.readyReplicas) ?? 0)
  const ready = `${serving}/${wanted}`
  const failure = conditionsOf(object).find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  if (failure) return bad(withMessage(failure.reason ?? 'ReplicaFailure', failure.message), ready)
  if (state === 'stuck') return bad(`rollout stuck: ${updated} of ${wanted} updated`, ready)
  if (state === 'paused') return busy(`rollout paused: ${updated} of ${wanted} updated`, ready)
  if (state === 'held') return busy(`a canary runs: ${updated} of ${wanted} updated`, ready)
  if (wanted === 0) return idle(isDaemon ? 'no node wants it' : 'scaled to zero', ready)
  if (serving < wanted || available < wanted) return busy(updated < wanted ? `${updated} of ${wanted} updated` : '', ready)
  return state === 'rolling' ? busy(`rolling: ${updated} of ${wanted} updated`, ready) : well('', ready)
}

function jobState(object: KubeObject): State {
  const { spec, status } = object
  const ready = `${status?.succeeded ?? 0}/${spec?.completions ?? 1}`
  const ended = conditionsOf(object).find(({ type, status: holds }) => ['Complete', 'Failed'].includes(type) && holds === 'True')
  if (ended?.type === 'Complete') return idle('Complete', ready)
  if (ended) return bad(withMessage('Failed', ended.message || ended.reason), ready)
  if (spec?.suspend) return idle('suspended', ready)
  const active = `${status?.active ?? 0} active`
  return status?.failed ? bad(`${active}, ${status.failed} failed`, ready) : busy(active, ready)
}

function cronJobState({ spec, status }: KubeObject, nowMs: number): State {
  const last = status?.lastScheduleTime ? `, last ${age(status.lastScheduleTime, nowMs)} ago` : ''
  const text = `${JSON.stringify(spec?.schedule ?? '')}${last}`
  return spec?.suspend ? idle(`suspended, ${text}`) : well(text)
}

function serviceState(service: KubeObject, slices: readonly EndpointSlice[]): State {
  const text = serviceText(service as Service)
  return service.spec?.type === 'ExternalName' ? well(text) : endpointState(slices, text)
}

/** `ClusterIP 10.96.0.7:80`. */
export function serviceText({ spec }: Service): string {
  if (spec?.type === 'ExternalName') return `ExternalName ${spec.externalName}`
  const ports = (spec?.ports ?? []).map(({ port }) => port).join(',')
  return `${spec?.type ?? 'ClusterIP'} ${spec?.clusterIP === 'None' ? 'headless' : `${spec?.clusterIP ?? ''}:${ports}`}`
}

function endpointState(slices: readonly EndpointSlice[], text: string): State {
  const { ready, all } = endpointsIn(slices)
  const counted = `${ready}/${all}`
  if (ready > 0) return well(text, counted)
  return bad(text ? `${text}, no ready endpoint` : 'no ready endpoint', counted)
}

export function endpointsIn(slices: readonly EndpointSlice[]): { ready: number; all: number } {
  // A pod with addresses of two families has an endpoint in a slice of each.
  const byTarget = new Map<string, boolean>()
  for (const { metadata, endpoints } of slices) {
    for (const [index, { targetRef, conditions }] of (endpoints ?? []).entries()) {
      const id = targetRef?.uid ?? `${metadata.name}/${index}`
      byTarget.set(id, (byTarget.get(id) ?? false) || conditions?.ready !== false)
    }
  }
  return { ready: [...byTarget.values()].filter(Boolean).length, all: byTarget.size }
}

function volumeState({ spec, status }: KubeObject): State {
  const size = status?.capacity?.storage ?? spec?.capacity?.storage ?? spec?.resources?.requests?.storage
  const text = [status?.phase ?? 'Pending', size, spec?.storageClassName].filter(Boolean).join(' ')
  if (status?.phase === 'Bound' || status?.phase === 'Available') return well(text)
  return status?.phase === 'Pending' || status?.phase === undefined ? busy(text) : bad(text)
}

function autoscalerState(object: KubeObject): State {
  const { spec, status } = object
  const text = `${status?.currentReplicas ?? 0} of ${spec?.minReplicas ?? 1} to ${spec?.maxReplicas}`
  const unable = conditionsOf(object).find(
    ({ type, status: holds }) => ['AbleToScale', 'ScalingActive'].includes(type) && holds === 'False',
  )
  return unable ? bad(withMessage(`${text}; ${unable.reason}`, unable.message)) : well(text)
}

function disruptions(allowed: number): string {
  return `${allowed === 0 ? 'no' : allowed} ${allowed === 1 ? 'disruption' : 'disruptions'} allowed`
}

function nodeState(object: KubeObject): State {
  const ready = conditionsOf(object).find(({ type }) => type === 'Ready')
  if (ready?.status !== 'True') return bad(withMessage('NotReady', ready?.message))
  return object.spec?.unschedulable ? busy('Ready, cordoned') : well('Ready')
}

const TELLING = ['Ready', 'Available', 'Healthy', 'Established', 'Complete', 'Succeeded', 'Accepted', 'Synced']

/** Of any other kind, what its own conditions or its phase say. */
function otherState(object: KubeObject): State {
  const conditions = conditionsOf(object)
  const found = TELLING.map((type) => conditions.find((one) => one.type === type)).find((one) => one !== undefined)
  if (found) {
    if (found.status === 'True') return well(found.type)
    return bad(withMessage(`not ${found.type}`, found.message || found.reason))
  }
  const phase: unknown = object.status?.phase ?? object.status?.state
  if (typeof phase !== 'string') return plain
  return /fail|error|lost|degraded/i.test(phase) ? bad(phase) : well(phase)
}

function conditionsOf({ status }: KubeObject): Condition[] {
  return Array.isArray(status?.conditions) ? (status.conditions as Condition[]) : []
}
