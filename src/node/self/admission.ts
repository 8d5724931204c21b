/** Whether a pod fits on a node, as a kubelet decides once more after the scheduler, and what pods hold of it. */
import { allowsNode } from '../../api/node-selectors.ts'
import { parseQuantity, quantityMilliValue, quantityValue } from '../../api/quantity.ts'
import type { Container, Node, Pod } from '../../api/types.ts'
import { isSidecar } from '../plan/containers.ts'

export interface Refusal {
  reason: string
  message: string
}

type Amounts = Map<string, number>

/** Counts what admitted pods ask for. Amounts are in thousandths for cpu and in units otherwise. */
export class Admission {
  private readonly held = new Map<string, Amounts>()
  private readonly total: Amounts = new Map()
  private readonly node: () => Node
  private readonly capacity: Amounts

  /** `node` answers with the Node as it is now: its labels may change. */
  constructor(node: () => Node, allocatable: Readonly<Record<string, string>>) {
    this.node = node
    this.capacity = new Map(Object.entries(allocatable).map(([name, text]) => [name, amount(name, text)]))
  }

  /** Reserves the pod's share unless it is refused; `here`: it is on the node already. */
  admit(pod: Pod, here: boolean): Refusal | undefined {
    const asked = podRequests(pod)
    if (!here) {
      const refusal = this.misfit(pod) ?? this.shortage(asked)
      if (refusal) return refusal
    }
    this.release(pod.metadata.uid ?? '')
    this.held.set(pod.metadata.uid ?? '', asked)
    for (const [name, value] of asked) this.total.set(name, (this.total.get(name) ?? 0) + value)
    return undefined
  }

  release(uid: string): void {
    const held = this.held.get(uid)
    if (!held) return
    this.held.delete(uid)
    for (const [name, value] of held) this.total.set(name, (this.total.get(name) ?? 0) - value)
  }

  private misfit(pod: Pod): Refusal | undefined {
    const os = pod.spec?.os?.name
    const node = this.node()
    const own = node.metadata.labels?.['kubernetes.io/os']
    if (os && own && os !== own) {
      return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
    }
    if (allowsNode(pod.spec, node)) return undefined
    const message = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
    return { reason: 'NodeAffinity', message }
  }

  private shortage(asked: Amounts): Refusal | undefined {
    for (const [name, requested] of asked) {
      const used = this.total.get(name) ?? 0
      const capacity = this.capacity.get(name) ?? 0
      if (requested === 0 || used + requested <= capacity) continue
      const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`
      return { reason: `OutOf${name}`, message }
    }
    return undefined
  }
}

/** What a pod needs at once: the larger of its running containers together and of each init container beside its sidecars. */
export function podRequests(pod: Pod): Amounts {
  const total: Amounts = new Map([['pods', 1]])
  const sidecars: Amounts = new Map()
  const initPeak: Amounts = new Map()
  for (const container of pod.spec?.initContainers ?? []) {
    const own = requestsOf(container)
    if (isSidecar(container)) add(sidecars, own)
    else {
      const together: Amounts = new Map(sidecars)
      add(together, own)
      peak(initPeak, together)
    }
    peak(initPeak, sidecars)
  }
  for (const container of pod.spec?.containers ?? []) add(total, requestsOf(container))
  add(total, sidecars)
  peak(total, initPeak)
  for (const [name, text] of Object.entries(pod.spec?.resources?.requests ?? {})) total.set(name, amount(name, text))
  add(total, new Map(Object.entries(pod.spec?.overhead ?? {}).map(([name, text]) => [name, amount(name, text)])))
  return total
}

function requestsOf({ resources }: Container): Amounts {
  const all = { ...resources?.limits, ...resources?.requests }
  return new Map(Object.entries(all).map(([name, text]) => [name, amount(name, text)]))
}

function add(to: Amounts, more: Amounts): void {
  for (const [name, value] of more) to.set(name, (to.get(name) ?? 0) + value)
}

function peak(to: Amounts, other: Amounts): void {
  for (const [name, value] of other) to.set(name, Math.max(to.get(name) ?? 0, value))
}

function amount(name: string, text: string): number {
  const quantity = parseQuantity(text)
  return name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity)
}
