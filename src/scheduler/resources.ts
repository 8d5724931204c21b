/** What pods ask for and nodes have, as plain numbers: cores in thousandths, everything else in its own unit. */
import { parseQuantity, quantityMilliValue, quantityValue } from '../api/quantity.ts'
import type { Container, Node, Pod } from '../api/types.ts'

/** Resource name to amount; `cpu` in millicores. `pods` counts pods. */
export type Resources = Map<string, number>

export function nodeResources(node: Node): Resources {
  return toResources(node.status?.allocatable ?? node.status?.capacity ?? {})
}

function toResources(quantities: Record<string, string>): Resources {
  const resources: Resources = new Map()
  for (const [name, quantity] of Object.entries(quantities)) resources.set(name, amount(name, quantity))
  return resources
}

function amount(name: string, quantity: string): number {
  const parsed = parseQuantity(quantity)
  return name === 'cpu' ? quantityMilliValue(parsed) : quantityValue(parsed)
}

const known = new WeakMap<object, Resources>()

/**
 * The effective request of a pod as the kubelet and scheduler define it: the larger of all containers together and of
 * each init container with the sidecars started before it, plus overhead. Computed once for a pod spec.
 */
export function podRequests(pod: Pod): Resources {
  const spec = pod.spec
  if (!spec) return new Map([['pods', 1]])
  const cached = known.get(spec)
  if (cached) return cached
  const total: Resources = new Map()
  for (const container of spec.containers) addResources(total, requestsOf(container), 1)
  const sidecars: Resources = new Map()
  let peak: Resources = new Map()
  for (const container of spec.initContainers ?? []) {
    const own = requestsOf(container)
    if (container.restartPolicy === 'Always') {
      addResources(sidecars, own, 1)
      addResources(total, own, 1)
      peak = largest(peak, sidecars)
    } else {
      const together = new Map(sidecars)
      addResources(together, own, 1)
      peak = largest(peak, together)
    }
  }
  const result = largest(total, peak)
  const podLevel = spec.resources?.requests
  if (podLevel) for (const [name, value] of toResources(podLevel)) result.set(name, value)
  addResources(result, toResources(spec.overhead ?? {}), 1)
  result.set('pods', 1)
  known.set(spec, result)
  return result
}

function requestsOf(container: Container): Resources {
  return toResources(container.resources?.requests ?? {})
}

function largest(a: Resources, b: Resources): Resources {
  const result = new Map(a)
  for (const [name, value] of b) result.set(name, Math.max(result.get(name) ?? 0, value))
  return result
}

export function addResources(into: Resources, what: Resources, by: 1 | -1): void {
  for (const [name, value] of what) into.set(name, (into.get(name) ?? 0) + by * value)
}

/** The names of resources the request has too much of for what is left. */
export function lacking(request: Resources, allocatable: Resources, requested: Resources): string[] {
  const names: string[] = []
  for (const [name, value] of request) {
    if (value > 0 && value > (allocatable.get(name) ?? 0) - (requested.get(name) ?? 0)) names.push(name)
  }
  return names
}

export function hostPortsOf(pod: Pod): string[] {
  const ports: string[] = []
  for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
    for (const port of container.ports ?? []) {
      if (port.hostPort) ports.push(`${port.protocol ?? 'TCP'}/${port.hostIP || '0.0.0.0'}/${port.hostPort}`)
    }
  }
  return ports
}
