/** Typed names of the built-in resources that this code base talks to. */
import type * as t from '../api/types.ts'
import type { ResourceRef } from './client.ts'

function namespaced<T>(groupVersion: string, plural: string, kind: string): ResourceRef<T> {
  return reference(groupVersion, plural, kind, true)
}
function cluster<T>(groupVersion: string, plural: string, kind: string): ResourceRef<T> {
  return reference(groupVersion, plural, kind, false)
}
function reference<T>(groupVersion: string, plural: string, kind: string, isNamespaced: boolean): ResourceRef<T> {
  const slash = groupVersion.indexOf('/')
  const group = slash < 0 ? '' : groupVersion.slice(0, slash)
  return { group, version: groupVersion.slice(slash + 1), plural, kind, namespaced: isNamespaced }
}

export const pods = namespaced<t.Pod>('v1', 'pods', 'Pod')
export const services = namespaced<t.Service>('v1', 'services', 'Service')
export const endpoints = namespaced<t.Endpoints>('v1', 'endpoints', 'Endpoints')
export const configMaps = namespaced<t.ConfigMap>('v1', 'configmaps', 'ConfigMap')
export const secrets = namespaced<t.Secret>('v1', 'secrets', 'Secret')
export const serviceAccounts = namespaced<t.ServiceAccount>('v1', 'serviceaccounts', 'ServiceAccount')
export const replicationControllers = namespaced<t.ReplicationController>('v1', 'replicationcontrollers', 'ReplicationController')
export const resourceQuotas = namespaced<t.ResourceQuota>('v1', 'resourcequotas', 'ResourceQuota')
export const limitRanges = namespaced<t.LimitRange>('v1', 'limitranges', 'LimitRange')
export const podTemplates = namespaced<t.PodTemplate>('v1', 'podtemplates', 'PodTemplate')
export const persistentVolumeClaims = namespaced<t.PersistentVolumeClaim>('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim')
export const persistentVolumes = cluster<t.PersistentVolume>('v1', 'persistentvolumes', 'PersistentVolume')
export const events = namespaced<t.Event>('v1', 'events', 'Event')
export const nodes = cluster<t.Node>('v1', 'nodes', 'Node')
export const namespaces = cluster<t.Namespace>('v1', 'namespaces', 'Namespace')
export const deployments = namespaced<t.Deployment>('apps/v1', 'deployments', 'Deployment')
export const replicaSets = namespaced<t.ReplicaSet>('apps/v1', 'replicasets', 'ReplicaSet')
export const statefulSets = namespaced<t.StatefulSet>('apps/v1', 'statefulsets', 'StatefulSet')
export const daemonSets = namespaced<t.DaemonSet>('apps/v1', 'daemonsets', 'DaemonSet')
export const controllerRevisions = namespaced<t.ControllerRevision>('apps/v1', 'controllerrevisions', 'ControllerRevision')
export const jobs = namespaced<t.Job>('batch/v1', 'jobs', 'Job')
export const cronJobs = namespaced<t.CronJob>('batch/v1', 'cronjobs', 'CronJob')
export const endpointSlices = namespaced<t.EndpointSlice>('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice')
export const leases = namespaced<t.Lease>('coordination.k8s.io/v1', 'leases', 'Lease')
export const podDisruptionBudgets = namespaced<t.PodDisruptionBudget>('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget')
export const nodeMetrics = cluster<t.NodeMetrics>('metrics.k8s.io/v1beta1', 'nodes', 'NodeMetrics')
export const podMetrics = namespaced<t.PodMetrics>('metrics.k8s.io/v1beta1', 'pods', 'PodMetrics')
export const horizontalPodAutoscalers = namespaced<t.HorizontalPodAutoscaler>(
  'autoscaling/v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
)
export const priorityClasses = cluster<t.PriorityClass>('scheduling.k8s.io/v1', 'priorityclasses', 'PriorityClass')
export const certificateSigningRequests = cluster<t.CertificateSigningRequest>(
  'certificates.k8s.io/v1',
  'certificatesigningrequests',
  'CertificateSigningRequest',
)
export const subjectAccessReviews = cluster<t.SubjectAccessReview>(
  'authorization.k8s.io/v1',
  'subjectaccessreviews',
  'SubjectAccessReview',
)
export const clusterRoles = cluster<t.ClusterRole>('rbac.authorization.k8s.io/v1', 'clusterroles', 'ClusterRole')
export const validatingAdmissionPolicies = cluster<t.ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
)
export const storageClasses = cluster<t.StorageClass>('storage.k8s.io/v1', 'storageclasses', 'StorageClass')
