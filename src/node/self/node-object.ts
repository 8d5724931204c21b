/** The Node object as its agent describes it. Pure. */
import type { ContainerImage, Node, NodeCondition, NodeStatus, NodeSystemInfo } from '../../api/types.ts'
import type { InventoryItem, RuntimeInfo } from '../runtime/runtime.ts'

export interface NodeDescription {
  name: string
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
  info: RuntimeInfo
  address: string
  hostname: string
  podCidr: string
  maxPods: number | undefined
  machine: Pick<NodeSystemInfo, 'machineID' | 'systemUUID' | 'bootID'>
  version: string
  /** The port of the agent's own API; 0 when it has none of its own. */
  port: number
}

/** The object as it is first created, without its status. */
export function nodeObject(description: NodeDescription): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: description.name, labels: nodeLabels(description), annotations: nodeAnnotations(description) },
    spec: description.podCidr ? { podCIDR: description.podCidr, podCIDRs: [description.podCidr] } : {},
  }
}

export function nodeLabels({ name, hostname, info, labels }: NodeDescription): Record<string, string> {
  const os = info.operatingSystem
  return {
    'beta.kubernetes.io/arch': info.architecture,
    'beta.kubernetes.io/os': os,
    'kubernetes.io/arch': info.architecture,
    'kubernetes.io/hostname': hostname || name,
    'kubernetes.io/os': os,
    ...labels,
  }
}

function nodeAnnotations({ info, annotations }: NodeDescription): Record<string, string> {
  return {
    'node.alpha.kubernetes.io/ttl': '0',
    'skiff.dev/isolation': info.isolation,
    ...(info.notice && { 'skiff.dev/isolation-notice': info.notice }),
    ...annotations,
  }
}

/** More images than these a Node's status does not list, as it travels to everybody who watches nodes. */
const MAX_IMAGES = 200

/** As a Node's status lists them: what has a tag first, then the larger. */
export function imagesOf(items: readonly InventoryItem[]): ContainerImage[] {
  const isTagged = ({ names }: InventoryItem) => names.some((name) => !name.includes('@'))
  return [...items]
    .sort((a, b) => Number(isTagged(b)) - Number(isTagged(a)) || b.sizeBytes - a.sizeBytes)
    .slice(0, MAX_IMAGES)
    .map(({ names, sizeBytes }) => ({ names: [...names], sizeBytes }))
}

/** `before`: the conditions in the API; a condition keeps its transition time while its status stays. */
export function nodeStatus(
  description: NodeDescription,
  before: readonly NodeCondition[],
  ready: { ok: boolean; reason: string; message: string },
  now: string,
  images: readonly InventoryItem[] | undefined,
): NodeStatus {
  const amounts = capacityOf(description)
  const { info, address, hostname, name, machine, version } = description
  return {
    capacity: amounts,
    allocatable: amounts,
    conditions: conditions(ready).map((condition) => dated(condition, before, now)),
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: hostname || name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: description.port } },
    nodeInfo: {
      ...machine,
      kernelVersion: info.kernelVersion,
      osImage: info.osImage,
      containerRuntimeVersion: info.version,
      kubeletVersion: version,
      kubeProxyVersion: version,
      operatingSystem: info.operatingSystem,
      architecture: info.architecture,
    },
    ...(images && { images: imagesOf(images) }),
  }
}

export function capacityOf({ info, maxPods }: Pick<NodeDescription, 'info' | 'maxPods'>): Record<string, string> {
  const { cpuCores, memoryBytes, storageBytes, pods } = info.capacity
  return {
    cpu: Number.isInteger(cpuCores) ? String(cpuCores) : `${Math.floor(cpuCores * 1000)}m`,
    'ephemeral-storage': `${Math.floor(storageBytes / 1024)}Ki`,
    memory: `${Math.floor(memoryBytes / 1024)}Ki`,
    pods: String(maxPods ?? pods),
  }
}

function conditions(ready: { ok: boolean; reason: string; message: string }): NodeCondition[] {
  return [
    {
      type: 'MemoryPressure',
      status: 'False',
      reason: 'KubeletHasSufficientMemory',
      message: 'kubelet has sufficient memory available',
    },
    { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
    { type: 'Ready', status: ready.ok ? 'True' : 'False', reason: ready.reason, message: ready.message },
  ]
}

function dated(condition: NodeCondition, before: readonly NodeCondition[], now: string): NodeCondition {
  const old = before.find(({ type }) => type === condition.type)
  const since = old?.status === condition.status ? (old.lastTransitionTime ?? now) : now
  return { ...condition, lastHeartbeatTime: now, lastTransitionTime: since }
}
