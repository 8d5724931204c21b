/** When a path has its value: as the pod is created, once it is bound to a node, or only while it runs. */
import type { FieldSource } from './source.ts'

export type Timing = 'creation' | 'binding' | 'running'

/** What the server itself gives a pod as it stores it. */
const GIVEN = new Set(['name', 'uid', 'creationTimestamp', 'resourceVersion', 'generation', 'managedFields', 'selfLink'])

export function timingOf({ origin, steps }: FieldSource): Timing {
  if (origin.from === 'node' || origin.from === 'host') return 'binding'
  if (origin.from !== 'pod') return 'creation'
  const [first, second] = steps
  // What may lead anywhere waits until everything is there.
  if (first?.step !== 'field') return 'binding'
  if (first.name === 'status') return second?.step === 'field' && second.name === 'qosClass' ? 'binding' : 'running'
  if (second?.step !== 'field') return first.name === 'metadata' || first.name === 'spec' ? 'binding' : 'creation'
  if (first.name === 'metadata') return GIVEN.has(second.name) ? 'binding' : 'creation'
  return second.name === 'nodeName' ? 'binding' : 'creation'
}
