/** What the tests of rolls share: workloads on a played cluster, and an eye on their available pods. */
import { expect } from 'vitest'
import type { Pod, ReplicaSet, ReplicationController } from '../../src/api/types.ts'
import { systemClock } from '../../src/base/clock.ts'
import { deployments, pods, replicaSets, replicationControllers } from '../../src/client/resources.ts'
import type { RollKind, RollOptions } from '../../src/rollout/index.ts'
import type { TestCluster } from '../controllers/cluster.ts'
import { until } from '../controllers/until.ts'

const namespace = 'default'
const labels = { app: 'web' }
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } }

export function optionsFor(cluster: TestCluster, kind: RollKind, more: Partial<RollOptions> = {}): RollOptions {
  return { client: cluster.client, clock: systemClock, namespace, target: { kind, name: 'web' }, timeoutMs: 10_000, ...more }
}

/** `web` with this many pods, all of them available. */
export async function createWeb(cluster: TestCluster, kind: RollKind, replicas = 3): Promise<void> {
  const { client } = cluster
  const metadata = { name: 'web', namespace }
  if (kind === 'ReplicationController')
    await client.create(replicationControllers, { metadata, spec: { replicas, selector: labels, template } })
  else if (kind === 'ReplicaSet')
    await client.create(replicaSets, { metadata, spec: { replicas, selector: { matchLabels: labels }, template } })
  else await client.create(deployments, { metadata, spec: { replicas, selector: { matchLabels: labels }, template } })
  const resource = { ReplicationController: replicationControllers, ReplicaSet: replicaSets, Deployment: deployments }[kind]
  await until(async () =>
    expect((await client.get<ReplicaSet>(resource as never, 'web', { namespace })).status?.availableReplicas).toBe(replicas),
  )
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
