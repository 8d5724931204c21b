/** The built-in controllers: each one a Reconciler, meeting the others only at the API. */
import {
  certificateSigningRequests,
  cronJobs,
  daemonSets,
  horizontalPodAutoscalers,
  podDisruptionBudgets,
  statefulSets,
  validatingAdmissionPolicies,
} from '../client/resources.ts'
import type { Reconciler } from '../reconcile/reconciler.ts'
import { rootCaPublisher } from './accounts/root-ca.ts'
import { serviceAccountController } from './accounts/service-account.ts'
import type { SignCertificate } from './certificates/signing.ts'
import { deploymentController } from './deployment/deployment.ts'
import { endpointSliceController } from './endpoints/endpoint-slices.ts'
import { endpointsController } from './endpoints/endpoints.ts'
import { garbageCollector } from './garbage/garbage-collector.ts'
import { jobController } from './job/job.ts'
import { ttlAfterFinishedController } from './job/ttl-after-finished.ts'
import { namespaceController } from './namespace/namespace.ts'
import { nodeLifecycleController } from './nodes/node-lifecycle.ts'
import { podGarbageCollector } from './nodes/pod-gc.ts'
import { taintEvictionController } from './nodes/taint-eviction.ts'
import { onDemand } from './parts/on-demand.ts'
import { resourceQuotaController } from './quota/resource-quota.ts'
import { replicaSetController } from './replicas/replica-set.ts'
import { replicationControllerController } from './replicas/replication-controller.ts'
import { clusterRoleAggregationController } from './roles/aggregation.ts'
import { storageControllers } from './storage/storage.ts'

export interface ControllerOptions {
  /** The cluster's CA in PEM, for the ConfigMap `kube-root-ca.crt` of every namespace. */
  caCertificate: string
  /** Signs approved certificate requests for the signers `kubernetes.io/…`; without it nobody does. */
  signCertificate?: SignCertificate
  /** Finished pods that are kept; 12,500 by default. */
  terminatedPodLimit?: number
}

/** Every controller of kube-controller-manager that is built in here, for one Runner. */
export function builtinControllers(options: ControllerOptions): Reconciler[] {
  return [
    serviceAccountController(),
    rootCaPublisher(options),
    namespaceController(),
    deploymentController(),
    replicaSetController(),
    replicationControllerController(),
    jobController(),
    ttlAfterFinishedController(),
    endpointsController(),
    endpointSliceController(),
    nodeLifecycleController(),
    taintEvictionController(),
    podGarbageCollector(options),
    garbageCollector(),
    resourceQuotaController(),
    clusterRoleAggregationController(),
    ...storageControllers(),
    ...onDemandControllers(options),
  ]
}

/** Kinds that many clusters have none of: their controllers are loaded with the first object. */
function onDemandControllers({ signCertificate }: ControllerOptions): Reconciler[] {
  return [
    onDemand({
      name: 'statefulset-controller',
      resource: statefulSets,
      load: async () => (await import('./stateful-set/stateful-set.ts')).statefulSetController(),
    }),
    onDemand({
      name: 'daemonset-controller',
      resource: daemonSets,
      load: async () => (await import('./daemon-set/daemon-set.ts')).daemonSetController(),
    }),
    onDemand({
      name: 'cronjob-controller',
      resource: cronJobs,
      load: async () => (await import('./cron-job/cron-job.ts')).cronJobController(),
    }),
    ...(signCertificate
      ? [
          onDemand({
            name: 'csr-approving-controller',
            resource: certificateSigningRequests,
            load: async () => (await import('./certificates/approving.ts')).certificateApprovingController(signCertificate),
          }),
          onDemand({
            name: 'csr-signing-controller',
            resource: certificateSigningRequests,
            load: async () => (await import('./certificates/signing.ts')).certificateSigningController(signCertificate),
          }),
        ]
      : []),
    onDemand({
      name: 'horizontal-pod-autoscaler',
      resource: horizontalPodAutoscalers,
      load: async () => (await import('./autoscaler/autoscaler.ts')).horizontalPodAutoscaler(),
    }),
    onDemand({
      name: 'disruption-controller',
      resource: podDisruptionBudgets,
      load: async () => (await import('./disruption/disruption.ts')).disruptionController(),
    }),
    onDemand({
      name: 'validatingadmissionpolicy-status-controller',
      resource: validatingAdmissionPolicies,
      load: async () => (await import('./admission/policy-status.ts')).policyStatusController(),
    }),
  ]
}
