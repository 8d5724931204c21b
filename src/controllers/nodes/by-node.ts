/** Finds the pods of a node. */
import type { Pod } from '../../api/types.ts'
import type { Cache } from '../../watch/informer.ts'

const BY_NODE = 'node-name'

/** Declares the index; pods that are not bound are under the empty name. */
export function indexByNode(pods: Cache<Pod>): void {
  pods.addIndex(BY_NODE, (pod) => [pod.spec?.nodeName ?? ''])
}

export function podsOn(pods: Cache<Pod>, nodeName: string): readonly Pod[] {
  return pods.byIndex(BY_NODE, nodeName)
}
