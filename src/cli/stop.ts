/** `skiff stop`: lets a workload's pods end in their own time, then deletes what made them. */
import type { KubeObject } from '../api/object.ts'
import { formatLabelSelector, formatLabels } from '../api/selectors.ts'
import { isNotFound } from '../api/status.ts'
import { replicaSets } from '../client/resources.ts'
import { CommandError, type Io, writeLine } from './io.ts'
import { watchPods } from './pod-watch.ts'
import { handleFor, type Place, resolveWorkload, resourceFor, type WorkloadKind } from './workload-names.ts'

const STOPPED_KINDS = ['Deployment', 'ReplicaSet', 'ReplicationController', 'Job', 'Pod'] as const
const BASE = 'skiff.dev/base'
const TIMED_OUT = 4

export async function runStop(flags: { name: string; timeoutMs: number }, io: Io, place: Place): Promise<number> {
  const found = await resolveWorkload(place, flags.name, STOPPED_KINDS)
  const all = found.isExact ? [found.object] : await familyOf(place, found.kind, found.object)
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(flags.timeoutMs)])
  for (const object of all) {
    const handle = handleFor(found.kind, object.metadata.name ?? '')
    try {
      await stopOne(place, found.kind, object, signal)
    } catch (error) {
      if (!signal.aborted || io.signal.aborted) throw error
      throw new CommandError(`${handle}: its pods are still there after ${flags.timeoutMs / 1000} s`, TIMED_OUT, { cause: error })
    }
    writeLine(io.stdout, `${handle} stopped`)
  }
  return 0
}

/** A bare name stands for all that rolls made of it: stopping only the history would leave the pods. */
async function familyOf({ client, namespace }: Place, kind: WorkloadKind, object: KubeObject): Promise<KubeObject[]> {
  if (kind !== 'ReplicaSet' && kind !== 'ReplicationController') return [object]
  const base = baseOf(object)
  const { items } = await client.list(resourceFor(kind), { namespace })
  return items.filter(
    (item) => baseOf(item) === base && (item.metadata.name === base || item.metadata.annotations?.[BASE] !== undefined),
  )
}

function baseOf(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[BASE] ?? object.metadata.name
}

async function stopOne(place: Place, kind: WorkloadKind, object: KubeObject, signal: AbortSignal): Promise<void> {
  const { client, namespace } = place
  const name = object.metadata.name ?? ''
  const resource = resourceFor(kind)
  if (kind === 'Pod') {
    await client.delete(resource, name, { namespace })
    return untilGone(
      place,
      { fieldSelector: `metadata.name=${name}` },
      async () => new Set([object.metadata.uid ?? '']),
      signal,
      true,
    )
  }
  if (kind === 'Job') {
    const labelSelector = formatLabelSelector(object.spec.selector)
    await client.delete(resource, name, { namespace, propagationPolicy: 'Background' })
    return untilGone(place, { labelSelector }, async () => new Set([object.metadata.uid ?? '']), signal)
  }
  await client.patch(resource, name, 'merge', { spec: { replicas: 0 } }, { namespace })
  const labelSelector =
    kind === 'ReplicationController' ? formatLabels(object.spec.selector) : formatLabelSelector(object.spec.selector)
  await untilGone(place, { labelSelector }, () => ownersOf(place, kind, object), signal)
  try {
    await client.delete(resource, name, { namespace, propagationPolicy: 'Background' })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** The uids of what owns the pods: the object, and the ReplicaSets of a Deployment. */
async function ownersOf({ client, namespace }: Place, kind: WorkloadKind, object: KubeObject): Promise<Set<string>> {
  const uid = object.metadata.uid ?? ''
  if (kind !== 'Deployment') return new Set([uid])
  const { items } = await client.list(replicaSets, { namespace })
  const owned = items.filter((set) => set.metadata.ownerReferences?.some((owner) => owner.uid === uid))
  return new Set([uid, ...owned.map((set) => set.metadata.uid ?? '')])
}

async function untilGone(
  place: Place,
  selection: { labelSelector?: string; fieldSelector?: string },
  owners: () => Promise<Set<string>>,
  signal: AbortSignal,
  isPodItself = false,
): Promise<void> {
  const uids = await owners()
  for await (const pods of watchPods(place, selection, signal)) {
    const left = pods.filter(({ metadata }) =>
      isPodItself ? uids.has(metadata.uid ?? '') : metadata.ownerReferences?.some(({ uid }) => uids.has(uid)),
    )
    if (left.length === 0) return
  }
  signal.throwIfAborted()
}
