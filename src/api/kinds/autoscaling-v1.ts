/**
 * autoscaling/v1 to v2 and back. v1 knows one CPU target; whatever else v2 can say travels in annotations, as in Kubernetes, so
 * that a v1 client that reads and writes an object loses nothing.
 */
import type { KubeObject } from '../object.ts'

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics'
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics'
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions'
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior'

interface Metric {
  type: string
  resource?: { name: string; target?: Target; current?: Target }
}
interface Target {
  type?: string
  averageUtilization?: number
  averageValue?: string
}

const isCpuUtilization = (metric: Metric) => metric.type === 'Resource' && metric.resource?.name === 'cpu'

export function toV2(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = object.spec ?? {}
  const { currentCPUUtilizationPercentage: current, ...status } = object.status ?? {}
  const annotations = { ...object.metadata.annotations }
  const metrics: Metric[] = take(annotations, METRICS) ?? []
  if (cpu !== undefined && cpu !== null) {
    const target = { type: 'Utilization', averageUtilization: cpu }
    metrics.unshift({ type: 'Resource', resource: { name: 'cpu', target } })
  }
  const behavior = take(annotations, BEHAVIOR)
  const conditions = take(annotations, CONDITIONS)
  const currentMetrics: Metric[] = take(annotations, CURRENT_METRICS) ?? []
  if (current !== undefined && current !== null) {
    currentMetrics.unshift({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } })
  }
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object, annotations),
    spec: { ...spec, ...(metrics.length > 0 && { metrics }), ...(behavior && { behavior }) },
    status: {
      desiredReplicas: 0,
      ...status,
      currentMetrics: currentMetrics.length > 0 ? currentMetrics : null,
      ...(conditions && { conditions }),
    },
  }
}

export function fromV2(object: KubeObject): KubeObject {
  const { metrics = [], behavior, ...spec } = object.spec ?? {}
  const { currentMetrics, conditions, ...status } = object.status ?? {}
  const annotations = { ...object.metadata.annotations }
  const cpu = (metrics as Metric[]).find((m) => isCpuUtilization(m) && m.resource?.target?.averageUtilization !== undefined)
  const current = ((currentMetrics ?? []) as Metric[]).find(isCpuUtilization)?.resource?.current?.averageUtilization
  put(
    annotations,
    METRICS,
    (metrics as Metric[]).filter((m) => m !== cpu),
  )
  put(
    annotations,
    CURRENT_METRICS,
    ((currentMetrics ?? []) as Metric[]).filter((m) => !isCpuUtilization(m)),
  )
  put(annotations, CONDITIONS, conditions)
  put(annotations, BEHAVIOR, behavior)
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(object, annotations),
    spec: { ...spec, ...(cpu && { targetCPUUtilizationPercentage: cpu.resource?.target?.averageUtilization }) },
    status: {
      currentReplicas: 0,
      desiredReplicas: 0,
      ...status,
      ...(current !== undefined && { currentCPUUtilizationPercentage: current }),
    },
  }
}

function withAnnotations(object: KubeObject, annotations: Record<string, string>): KubeObject['metadata'] {
  const { annotations: _, ...metadata } = object.metadata
  return Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata
}

/** Removes an annotation and gives what it holds; text that is no JSON counts as nothing, as it was not written by us. */
function take(annotations: Record<string, string>, key: string) {
  const text = annotations[key]
  if (text === undefined) return undefined
  delete annotations[key]
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function put(annotations: Record<string, string>, key: string, value: unknown): void {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return
  annotations[key] = JSON.stringify(value)
}
