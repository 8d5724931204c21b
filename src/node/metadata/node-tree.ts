/**
 * What a pod may know of its node: what the cluster's list of node fields allows. A node's other labels and its annotations are
 * for those who run the cluster. Pure.
 */
import { isAllowed } from '../../api/downward/node-fields.ts'
import type { Node } from '../../api/types.ts'
import { type Fields, stringMap } from './value.ts'

/** The node with nothing but what is shown and allowed. */
export function visibleNode(node: Node | undefined, allowed: readonly string[]): Node | undefined {
  if (!node) return undefined
  const may = (...names: string[]) => isAllowed({ steps: names.map((name) => ({ step: 'field', name }) as const) }, allowed)
  const { metadata, status } = node
  const labels = Object.entries(metadata.labels ?? {}).filter(([name]) => may('metadata', 'labels', name))
  const info = Object.entries(status?.nodeInfo ?? {}).filter(([name]) => may('status', 'nodeInfo', name))
  return {
    metadata: { ...(may('metadata', 'name') && metadata.name && { name: metadata.name }), labels: Object.fromEntries(labels) },
    status: {
      ...(may('status', 'capacity') && status?.capacity && { capacity: status.capacity }),
      ...(may('status', 'allocatable') && status?.allocatable && { allocatable: status.allocatable }),
      nodeInfo: Object.fromEntries(info) as NonNullable<Node['status']>['nodeInfo'],
    },
  }
}

/** `hostIps` are the pod's own to know, as in Kubernetes. */
export function nodeTree(visible: Node | undefined, hostIps: readonly string[]): Fields | undefined {
  if (!visible) return undefined
  const { metadata, status } = visible
  const { architecture, operatingSystem, osImage, kernelVersion, kubeletVersion, containerRuntimeVersion } =
    status?.nodeInfo ?? {}
  return {
    name: metadata.name,
    labels: stringMap(metadata.labels),
    ips: hostIps,
    ...{ architecture, operatingSystem, osImage, kernelVersion, kubeletVersion, containerRuntimeVersion },
    capacity: status?.capacity && quantities(status.capacity),
    allocatable: status?.allocatable && quantities(status.allocatable),
  }
}

function quantities(map: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(map).map(([name, value]) => [name, String(value)]))
}
