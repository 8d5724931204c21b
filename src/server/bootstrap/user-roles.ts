/** The roles for people: cluster-admin, admin, edit and view, and the parts that the last three are gathered from. */
import { METRICS_GROUP } from '../../api/kinds/metrics.ts'
import type { KubeObject } from '../../api/object.ts'
import type { PolicyRule } from '../../api/types.ts'
import { aggregateTo, clusterBinding, clusterRole, paths, READ, rule, WRITE } from './policy.ts'

const VIEW: PolicyRule[] = [
  rule(
    READ,
    'core',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers ' +
      'replicationcontrollers/scale serviceaccounts services services/status',
  ),
  rule(
    READ,
    'core',
    'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas ' +
      'resourcequotas/status',
  ),
  rule(READ, 'core', 'namespaces'),
  rule(READ, 'discovery.k8s.io', 'endpointslices'),
  rule(
    READ,
    'apps',
    'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets ' +
      'replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
  ),
  rule(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  rule(READ, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
  rule(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  rule(READ, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  rule(READ, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
]

const EDIT: PolicyRule[] = [
  rule(READ, 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
  rule('impersonate', 'core', 'serviceaccounts'),
  rule(WRITE, 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
  rule('create', 'core', 'pods/eviction'),
  rule(
    WRITE,
    'core',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts ' +
      'services services/proxy',
  ),
  rule('create', 'core', 'serviceaccounts/token'),
  rule(
    WRITE,
    'apps',
    'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
  ),
  rule(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
  rule(WRITE, 'batch', 'cronjobs jobs'),
  rule(WRITE, 'policy', 'poddisruptionbudgets'),
  rule(WRITE, 'networking.k8s.io', 'ingresses networkpolicies'),
  rule(`${WRITE} ${READ}`, 'coordination.k8s.io', 'leases'),
  rule(WRITE, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
]

const ADMIN: PolicyRule[] = [
  rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
  rule(`${WRITE} ${READ}`, 'rbac.authorization.k8s.io', 'roles rolebindings'),
]

/** The gathered roles carry their rules from the start, so that they read right before any controller has run. */
export function userRoles(): KubeObject[] {
  const part = (name: string, rules: PolicyRule[]) =>
    clusterRole(`system:aggregate-to-${name}`, rules, { labels: { [aggregateTo(name)]: 'true' } })
  return [
    clusterRole('cluster-admin', [rule('*', '*', '*'), paths('*', '*')]),
    clusterBinding('cluster-admin', ['Group:system:masters']),
    clusterRole('view', VIEW, { labels: { [aggregateTo('edit')]: 'true' }, parts: 'view' }),
    clusterRole('edit', [...VIEW, ...EDIT], { labels: { [aggregateTo('admin')]: 'true' }, parts: 'edit' }),
    clusterRole('admin', [...VIEW, ...EDIT, ...ADMIN], { parts: 'admin' }),
    part('view', VIEW),
    part('edit', EDIT),
    part('admin', ADMIN),
  ]
}

/** Whoever may look at pods may see what they use: as metrics-server has it, where the group is served. */
export function metricsReader(): KubeObject {
  const labels = Object.fromEntries(['view', 'edit', 'admin'].map((name) => [aggregateTo(name), 'true']))
  return clusterRole('system:aggregated-metrics-reader', [rule(READ, METRICS_GROUP, 'pods nodes')], { labels })
}
