/** The pods of each node out of one watch, however many nodes live in this process. */
import type { Pod } from '../../api/types.ts'
import type { Informer } from '../../watch/index.ts'

const BY_NODE = 'spec.nodeName'

export interface PodFeed {
  whenSynced(signal: AbortSignal): Promise<void>
  list(nodeName: string): readonly Pod[]
  /** Tells the node of every change of a pod that is or was its own. `old` is given when the pod is no longer there. */
  subscribe(nodeName: string, listener: (pod: Pod | undefined, old: Pod | undefined) => void): () => void
}

export function createPodFeed(informer: Informer<Pod>): PodFeed {
  const listeners = new Map<string, (pod: Pod | undefined, old: Pod | undefined) => void>()
  informer.store.addIndex(BY_NODE, (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []))
  informer.subscribe(({ object, old }) => {
    const now = object?.spec?.nodeName
    const before = old?.spec?.nodeName
    if (now) listeners.get(now)?.(object, old)
    if (before && before !== now) listeners.get(before)?.(undefined, old)
  })
  return {
    whenSynced: (signal) => informer.whenSynced(signal),
    list: (nodeName) => informer.store.byIndex(BY_NODE, nodeName),
    subscribe(nodeName, listener) {
      if (listeners.has(nodeName)) throw new Error(`two agents for node ${nodeName}`)
      listeners.set(nodeName, listener)
      return () => listeners.delete(nodeName)
    },
  }
}
