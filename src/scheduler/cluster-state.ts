/**
 * What the scheduler knows of the cluster between decisions: nodes with what is asked of them, and counts of pods by
 * selector. Kept up to date pod by pod, so that a decision costs nodes, never pods.
 */
import type { Affinity, Node, Pod, PodAffinityTerm } from '../api/types.ts'
import { createPodCounter, type PodCounter, type PodFilter, podFilterOf } from './pod-counter.ts'
import { addResources, hostPortsOf, nodeResources, podRequests, type Resources } from './resources.ts'

export interface NodeInfo {
  readonly name: string
  /** Absent while pods name a node that does not exist (yet). */
  node: Node | undefined
  allocatable: Resources
  readonly requested: Resources
  readonly pods: Map<string, Pod>
  /** `protocol/address/port` of every host port in use, counted. */
  readonly hostPorts: Map<string, number>
  /** How many pods each controller (by uid) has here. */
  readonly podsByOwner: Map<string, number>
}

/** A required anti-affinity term that pods already placed carry, with where they are. */
export interface PlacedAntiAffinity {
  readonly filter: PodFilter
  readonly topologyKey: string
  readonly podsByNode: Map<string, number>
}

/** Selectors counted at once; the least recently used one is dropped and counted anew when asked for again. */
const MAX_COUNTERS = 128

export class ClusterState {
  readonly nodes = new Map<string, NodeInfo>()
  readonly antiAffinity = new Map<string, PlacedAntiAffinity>()
  readonly #placed = new Map<string, { pod: Pod; nodeName: string }>()
  readonly #counters = new Map<string, PodCounter>()
  #namespaceLabels: (namespace: string) => Record<string, string> | undefined

  constructor(namespaceLabels: (namespace: string) => Record<string, string> | undefined = () => undefined) {
    this.#namespaceLabels = namespaceLabels
  }

  setNode(node: Node): void {
    const info = this.#info(node.metadata.name ?? '')
    info.node = node
    info.allocatable = nodeResources(node)
  }

  removeNode(name: string): void {
    const info = this.nodes.get(name)
    if (!info) return
    info.node = undefined
    if (info.pods.size === 0) this.nodes.delete(name)
  }

  /** Places a pod, or replaces what was known of it. A pod that has ended takes nothing. */
  setPod(pod: Pod, nodeName: string): void {
    const uid = pod.metadata.uid ?? ''
    const known = this.#placed.get(uid)
    if (known?.pod === pod && known.nodeName === nodeName) return
    this.removePod(uid)
    this.#placed.set(uid, { pod, nodeName })
    const info = this.#info(nodeName)
    info.pods.set(uid, pod)
    this.#count(pod, info, 1)
  }

  removePod(uid: string): void {
    const known = this.#placed.get(uid)
    if (!known) return
    this.#placed.delete(uid)
    const info = this.nodes.get(known.nodeName)
    if (!info) return
    info.pods.delete(uid)
    this.#count(known.pod, info, -1)
    if (info.pods.size === 0 && !info.node) this.nodes.delete(info.name)
  }

  isPlaced(uid: string): boolean {
    return this.#placed.has(uid)
  }

  /** How many placed pods each node has that match; counted once, then kept up to date. */
  counter(filter: PodFilter): PodCounter {
    const known = this.#counters.get(filter.key)
    if (known) {
      this.#counters.delete(filter.key)
      this.#counters.set(filter.key, known)
      return known
    }
    const counter = createPodCounter(filter)
    for (const { pod, nodeName } of this.#placed.values()) counter.add(pod, nodeName, 1)
    this.#counters.set(filter.key, counter)
    if (this.#counters.size > MAX_COUNTERS) this.#counters.delete(this.#counters.keys().next().value as string)
    return counter
  }

  /** The filter of an affinity term as the given pod means it. */
  filterOf(term: PodAffinityTerm, pod: Pod): PodFilter {
    return podFilterOf(term, pod, this.#namespaceLabels)
  }

  #info(name: string): NodeInfo {
    let info = this.nodes.get(name)
    if (!info) {
      info = {
        name,
        node: undefined,
        allocatable: new Map(),
        requested: new Map(),
        pods: new Map(),
        hostPorts: new Map(),
        podsByOwner: new Map(),
      }
      this.nodes.set(name, info)
    }
    return info
  }

  #count(pod: Pod, info: NodeInfo, by: 1 | -1): void {
    addResources(info.requested, podRequests(pod), by)
    for (const port of hostPortsOf(pod)) bump(info.hostPorts, port, by)
    const owner = ownerOf(pod)
    if (owner) bump(info.podsByOwner, owner, by)
    for (const counter of this.#counters.values()) counter.add(pod, info.name, by)
    for (const term of requiredAntiAffinity(pod.spec?.affinity)) {
      const filter = this.filterOf(term, pod)
      const key = `${term.topologyKey}\u0000${filter.key}`
      const placed = this.antiAffinity.get(key) ?? { filter, topologyKey: term.topologyKey, podsByNode: new Map() }
      bump(placed.podsByNode, info.name, by)
      if (placed.podsByNode.size > 0) this.antiAffinity.set(key, placed)
      else this.antiAffinity.delete(key)
    }
  }
}

export function ownerOf(pod: Pod): string | undefined {
  return pod.metadata.ownerReferences?.find((reference) => reference.controller)?.uid
}

export function requiredAntiAffinity(affinity: Affinity | undefined): readonly PodAffinityTerm[] {
  return affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  const now = (counts.get(key) ?? 0) + by
  if (now > 0) counts.set(key, now)
  else counts.delete(key)
}
