/** The ReplicationController controller: the shared engine, with what is a ReplicationController's own. */
import type { ReplicationController } from '../../api/types.ts'
import { replicationControllers } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import { compiledSet } from '../parts/selectors.ts'
import { replicasReconciler } from './engine.ts'

export function replicationControllerController(): Reconciler {
  return replicasReconciler<ReplicationController>({
    name: 'replication-controller',
    resource: replicationControllers,
    reportsTerminating: false,
    selectorOf: (controller) => compiledSet(controller.spec?.selector),
    relatives: (controller) => [controller],
  })
}
