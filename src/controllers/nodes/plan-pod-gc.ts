/** Which pods nobody will ever clean up. Pure. */
import type { Pod } from '../../api/types.ts'
import { isTerminal } from '../parts/pods.ts'

export interface PodGcPlan {
  /** Finished ones beyond the limit, oldest first. */
  surplus: Pod[]
  /** Bound to a node that is not there. */
  orphaned: Pod[]
  /** Deleted before they were bound: no node will confirm it. */
  unbound: Pod[]
}

/** `isGone` tells of a node's name whether it has been missing for long enough. */
export function planPodGc(pods: readonly Pod[], limit: number, isGone: (nodeName: string) => boolean): PodGcPlan {
  const plan: PodGcPlan = { surplus: [], orphaned: [], unbound: [] }
  const finished: Pod[] = []
  for (const pod of pods) {
    const node = pod.spec?.nodeName
    if (node && isGone(node)) plan.orphaned.push(pod)
    else if (!node && pod.metadata.deletionTimestamp !== undefined) plan.unbound.push(pod)
    else if (isTerminal(pod) && pod.metadata.deletionTimestamp === undefined) finished.push(pod)
  }
  finished.sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1))
  plan.surplus = finished.slice(0, Math.max(0, finished.length - limit))
  return plan
}
