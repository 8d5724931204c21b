/** What an autoscaler may follow, and how its targets are given. */
import { expect, test } from 'vitest'
import { create, updateStatus } from './write.ts'

const scaleTargetRef = { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }
const causes = (more: object) => create('horizontalpodautoscalers', { spec: { scaleTargetRef, maxReplicas: 5, ...more } }).causes
const metric = (...metrics: object[]) => causes({ metrics })
const percent = { type: 'Utilization', averageUtilization: 50 }

test('what is scaled has an API group, except for ReplicationControllers', () => {
  expect(causes({ scaleTargetRef: { ...scaleTargetRef, apiVersion: 'v1' } })).toEqual([
    'Invalid | spec.scaleTargetRef.apiVersion | Invalid value: "v1": apiVersion must specify API group',
  ])
  expect(causes({ scaleTargetRef: { kind: 'ReplicationController', name: 'r', apiVersion: 'v1' } })).toEqual([])
  expect(causes({ scaleTargetRef: { ...scaleTargetRef, apiVersion: 'a/b/c' } })).toEqual([
    'Invalid | spec.scaleTargetRef.apiVersion | Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
  ])
})

test.each<[string, object, string[]]>([
  [
    'pods without an average',
    { type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'Value', value: '1' } } },
    ['Required | spec.metrics[0].pods.target.averageValue | Required value: must specify a positive target averageValue'],
  ],
  [
    'a container without a name',
    { type: 'ContainerResource', containerResource: { name: 'cpu', target: percent } },
    ['Required | spec.metrics[0].containerResource.container | Required value: must specify a container'],
  ],
  [
    'something outside, twice',
    { type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value', value: '1', averageValue: '1' } } },
    [
      'Forbidden | spec.metrics[0].external.target.value | Forbidden: may not set both a target value for metric and a per-pod target',
    ],
  ],
  [
    'an object without a value',
    { type: 'Object', object: { describedObject: { kind: 'Service', name: 's' }, metric: { name: 'm' }, target: { type: 'Value' } } }, // biome-ignore format: short
    ['Required | spec.metrics[0].object.target.averageValue | Required value: must set either a target value or averageValue'],
  ],
  [
    'two sources',
    { type: 'Resource', resource: { name: 'cpu', target: percent }, pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '1' } } }, // biome-ignore format: short
    ['Forbidden | spec.metrics[0].pods | Forbidden: must populate the given metric source only'],
  ],
  [
    'no known type',
    { type: 'X' },
    Array(2).fill(
      'NotSupported | spec.metrics[0].type | Unsupported value: "X": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
    ),
  ],
  [
    'no type of target',
    { type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 50 } } },
    [
      'Invalid | spec.metrics[0].resource.target.type | Invalid value: "": must be either Utilization, Value, or AverageValue',
      'Required | spec.metrics[0].resource.target.type | Required value: must specify a metric target type',
    ],
  ],
])('%s', (_, given, expected) => expect(metric(given)).toEqual(expected))

test('tolerances and counts are not negative', () => {
  expect(causes({ behavior: { scaleUp: { tolerance: '-1' } } })).toEqual([
    'Invalid | spec.behavior.scaleUp.tolerance | Invalid value: "-1": must be greater or equal to zero',
  ])
  const written = updateStatus('horizontalpodautoscalers', { spec: { scaleTargetRef, maxReplicas: 5 } }, (object) => {
    object.status = { currentReplicas: -1, desiredReplicas: 0 }
  })
  expect(written.causes).toEqual(['Invalid | status.currentReplicas | Invalid value: -1: must be greater than or equal to 0'])
})
