/** The status of a StatefulSet: what `kubectl rollout status` reads. Pure. */
import type { StatefulSetStatus } from '../../api/types.ts'
import { isReady, msUntilAvailable } from '../parts/pods.ts'
import { REVISION_LABEL } from '../parts/revisions.ts'
import type { SetObserved } from './plan.ts'
import { ordinalOf } from './pod-of-set.ts'

/** `collisionCount` as it is after this step. Once all pods have the new revision and are ready, it becomes the current one. */
export function setStatus(observed: SetObserved, collisionCount: number): StatefulSetStatus {
  const { set, pods, nowMs, updateRevision } = observed
  let { currentRevision } = observed
  const counts = { replicas: 0, ready: 0, available: 0, current: 0, updated: 0 }
  for (const pod of pods) {
    if (ordinalOf(set, pod.metadata.name) === undefined) continue
    counts.replicas += 1
    if (pod.status?.phase === 'Running' && isReady(pod)) {
      counts.ready += 1
      if (msUntilAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs) === 0) counts.available += 1
    }
    if (pod.metadata.deletionTimestamp !== undefined) continue
    const revision = pod.metadata.labels?.[REVISION_LABEL]
    if (revision === currentRevision) counts.current += 1
    if (revision === updateRevision) counts.updated += 1
  }
  const rolls = set.spec?.updateStrategy?.type !== 'OnDelete'
  if (
    rolls &&
    counts.updated === counts.replicas &&
    counts.ready === counts.replicas &&
    counts.replicas === (set.spec?.replicas ?? 1)
  ) {
    currentRevision = updateRevision
    counts.current = counts.updated
  }
  return {
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    replicas: counts.replicas,
    ...(counts.ready > 0 && { readyReplicas: counts.ready }),
    availableReplicas: counts.available,
    ...(counts.current > 0 && { currentReplicas: counts.current }),
    ...(counts.updated > 0 && { updatedReplicas: counts.updated }),
    currentRevision,
    updateRevision,
    collisionCount,
    ...(set.status?.conditions && { conditions: set.status.conditions }),
  }
}
