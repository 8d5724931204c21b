/** What the tests of rolls share: workloads on a played cluster, and an eye on their available pods. */
import { expect } from 'vitest'
import type { DaemonSet, Pod, ReplicaSet, ReplicationController } from '../../src/api/types.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { ResourceRef } from '../../src/client/client.ts'
import { daemonSets, deployments, pods, replicaSets, replicationControllers, statefulSets } from '../../src/client/resources.ts'
import type { RollKind, RollOptions } from '../../src/rollout/index.ts'
import type { TestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'

const namespace = 'default'
const labels = { app: 'web' }
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } }

export function optionsFor(cluster: TestCluster, kind: RollKind, more: Partial<RollOptions> = {}): RollOptions {
  return { client: cluster.client, clock: systemClock, namespace, target: { kind, name: 'web' }, timeoutMs: 10_000, ...more }
}

const RESOURCES = {
  ReplicationController: replicationControllers,
  ReplicaSet: replicaSets,
  Deployment: deployments,
  StatefulSet: statefulSets,
  DaemonSet: daemonSets,
} as unknown as Record<RollKind, ResourceRef<ReplicaSet & DaemonSet>>

/** `web` with this many pods, all of them available; a DaemonSet has one on each node. */
export async function createWeb(cluster: Pick<TestCluster, 'client'>, kind: RollKind, replicas = 3): Promise<void> {
  const { client } = cluster
  const selector = kind === 'ReplicationController' ? labels : { matchLabels: labels }
  const more = { ...(kind !== 'DaemonSet' && { replicas }), ...(kind === 'StatefulSet' && { serviceName: 'web' }) }
  const body = { metadata: { name: 'web', namespace }, spec: { selector, template, ...more } }
  await client.create(RESOURCES[kind], body as never)
  await until(async () => {
    const { status } = await client.get(RESOURCES[kind], 'web', { namespace })
    expect(status?.availableReplicas ?? status?.numberAvailable).toBe(replicas)
  })
}

/** Counts available pods at every change; `lowest` is the least there ever were, `highest` the most pods of any state. */
export function watchAvailability(cluster: TestCluster): { lowest(): number; highest(): number; images(): string[] } {
  const informer = cluster.informers.get(pods)
  let lowest = Number.POSITIVE_INFINITY
  let highest = 0
  const serving = () => informer.store.list(namespace).filter(isServing)
  informer.subscribe(() => {
    lowest = Math.min(lowest, serving().length)
    highest = Math.max(highest, informer.store.list(namespace).filter(({ metadata }) => !metadata.deletionTimestamp).length)
  })
  // Replayed objects arrive one by one, into a cache that has them all.
  return {
    lowest: () => lowest,
    highest: () => highest,
    images: () => serving().map((pod) => pod.spec?.containers[0]?.image ?? ''),
  }
}

function isServing(pod: Pod): boolean {
  return (
    !pod.metadata.deletionTimestamp &&
    pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
  )
}

export async function controllersOf(cluster: TestCluster, kind: RollKind): Promise<(ReplicationController | ReplicaSet)[]> {
  const resource = kind === 'ReplicationController' ? replicationControllers : replicaSets
  return (await cluster.client.list<ReplicaSet>(resource as never, { namespace })).items
}
