/**
 * What a pod may know of its node. An allow-list: a node's other labels and its annotations are for those who run the
 * cluster. Pure.
 */
import type { Node } from '../../api/types.ts'
import type { Fields } from './value.ts'

/** Labels that pods see; a name that ends in a slash means all labels of that domain. */
const VISIBLE_LABELS = [
  'kubernetes.io/arch',
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/',
]

export function nodeTree(node: Node | undefined, hostIps: readonly string[]): Fields | undefined {
  if (!node) return undefined
  const info = node.status?.nodeInfo
  const labels = Object.entries(node.metadata.labels ?? {}).filter(([name]) => isVisible(name))
  return {
    name: node.metadata.name ?? '',
    labels: new Map(labels.sort(([a], [b]) => (a < b ? -1 : 1))),
    ips: hostIps,
    ...(info && {
      architecture: info.architecture,
      operatingSystem: info.operatingSystem,
      osImage: info.osImage,
      kernelVersion: info.kernelVersion,
      kubeletVersion: info.kubeletVersion,
      containerRuntimeVersion: info.containerRuntimeVersion,
    }),
    capacity: quantities(node.status?.capacity),
    allocatable: quantities(node.status?.allocatable),
  }
}

function isVisible(label: string): boolean {
  return VISIBLE_LABELS.some((name) => (name.endsWith('/') ? label.startsWith(name) : label === name))
}

function quantities(map: Readonly<Record<string, unknown>> | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(map ?? {}).map(([name, value]) => [name, String(value)]))
}
