/**
 * metrics.k8s.io/v1beta1: what nodes and pods use, by the names and columns of metrics-server. Nobody writes these objects, and
 * they lie nowhere: they are made when somebody asks.
 */
import type { Column, ResourceDefinition, Verb } from '../definition.ts'
import type { KubeObject } from '../object.ts'
import { addQuantities, formatQuantity, parseQuantity, type Quantity, zeroQuantity } from '../quantity.ts'
import type { NodeMetrics, PodMetrics } from '../types.ts'
import { column } from './columns.ts'
import { defineGroup } from './define.ts'

export const METRICS_GROUP = 'metrics.k8s.io'

const READ: readonly Verb[] = ['get', 'list']

function usageColumns(usage: (object: KubeObject, resource: string) => string): Column[] {
  const amount = (resource: string): Column => ({
    ...column(resource, (object) => usage(object, resource)),
    format: 'quantity',
    description: '',
  })
  const window = column('Window', (object) => (object as unknown as PodMetrics).window)
  return [amount('cpu'), amount('memory'), { ...window, format: 'duration', description: '' }]
}

/** What all containers use together. */
function podUsage({ containers }: PodMetrics, resource: string): string {
  const amounts = containers.map(({ usage }): Quantity => parseQuantity(usage[resource] ?? '0'))
  return formatQuantity(amounts.reduce(addQuantities, zeroQuantity))
}

export const metricsDefinitions: readonly ResourceDefinition[] = defineGroup(
  { group: METRICS_GROUP, version: 'v1beta1', package: 'metrics/v1beta1' },
  [
    {
      kind: 'NodeMetrics',
      plural: 'nodes',
      singular: '',
      namespaced: false,
      verbs: READ,
      computed: true,
      columns: usageColumns((object, resource) => (object as unknown as NodeMetrics).usage[resource] ?? ''),
    },
    {
      kind: 'PodMetrics',
      plural: 'pods',
      singular: '',
      verbs: READ,
      computed: true,
      columns: usageColumns((object, resource) => podUsage(object as unknown as PodMetrics, resource)),
    },
  ],
)
