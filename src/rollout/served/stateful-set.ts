/** StatefulSets, as the engine for server-side rolls sees them: pods in order, and a partition for canaries. */

import { isNotFound } from '../../api/status.ts'
import type { Pod, StatefulSet } from '../../api/types.ts'
import type { Client } from '../../client/client.ts'
import { pods, statefulSets } from '../../client/resources.ts'
import { resolveAmount } from '../plan.ts'
import { RollError } from '../progress.ts'
import { isSeen, type ServedKind } from './kind.ts'
import { controllerRevisionsOf } from './revisions.ts'

/** The partition that was there before a canary. */
const PARTITION_BEFORE = 'skiff.dev/partition-before-canary'
const REVISION_LABEL = 'controller-revision-hash'

export const statefulSetKind: ServedKind<StatefulSet> = {
  word: 'statefulset',
  resource: statefulSets,
  stateOf(set) {
    if (!isSeen(set)) return 'rolling'
    const { wanted, updated, available, all } = this.countsOf(set)
    const partition = partitionOf(set)
    if (all !== wanted || available < wanted || updated < Math.max(0, wanted - partition)) return 'rolling'
    if (isCanary(set)) return 'held'
    const { currentRevision, updateRevision } = set.status ?? {}
    return partition > 0 || currentRevision === updateRevision ? 'complete' : 'rolling'
  },
  countsOf: ({ spec, status }) => ({
    wanted: spec?.replicas ?? 1,
    // Once all pods have it, the update revision is the current one, and the server may leave the count out.
    updated: status?.currentRevision === status?.updateRevision ? (status?.replicas ?? 0) : (status?.updatedReplicas ?? 0),
    available: status?.availableReplicas ?? status?.readyReplicas ?? 0,
    all: status?.replicas ?? 0,
  }),
  canary: (_, set) => ({ annotations: isCanary(set) ? {} : { [PARTITION_BEFORE]: String(partitionOf(set)) } }),
  pace({ maxSurge, maxUnavailable, minReadySeconds, canary }, set) {
    const name = `statefulset/${set.metadata.name}`
    if (maxSurge !== undefined) throw new RollError(`${name} takes no surge: its pods have names of their own`)
    if (set.spec?.updateStrategy?.type === 'OnDelete')
      throw new RollError(`${name} updates pods only when they are deleted: its updateStrategy is OnDelete`)
    const wanted = set.spec?.replicas ?? 1
    const partition = canary === undefined ? undefined : Math.max(0, wanted - resolveAmount(canary, wanted, 'up'))
    const rollingUpdate = {
      ...(maxUnavailable !== undefined && { maxUnavailable }),
      ...(partition !== undefined && { partition }),
    }
    return {
      ...(Object.keys(rollingUpdate).length > 0 && { updateStrategy: { type: 'RollingUpdate', rollingUpdate } }),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
    }
  },
  release(set) {
    const before = set.metadata.annotations?.[PARTITION_BEFORE]
    if (before === undefined) return {}
    return {
      spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: Number(before) } } },
      annotations: { [PARTITION_BEFORE]: null },
    }
  },
  revisions: controllerRevisionsOf,
  unblock: deleteUnready,
}

function isCanary({ metadata }: StatefulSet): boolean {
  return metadata.annotations?.[PARTITION_BEFORE] !== undefined
}

function partitionOf({ spec }: StatefulSet): number {
  return spec?.updateStrategy?.rollingUpdate?.partition ?? 0
}

/** In order means that a pod which never becomes ready is waited for, with whatever template: it must go by hand. */
async function deleteUnready(client: Client, set: StatefulSet): Promise<void> {
  const { namespace, uid } = set.metadata
  const { items } = await client.list(pods, { namespace })
  for (const pod of items) {
    if (!pod.metadata.ownerReferences?.some((owner) => owner.uid === uid) || isReady(pod)) continue
    if (pod.metadata.labels?.[REVISION_LABEL] === set.status?.updateRevision) continue
    const preconditions = { uid: pod.metadata.uid ?? '' }
    try {
      await client.delete(pods, pod.metadata.name ?? '', { namespace, preconditions })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}
