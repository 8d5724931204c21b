/** Which changes of a pod can change what its owner counts. Pure. */
import type { Pod } from '../../api/types.ts'
import { sameJson } from '../parts/json.ts'
import { conditionOf } from '../parts/pods.ts'

/** False for what owners do not count: addresses, container states, scheduling, heartbeats. */
export function changesReplicas(pod: Pod, old: Pod): boolean {
  return (
    pod.status?.phase !== old.status?.phase ||
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    conditionOf(pod, 'Ready')?.status !== conditionOf(old, 'Ready')?.status ||
    conditionOf(pod, 'Ready')?.lastTransitionTime !== conditionOf(old, 'Ready')?.lastTransitionTime ||
    !sameJson(pod.metadata.labels, old.metadata.labels) ||
    !sameJson(pod.metadata.ownerReferences, old.metadata.ownerReferences)
  )
}
