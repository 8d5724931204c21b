/** One role for each controller, bound to the service account of its name in kube-system. */
import type { KubeObject } from '../../api/object.ts'
import type { PolicyRule } from '../../api/types.ts'
import { clusterBinding, clusterRole, EVENTS, READ, rule } from './policy.ts'

const POD_CONTROL = rule(`create delete ${READ} patch update`, 'core', 'pods')
const REVISIONS = rule(`create delete ${READ} patch update`, 'apps', 'controllerrevisions')

/** A controller that owns objects sets finalizers on them, where blockOwnerDeletion is enforced. */
const owns = (group: string, plural: string): PolicyRule[] => [
  rule(`${READ} patch update`, group, plural),
  rule('patch update', group, `${plural}/status`),
  rule('update', group, `${plural}/finalizers`),
]

const CONTROLLERS: Readonly<Record<string, PolicyRule[]>> = {
  'clusterrole-aggregation-controller': [rule(`${READ} escalate patch update`, 'rbac.authorization.k8s.io', 'clusterroles')],
  'cronjob-controller': [
    ...owns('batch', 'cronjobs'),
    rule(`create delete ${READ} patch update`, 'batch', 'jobs'),
    rule('delete list', 'core', 'pods'),
    EVENTS,
  ],
  'daemon-set-controller': [
    ...owns('apps', 'daemonsets'),
    rule(READ, 'core', 'nodes'),
    POD_CONTROL,
    rule('create', 'core', 'pods/binding'),
    REVISIONS,
    EVENTS,
  ],
  'deployment-controller': [
    ...owns('apps', 'deployments'),
    rule(`create delete ${READ} patch update`, 'apps', 'replicasets'),
    rule(`${READ} update`, 'core', 'pods'),
    EVENTS,
  ],
  'disruption-controller': [
    rule(READ, 'apps', 'deployments replicasets statefulsets'),
    rule(READ, 'core', 'replicationcontrollers'),
    rule(READ, 'policy', 'poddisruptionbudgets'),
    rule('update', 'policy', 'poddisruptionbudgets/status'),
    rule('patch update', 'core', 'pods/status'),
    rule(READ, 'core', 'pods'),
    rule('get', '*', '*/scale'),
    EVENTS,
  ],
  'endpoint-controller': [
    rule(READ, 'core', 'pods services'),
    rule(`create delete ${READ} update`, 'core', 'endpoints'),
    rule('create', 'core', 'endpoints/restricted'),
    EVENTS,
  ],
  'endpointslice-controller': [
    rule(READ, 'core', 'nodes pods services'),
    rule('update', 'core', 'services/finalizers'),
    rule(`create delete ${READ} update`, 'discovery.k8s.io', 'endpointslices'),
    rule('create', 'discovery.k8s.io', 'endpointslices/restricted'),
    EVENTS,
  ],
  'endpointslicemirroring-controller': [
    rule(READ, 'core', 'endpoints services'),
    rule('update', 'core', 'endpoints/finalizers services/finalizers'),
    rule(`create delete ${READ} update`, 'discovery.k8s.io', 'endpointslices'),
    rule('create', 'discovery.k8s.io', 'endpointslices/restricted'),
    EVENTS,
  ],
  'generic-garbage-collector': [rule(`delete ${READ} patch update`, '*', '*'), EVENTS],
  'horizontal-pod-autoscaler': [
    rule(READ, 'autoscaling', 'horizontalpodautoscalers'),
    rule('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    rule('get update', '*', '*/scale'),
    rule('list', 'core', 'pods'),
    rule('list', 'metrics.k8s.io', 'pods'),
    rule('get list', 'custom.metrics.k8s.io external.metrics.k8s.io', '*'),
    EVENTS,
  ],
  'job-controller': [...owns('batch', 'jobs'), POD_CONTROL, EVENTS],
  'namespace-controller': [
    rule(`delete ${READ}`, 'core', 'namespaces'),
    rule('update', 'core', 'namespaces/finalize namespaces/status'),
    rule('delete deletecollection get list', '*', '*'),
  ],
  'node-controller': [
    rule(`delete ${READ} patch update`, 'core', 'nodes'),
    rule('patch update', 'core', 'nodes/status pods/status'),
    rule(`delete ${READ}`, 'core', 'pods'),
    rule(READ, 'coordination.k8s.io', 'leases'),
    EVENTS,
  ],
  'persistent-volume-binder': [
    rule(`create delete ${READ} update`, 'core', 'persistentvolumes'),
    rule('update', 'core', 'persistentvolumes/status persistentvolumeclaims/status'),
    rule(`${READ} update`, 'core', 'persistentvolumeclaims'),
    rule(`create delete ${READ}`, 'core', 'pods'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule('get list', 'core', 'nodes'),
    EVENTS,
  ],
  'pod-garbage-collector': [
    rule(`delete ${READ}`, 'core', 'pods'),
    rule(READ, 'core', 'nodes'),
    rule('patch', 'core', 'pods/status'),
  ],
  'pv-protection-controller': [rule(`${READ} update`, 'core', 'persistentvolumes'), EVENTS],
  'pvc-protection-controller': [rule(`${READ} update`, 'core', 'persistentvolumeclaims'), rule(READ, 'core', 'pods'), EVENTS],
  'replicaset-controller': [...owns('apps', 'replicasets'), POD_CONTROL, EVENTS],
  'replication-controller': [...owns('core', 'replicationcontrollers'), POD_CONTROL, EVENTS],
  'resourcequota-controller': [rule('list watch', '*', '*'), rule('update', 'core', 'resourcequotas/status'), EVENTS],
  'root-ca-cert-publisher': [rule('create update', 'core', 'configmaps'), EVENTS],
  'service-account-controller': [rule('create', 'core', 'serviceaccounts'), EVENTS],
  'statefulset-controller': [
    ...owns('apps', 'statefulsets'),
    POD_CONTROL,
    REVISIONS,
    rule(`create delete ${READ} patch update`, 'core', 'persistentvolumeclaims'),
    EVENTS,
  ],
  'ttl-after-finished-controller': [rule(`delete ${READ}`, 'batch', 'jobs'), EVENTS],
  'validatingadmissionpolicy-status-controller': [
    rule(READ, 'admissionregistration.k8s.io', 'validatingadmissionpolicies'),
    rule('get patch update', 'admissionregistration.k8s.io', 'validatingadmissionpolicies/status'),
    EVENTS,
  ],
}

export function controllerRoles(): KubeObject[] {
  return Object.entries(CONTROLLERS).flatMap(([controller, rules]) => {
    const name = `system:controller:${controller}`
    return [clusterRole(name, rules), clusterBinding(name, [`ServiceAccount:kube-system/${controller}`])]
  })
}
