/** The pod garbage collector: looks through all pods now and then for those no node and no owner will clean up. */
import { isNotFound } from '../../api/status.ts'
import type { Pod } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { nodes, pods } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { inParallel } from '../parts/batches.ts'
import { isTerminal } from '../parts/pods.ts'
import { type PodGcPlan, planPodGc } from './plan-pod-gc.ts'

const SWEEP_INTERVAL_MS = 20_000
/** A node may be registered again under its name within this time. */
const QUARANTINE_MS = 40_000
/** Finished pods that are kept. */
const TERMINATED_POD_LIMIT = 12_500
const SWEEP = 'sweep'

export function podGarbageCollector(options: { terminatedPodLimit?: number } = {}): Reconciler {
  const limit = options.terminatedPodLimit ?? TERMINATED_POD_LIMIT
  /** When a node that pods are bound to was first seen missing; monotonic. */
  const missingSince = new Map<string, number>()
  return {
    name: 'pod-garbage-collector',
    concurrency: 1,
    setup(context, enqueue) {
      context.informer(pods)
      context.informer(nodes).subscribe(({ object }) => {
        if (!object) enqueue(SWEEP, { afterMs: QUARANTINE_MS + 1 })
      })
      enqueue(SWEEP, { afterMs: SWEEP_INTERVAL_MS })
    },
    async reconcile(_key, context) {
      const all = context.informer(pods).store.list()
      noteMissing(context, all, missingSince)
      const nowMs = context.clock.monotonic()
      const lost = new Set<string>()
      for (const [name, sinceMs] of missingSince) {
        // The cache may lag: the server has the last word.
        if (nowMs - sinceMs >= QUARANTINE_MS && (await isAbsent(context, name))) lost.add(name)
      }
      await perform(
        context,
        planPodGc(all, limit, (name) => lost.has(name)),
      )
      return { requeueAfterMs: SWEEP_INTERVAL_MS }
    },
  }
}

function noteMissing(context: ReconcileContext, all: readonly Pod[], missingSince: Map<string, number>): void {
  const store = context.informer(nodes).store
  const missing = new Set<string>()
  for (const pod of all) {
    const name = pod.spec?.nodeName
    if (name && !store.get(name)) missing.add(name)
  }
  for (const name of [...missingSince.keys()]) if (!missing.has(name)) missingSince.delete(name)
  for (const name of missing) if (!missingSince.has(name)) missingSince.set(name, context.clock.monotonic())
}

async function isAbsent({ client }: ReconcileContext, nodeName: string): Promise<boolean> {
  try {
    await client.get(nodes, nodeName)
    return false
  } catch (error) {
    if (isNotFound(error)) return true
    throw error
  }
}

async function perform(context: ReconcileContext, { surplus, orphaned, unbound }: PodGcPlan): Promise<void> {
  await inParallel([...surplus, ...unbound], (pod) => forceDelete(context, pod))
  await inParallel(orphaned, async (pod) => {
    if (!isTerminal(pod)) await markFailed(context, pod)
    await forceDelete(context, pod)
  })
}

/** Whoever counts the pod sees it as failed, not as vanished. */
async function markFailed({ client, clock }: ReconcileContext, pod: Pod): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
    lastTransitionTime: timestamp(clock),
  }
  const patch = { metadata: { uid }, status: { phase: 'Failed', conditions: [condition] } }
  await client.patch(pods, name, 'strategic', patch, { namespace, subresource: 'status' }).catch(ignoreNotFound)
}

async function forceDelete({ client }: ReconcileContext, pod: Pod): Promise<void> {
  const { name = '', namespace, uid = '' } = pod.metadata
  await client.delete(pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } }).catch(ignoreNotFound)
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error
}
