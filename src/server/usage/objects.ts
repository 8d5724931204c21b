/** Measured usage as the objects of metrics.k8s.io, in the amounts that metrics-server writes. Pure. */
import { formatGoDuration } from '../../api/duration.ts'
import type { KubeObject, Metadata } from '../../api/object.ts'
import { formatQuantity, quantityOf } from '../../api/quantity.ts'
import type { ContainerMetrics } from '../../api/types.ts'
import type { NodeUsage, PodUsage, Usage } from '../../api/usage.ts'

const API_VERSION = 'metrics.k8s.io/v1beta1'
const MILLISECOND = 1_000_000n

/** `now` is RFC 3339: such an object is as old as the answer it is in. */
export function nodeMetrics(node: KubeObject, { node: usage }: NodeUsage, now: string): KubeObject {
  return {
    kind: 'NodeMetrics',
    apiVersion: API_VERSION,
    metadata: metadataOf(node, now),
    ...timesOf([usage]),
    usage: amountsOf(usage),
  }
}

/** At least one container of the pod was measured. */
export function podMetrics(pod: KubeObject, { containers }: PodUsage, now: string): KubeObject {
  return {
    kind: 'PodMetrics',
    apiVersion: API_VERSION,
    metadata: metadataOf(pod, now),
    ...timesOf(containers),
    containers: containers.map((one): ContainerMetrics => ({ name: one.name, usage: amountsOf(one) })),
  }
}

function metadataOf({ metadata: { name, namespace, labels } }: KubeObject, now: string): Metadata {
  return { ...(name && { name }), ...(namespace && { namespace }), creationTimestamp: now, ...(labels && { labels }) }
}

/** What is said of several is as old as the oldest of them, and covers the longest time. */
function timesOf(usages: readonly Usage[]): { timestamp: string; window: string } {
  const timestampMs = Math.min(...usages.map((usage) => usage.timestampMs))
  const windowMs = Math.max(...usages.map((usage) => usage.windowMs))
  const timestamp = `${new Date(timestampMs).toISOString().slice(0, 19)}Z`
  return { timestamp, window: formatGoDuration(BigInt(Math.round(windowMs)) * MILLISECOND) }
}

function amountsOf({ cpuNanoCores, memoryBytes }: Usage): Record<string, string> {
  return {
    cpu: formatQuantity({ nano: BigInt(cpuNanoCores), format: 'DecimalSI' }),
    memory: formatQuantity(quantityOf(memoryBytes, 'BinarySI')),
  }
}
