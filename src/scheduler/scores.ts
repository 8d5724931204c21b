/** Which of the feasible nodes is best: several views from 0 to 100, weighted as kube-scheduler weights them. */
import { matchesNodeTerm } from '../api/node-selectors.ts'
import type { Pod } from '../api/types.ts'
import { type ClusterState, type NodeInfo, ownerOf } from './cluster-state.ts'
import type { PodDemand } from './filters.ts'
import { untoleratedTaint } from './taints.ts'
import { countDomains, spreadDomains } from './topology.ts'

const MAX_SCORE = 100
const WEIGHT = { resources: 1, balance: 1, nodeAffinity: 2, taints: 3, spread: 2, podAffinity: 2 }

/** The best node; among equals the one `random` picks, so that equal nodes share the load. */
export function bestNode(state: ClusterState, demand: PodDemand, feasible: readonly NodeInfo[], random: () => number): NodeInfo {
  const totals = new Map<NodeInfo, number>()
  const add = (weight: number, scores: readonly number[]) => {
    for (const [i, info] of feasible.entries()) totals.set(info, (totals.get(info) ?? 0) + weight * (scores[i] ?? 0))
  }
  add(
    WEIGHT.resources,
    feasible.map((info) => leastAllocated(demand, info)),
  )
  add(
    WEIGHT.balance,
    feasible.map((info) => balanced(demand, info)),
  )
  const { pod } = demand
  const preferences = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  if (preferences.length > 0) {
    add(
      WEIGHT.nodeAffinity,
      scaled(
        feasible.map(({ node }) => sum(preferences.map((p) => (node && matchesNodeTerm(p.preference, node) ? p.weight : 0)))),
      ),
    )
  }
  add(
    WEIGHT.taints,
    feasible.map(({ node }) => (node && untoleratedTaint(pod, node, ['PreferNoSchedule']) ? 0 : MAX_SCORE)),
  )
  add(WEIGHT.spread, spreadScores(state, pod, feasible))
  const near = podAffinityScores(state, pod, feasible)
  if (near) add(WEIGHT.podAffinity, near)
  let best: NodeInfo[] = []
  let top = Number.NEGATIVE_INFINITY
  for (const [info, total] of totals) {
    if (total > top) {
      top = total
      best = [info]
    } else if (total === top) best.push(info)
  }
  return best[Math.floor(random() * best.length)] as NodeInfo
}

function fractions(demand: PodDemand, info: NodeInfo): number[] {
  return ['cpu', 'memory'].map((name) => {
    const allocatable = info.allocatable.get(name) ?? 0
    return allocatable > 0 ? Math.min(1, ((info.requested.get(name) ?? 0) + (demand.requests.get(name) ?? 0)) / allocatable) : 1
  })
}

function leastAllocated(demand: PodDemand, info: NodeInfo): number {
  const used = fractions(demand, info)
  return (MAX_SCORE * sum(used.map((fraction) => 1 - fraction))) / used.length
}

function balanced(demand: PodDemand, info: NodeInfo): number {
  const [cpu = 0, memory = 0] = fractions(demand, info)
  return MAX_SCORE * (1 - Math.abs(cpu - memory) / 2)
}

/** Explicit soft constraints where there are any; otherwise few pods of the same controller on one node. */
function spreadScores(state: ClusterState, pod: Pod, feasible: readonly NodeInfo[]): number[] {
  const soft = (pod.spec?.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === 'ScheduleAnyway')
  if (soft.length === 0) {
    const owner = ownerOf(pod)
    return owner ? inverted(feasible.map((info) => info.podsByOwner.get(owner) ?? 0)) : feasible.map(() => 0)
  }
  const crowded = soft.map((constraint) => {
    const { domains } = spreadDomains(state, pod, constraint)
    return feasible.map(({ node }) => domains.get(node?.metadata.labels?.[constraint.topologyKey] ?? '') ?? 0)
  })
  return inverted(feasible.map((_, i) => sum(crowded.map((counts) => counts[i] ?? 0))))
}

function podAffinityScores(state: ClusterState, pod: Pod, feasible: readonly NodeInfo[]): number[] | undefined {
  const affinity = pod.spec?.affinity
  const terms = [
    ...(affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => ({ ...t, sign: 1 })),
    ...(affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => ({ ...t, sign: -1 })),
  ]
  if (terms.length === 0) return undefined
  const raw = feasible.map(() => 0)
  for (const { weight, podAffinityTerm, sign } of terms) {
    const counter = state.counter(state.filterOf(podAffinityTerm, pod))
    const domains = countDomains(state, podAffinityTerm.topologyKey, counter.byNode)
    feasible.forEach(({ node }, i) => {
      const value = node?.metadata.labels?.[podAffinityTerm.topologyKey]
      if (value !== undefined) raw[i] = (raw[i] ?? 0) + sign * weight * (domains.get(value) ?? 0)
    })
  }
  return scaled(raw)
}

function scaled(raw: readonly number[]): number[] {
  const least = Math.min(...raw)
  const range = Math.max(...raw) - least
  return raw.map((value) => (range === 0 ? 0 : (MAX_SCORE * (value - least)) / range))
}

function inverted(raw: readonly number[]): number[] {
  const most = Math.max(...raw)
  return raw.map((value) => (most === 0 ? MAX_SCORE : (MAX_SCORE * (most - value)) / most))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
