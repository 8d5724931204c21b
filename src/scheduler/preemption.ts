/** Making room: which pods of lower priority would have to go, on which node, for a pod to fit. */
import type { Pod } from '../api/types.ts'
import type { NodeInfo } from './cluster-state.ts'
import { capacityRefusals, type PodDemand } from './filters.ts'
import { addResources, hostPortsOf, podRequests } from './resources.ts'

export interface Preemption {
  node: NodeInfo
  victims: Pod[]
}

export const priorityOf = (pod: Pod): number => pod.spec?.priority ?? 0

/**
 * The cheapest node to make room on: lowest highest-priority victim, then fewest victims. Undefined when no eviction
 * helps or the pod may not preempt. Pods already ending count as gone, so that nobody is evicted twice for one pod.
 */
export function planPreemption(demand: PodDemand, candidates: readonly NodeInfo[]): Preemption | undefined {
  if (demand.pod.spec?.preemptionPolicy === 'Never') return undefined
  const plans: Preemption[] = []
  for (const node of candidates) {
    const victims = victimsOn(demand, node)
    if (victims) plans.push({ node, victims })
  }
  const highest = ({ victims }: Preemption) => Math.max(Number.NEGATIVE_INFINITY, ...victims.map(priorityOf))
  return plans.sort((a, b) => highest(a) - highest(b) || a.victims.length - b.victims.length)[0]
}

function victimsOn(demand: PodDemand, info: NodeInfo): Pod[] | undefined {
  const lower = [...info.pods.values()].filter((pod) => priorityOf(pod) < priorityOf(demand.pod))
  const ending = lower.filter((pod) => pod.metadata.deletionTimestamp)
  const removable = lower.filter((pod) => !pod.metadata.deletionTimestamp).sort((a, b) => priorityOf(a) - priorityOf(b))
  let trial = ending.reduce(without, info)
  const victims: Pod[] = []
  for (const pod of removable) {
    if (capacityRefusals(demand, trial).length === 0) break
    trial = without(trial, pod)
    victims.push(pod)
  }
  return capacityRefusals(demand, trial).length === 0 ? victims : undefined
}

function without(info: NodeInfo, pod: Pod): NodeInfo {
  const requested = new Map(info.requested)
  addResources(requested, podRequests(pod), -1)
  const hostPorts = new Map(info.hostPorts)
  for (const port of hostPortsOf(pod)) hostPorts.delete(port)
  return { ...info, requested, hostPorts }
}
