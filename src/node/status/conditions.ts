/**
 * The conditions a node keeps on a pod: PodReadyToStartContainers, Initialized, Ready, ContainersReady,
 * skiff.dev/Notify. Others stay. Pure.
 */
import { NOTIFY_CONDITION } from '../../api/extensions/names.ts'
import type { ContainerStatus, Pod, PodCondition, PodSpec } from '../../api/types.ts'
import { isSidecar } from '../plan/containers.ts'
import type { Phase } from './phase.ts'
import { statusTime } from './time.ts'

export interface ConditionInput {
  pod: Pod
  phase: Phase
  init: readonly ContainerStatus[]
  main: readonly ContainerStatus[]
  sandboxReady: boolean
  /** Of the pods whose containers notify. */
  notify?: Finding | undefined
  nowMs: number
}

export type Finding = { status: 'True' | 'False'; reason?: string; message?: string }

export function podConditions(input: ConditionInput): PodCondition[] {
  const containers = containersReady(input)
  const found: Record<string, Finding> = {
    PodReadyToStartContainers: { status: input.sandboxReady ? 'True' : 'False' },
    Initialized: initialized(input),
    Ready: ready(input, containers),
    ContainersReady: containers,
    ...(input.notify && { [NOTIFY_CONDITION]: input.notify }),
  }
  const before = input.pod.status?.conditions ?? []
  const mine = Object.entries(found).map(([type, finding]) => condition(input, type, finding, before))
  const others = before.filter((c) => !(c.type in found))
  // A pod that was bound by hand, without a scheduler, is scheduled nevertheless.
  if (!others.some((c) => c.type === 'PodScheduled')) {
    others.push(condition(input, 'PodScheduled', { status: 'True' }, before))
  }
  return [...mine, ...others]
}

function condition(input: ConditionInput, type: string, finding: Finding, before: readonly PodCondition[]): PodCondition {
  const old = before.find((c) => c.type === type)
  const generation = input.pod.metadata.generation
  return {
    type,
    ...(generation !== undefined && { observedGeneration: generation }),
    status: finding.status,
    lastTransitionTime:
      old?.status === finding.status && old.lastTransitionTime ? old.lastTransitionTime : statusTime(input.nowMs),
    ...(finding.reason && { reason: finding.reason }),
    ...(finding.message && { message: finding.message }),
  }
}

function specOf(pod: Pod): PodSpec {
  return pod.spec ?? { containers: [] }
}

function initialized({ pod, phase, init, main }: ConditionInput): Finding {
  const spec = specOf(pod)
  const containers = spec.initContainers ?? []
  if (containers.length === 0 || main.some((s) => s.state?.running || s.state?.terminated || s.lastState?.terminated))
    return { status: 'True' }
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' }
  const incomplete = containers.filter((container) => {
    const status = init.find((s) => s.name === container.name)
    return isSidecar(container) ? !status?.started : status?.state?.terminated?.exitCode !== 0
  })
  if (incomplete.length === 0) return { status: 'True' }
  const names = incomplete.map((c) => c.name).join(' ')
  return { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${names}]` }
}

function containersReady({ pod, phase, init, main }: ConditionInput): Finding {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const spec = specOf(pod)
  const sidecars = (spec.initContainers ?? []).filter(isSidecar)
  const unready = [...sidecars, ...spec.containers].filter((c) => {
    return !(init.find((s) => s.name === c.name) ?? main.find((s) => s.name === c.name))?.ready
  })
  if (unready.length === 0) return { status: 'True' }
  const names = unready.map((c) => c.name).join(' ')
  return { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${names}]` }
}

function ready({ pod }: ConditionInput, containers: Finding): Finding {
  if (containers.status !== 'True') return containers
  const complaints: string[] = []
  for (const { conditionType } of specOf(pod).readinessGates ?? []) {
    const gate = pod.status?.conditions?.find((c) => c.type === conditionType)
    if (!gate) complaints.push(`corresponding condition of pod readiness gate ${JSON.stringify(conditionType)} does not exist.`)
    else if (gate.status !== 'True') {
      const name = JSON.stringify(conditionType)
      complaints.push(`the status of pod readiness gate ${name} is not "True", but ${gate.status}`)
    }
  }
  if (complaints.length === 0) return { status: 'True' }
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: complaints.join(', ') }
}
