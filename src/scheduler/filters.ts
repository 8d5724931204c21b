/** Which nodes can take a pod at all, and why the others cannot, in kube-scheduler's words. */
import { allowsNode } from '../api/node-selectors.ts'
import type { Node, Pod } from '../api/types.ts'
import type { ClusterState, NodeInfo } from './cluster-state.ts'
import { hostPortsOf, lacking, podRequests, type Resources } from './resources.ts'
import { untoleratedTaint } from './taints.ts'
import { type DomainCheck, domainChecks } from './topology.ts'
import { NO_VOLUMES, type VolumeDemand } from './volumes.ts'

export interface FilterOutcome {
  feasible: NodeInfo[]
  /** How many nodes were refused for each reason. */
  refused: Map<string, number>
  /** Nodes that evicting pods could help on: refused for resources or host ports only. */
  preemptible: NodeInfo[]
  /** Why no node was asked at all. */
  refusal: string | undefined
}

/** What has been worked out of a pod once, for asking every node. */
export interface PodDemand {
  pod: Pod
  requests: Resources
  hostPorts: readonly string[]
  domainChecks: readonly DomainCheck[]
  volumes: VolumeDemand
}

export function demandOf(state: ClusterState, pod: Pod, volumes: VolumeDemand = NO_VOLUMES): PodDemand {
  return { pod, requests: podRequests(pod), hostPorts: hostPortsOf(pod), domainChecks: domainChecks(state, pod), volumes }
}

export function filterNodes(state: ClusterState, demand: PodDemand): FilterOutcome {
  const { refusal } = demand.volumes
  const outcome: FilterOutcome = { feasible: [], refused: new Map(), preemptible: [], refusal }
  if (refusal !== undefined) return outcome
  for (const info of state.nodes.values()) {
    if (!info.node) continue
    const fixed = fixedRefusal(demand, info.node)
    const reasons = fixed ? [fixed] : capacityRefusals(demand, info)
    if (reasons.length === 0) outcome.feasible.push(info)
    else if (!fixed) outcome.preemptible.push(info)
    for (const reason of reasons) outcome.refused.set(reason, (outcome.refused.get(reason) ?? 0) + 1)
  }
  return outcome
}

/** Reasons that no eviction changes. */
function fixedRefusal({ pod, domainChecks: checks, volumes }: PodDemand, node: Node): string | undefined {
  const taint = untoleratedTaint(pod, node, ['NoSchedule', 'NoExecute'])
  if (taint?.key === 'node.kubernetes.io/unschedulable') return 'node(s) were unschedulable'
  if (taint) return `node(s) had untolerated taint(s) {${taint.key}: ${taint.value ?? ''}}`.replace('taint(s)', 'taint')
  if (!allowsNode(pod.spec, node)) return "node(s) didn't match Pod's node affinity/selector"
  for (const check of checks) {
    const reason = check(node)
    if (reason) return reason
  }
  return volumes.check(node)
}

export function capacityRefusals({ requests, hostPorts }: PodDemand, info: NodeInfo): string[] {
  const reasons = lacking(requests, info.allocatable, info.requested).map((name) =>
    name === 'pods' ? 'Too many pods' : `Insufficient ${name}`,
  )
  if (hostPorts.some((port) => isTaken(info, port))) reasons.push("node(s) didn't have free ports for the requested pod ports")
  return reasons
}

/** A port on every address collides with the same port on any. */
function isTaken(info: NodeInfo, port: string): boolean {
  if (info.hostPorts.has(port)) return true
  const [protocol, address, number] = port.split('/')
  if (address !== '0.0.0.0') return info.hostPorts.has(`${protocol}/0.0.0.0/${number}`)
  for (const taken of info.hostPorts.keys()) if (taken.startsWith(`${protocol}/`) && taken.endsWith(`/${number}`)) return true
  return false
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` */
export function describeRefusals(state: ClusterState, { refused, refusal }: FilterOutcome): string {
  let nodes = 0
  for (const info of state.nodes.values()) if (info.node) nodes += 1
  if (nodes === 0) return 'no nodes available to schedule pods'
  if (refusal !== undefined) return `0/${nodes} nodes are available: ${refusal}.`
  const reasons = [...refused].map(([reason, count]) => `${count} ${reason}`).sort()
  return `0/${nodes} nodes are available: ${reasons.join(', ')}.`
}
