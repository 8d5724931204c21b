/** Deletes pods from nodes whose NoExecute taints they do not tolerate, or not for longer. Keys are pods. */
import { isNotFound } from '../../api/status.ts'
import type { Pod } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { nodes, pods } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { keyOf } from '../../watch/informer.ts'
import { sameJson } from '../parts/json.ts'
import { isTerminal } from '../parts/pods.ts'
import { indexByNode, podsOn } from './by-node.ts'
import { evictionTime } from './taints.ts'

export function taintEvictionController(): Reconciler {
  return {
    name: 'taint-eviction-controller',
    setup(context, enqueue) {
      const store = context.informer(pods).store
      indexByNode(store)
      const nodeStore = context.informer(nodes).store
      const isTainted = (name: string) => (nodeStore.get(name)?.spec?.taints ?? []).some(({ effect }) => effect === 'NoExecute')
      context.informer(nodes).subscribe(({ key, object, old }) => {
        if (!object || sameJson(object.spec?.taints, old?.spec?.taints)) return
        for (const pod of podsOn(store, key)) enqueue(keyOf(pod))
      })
      context.informer(pods).subscribe(({ key, object }) => {
        if (object?.spec?.nodeName && object.metadata.deletionTimestamp === undefined && isTainted(object.spec.nodeName))
          enqueue(key)
      })
    },
    async reconcile(key, context) {
      const pod = context.informer(pods).store.get(key)
      const node = pod?.spec?.nodeName && context.informer(nodes).store.get(pod.spec.nodeName)
      if (!pod || !node || isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) return
      const nowMs = context.clock.now()
      const leave = evictionTime(pod, node, nowMs)
      if (leave === 'never') return
      if (leave > nowMs) return { requeueAfterMs: leave - nowMs }
      await evict(context, pod)
      return
    },
  }
}

async function evict({ client, clock, event }: ReconcileContext, pod: Pod): Promise<void> {
  const { name = '', namespace, uid = '' } = pod.metadata
  const message = `Marking for deletion Pod ${namespace}/${name}`
  event(pod, { type: 'Normal', reason: 'TaintManagerEviction', message })
  try {
    await client.patch(
      pods,
      name,
      'strategic',
      {
        metadata: { uid },
        status: {
          conditions: [
            {
              type: 'DisruptionTarget',
              status: 'True',
              reason: 'DeletionByTaintManager',
              message: 'Taint manager: deleting due to NoExecute taint',
              lastTransitionTime: timestamp(clock),
            },
          ],
        },
      },
      { namespace, subresource: 'status' },
    )
    await client.delete(pods, name, { namespace, preconditions: { uid } })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
