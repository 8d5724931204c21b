/**
 * Affinity between pods and spreading over domains, decided from counts by node. A domain is the set of nodes with one
 * value of a topology label.
 */
import { allowsNode } from '../api/node-selectors.ts'
import type { Node, Pod, TopologySpreadConstraint } from '../api/types.ts'
import { type ClusterState, type NodeInfo, requiredAntiAffinity } from './cluster-state.ts'
import { podFilterOf } from './pod-counter.ts'
import { untoleratedTaint } from './taints.ts'

/** Pods in each domain of a topology key. */
export function countDomains(state: ClusterState, topologyKey: string, byNode: ReadonlyMap<string, number>): Map<string, number> {
  const domains = new Map<string, number>()
  for (const [nodeName, count] of byNode) {
    const value = state.nodes.get(nodeName)?.node?.metadata.labels?.[topologyKey]
    if (value !== undefined) domains.set(value, (domains.get(value) ?? 0) + count)
  }
  return domains
}

/** What one pod demands of domains; made once for a pod, asked for each node. Returns the reason a node is refused for. */
export type DomainCheck = (node: Node) => string | undefined

export const REASON_AFFINITY = "node(s) didn't match pod affinity rules"
export const REASON_ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
export const REASON_EXISTING_ANTI_AFFINITY = "node(s) didn't satisfy existing pods anti-affinity rules"
export const REASON_SPREAD = "node(s) didn't match pod topology spread constraints"
export const REASON_SPREAD_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"

export function domainChecks(state: ClusterState, pod: Pod): DomainCheck[] {
  return [
    ...affinityChecks(state, pod),
    ...antiAffinityChecks(state, pod),
    ...existingAntiAffinityChecks(state, pod),
    ...spreadChecks(state, pod),
  ]
}

function affinityChecks(state: ClusterState, pod: Pod): DomainCheck[] {
  const terms = pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  const counted = terms.map((term) => {
    const filter = state.filterOf(term, pod)
    const counter = state.counter(filter)
    return { term, filter, counter, domains: countDomains(state, term.topologyKey, counter.byNode) }
  })
  // The first pod of a group that wants to be near itself may go anywhere that has the label.
  const first = counted.length > 0 && counted.every(({ counter, filter }) => counter.total === 0 && filter.matches(pod))
  return counted.map(({ term, domains }) => (node) => {
    const value = node.metadata.labels?.[term.topologyKey]
    if (value === undefined) return REASON_AFFINITY
    return first || (domains.get(value) ?? 0) > 0 ? undefined : REASON_AFFINITY
  })
}

function antiAffinityChecks(state: ClusterState, pod: Pod): DomainCheck[] {
  return requiredAntiAffinity(pod.spec?.affinity).map((term) => {
    const domains = countDomains(state, term.topologyKey, state.counter(state.filterOf(term, pod)).byNode)
    return (node) => {
      const value = node.metadata.labels?.[term.topologyKey]
      return value !== undefined && (domains.get(value) ?? 0) > 0 ? REASON_ANTI_AFFINITY : undefined
    }
  })
}

function existingAntiAffinityChecks(state: ClusterState, pod: Pod): DomainCheck[] {
  const checks: DomainCheck[] = []
  for (const placed of state.antiAffinity.values()) {
    if (!placed.filter.matches(pod)) continue
    const domains = countDomains(state, placed.topologyKey, placed.podsByNode)
    checks.push((node) => {
      const value = node.metadata.labels?.[placed.topologyKey]
      return value !== undefined && domains.has(value) ? REASON_EXISTING_ANTI_AFFINITY : undefined
    })
  }
  return checks
}

function spreadChecks(state: ClusterState, pod: Pod): DomainCheck[] {
  const constraints = (pod.spec?.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === 'DoNotSchedule')
  return constraints.map((constraint) => {
    const { domains, matchesSelf } = spreadDomains(state, pod, constraint)
    const enough = domains.size >= (constraint.minDomains ?? 1)
    const least = enough ? Math.min(...domains.values(), Number.POSITIVE_INFINITY) : 0
    return (node) => {
      const value = node.metadata.labels?.[constraint.topologyKey]
      if (value === undefined) return REASON_SPREAD_LABEL
      const skew = (domains.get(value) ?? 0) + (matchesSelf ? 1 : 0) - (Number.isFinite(least) ? least : 0)
      return skew > constraint.maxSkew ? REASON_SPREAD : undefined
    }
  })
}

/** Matching pods in each eligible domain of a constraint; domains without a pod count 0. */
export function spreadDomains(state: ClusterState, pod: Pod, constraint: TopologySpreadConstraint) {
  const filter = podFilterOf({ ...constraint, namespaces: [pod.metadata.namespace ?? ''] }, pod, () => undefined)
  const { byNode } = state.counter(filter)
  const domains = new Map<string, number>()
  for (const info of state.nodes.values()) {
    const value = info.node?.metadata.labels?.[constraint.topologyKey]
    if (value === undefined || !isEligible(pod, info, constraint)) continue
    domains.set(value, (domains.get(value) ?? 0) + (byNode.get(info.name) ?? 0))
  }
  return { domains, matchesSelf: filter.matches(pod) }
}

function isEligible(pod: Pod, info: NodeInfo, constraint: TopologySpreadConstraint): boolean {
  if (!info.node) return false
  if (constraint.nodeAffinityPolicy !== 'Ignore' && !allowsNode(pod.spec, info.node)) return false
  return constraint.nodeTaintsPolicy !== 'Honor' || !untoleratedTaint(pod, info.node, ['NoSchedule', 'NoExecute'])
}
