/** The ReplicaSet controller: the shared engine, with what is a ReplicaSet's own. */
import type { ReplicaSet } from '../../api/types.ts'
import { replicaSets } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import { controllerOf, ownedBy } from '../parts/owners.ts'
import { compiledSelector } from '../parts/selectors.ts'
import { replicasReconciler } from './engine.ts'

export function replicaSetController(): Reconciler {
  return replicasReconciler<ReplicaSet>({
    name: 'replicaset-controller',
    resource: replicaSets,
    reportsTerminating: true,
    selectorOf: (set) => compiledSelector(set.spec?.selector),
    /** The ReplicaSets of one Deployment share its work. */
    relatives(set, owners) {
      const uid = controllerOf(set)?.uid
      return uid ? ownedBy(owners, uid) : [set]
    },
  })
}
