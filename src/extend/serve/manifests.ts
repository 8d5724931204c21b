/** What a stock cluster needs to run the extensions: a namespace, an account and its rights, one pod, and a Service before it. */
import type { KubeObject } from '../../api/object.ts'
import { WEBHOOK_NAME } from './registration.ts'

export interface ManifestOptions {
  namespace: string
  /** The image that has the program `skiff` as its entrypoint. */
  image: string
}

const READ = ['get', 'list', 'watch']
const PORT = 8443

/** In the order they are to be made. */
export function extensionManifests({ namespace, image }: ManifestOptions): KubeObject[] {
  const name = WEBHOOK_NAME
  const labels = { 'app.kubernetes.io/name': name }
  const args = ['extend', 'serve', '--service', `${namespace}/${name}`, '--host', '0.0.0.0', '--port', String(PORT)]
  const container = {
    ...{ name: 'skiff', image, args, ports: [{ name: 'webhook', containerPort: PORT }] },
    readinessProbe: { httpGet: { path: '/healthz', port: PORT, scheme: 'HTTPS' }, periodSeconds: 2 },
    resources: { requests: { cpu: '50m', memory: '128Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, runAsUser: 65_532 },
  }
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules: rules() },
    {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace } },
      spec: { selector: labels, ports: [{ port: 443, targetPort: PORT }] },
    },
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace, labels } },
      spec: {
        replicas: 1,
        // Two of them would register two certificates.
        strategy: { type: 'Recreate' },
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { serviceAccountName: name, containers: [container] } },
      },
    },
  ] as KubeObject[]
}

/** Whatever may be required is read, custom kinds among it; written is what the reconcilers write. */
function rules(): object[] {
  return [
    { apiGroups: ['*'], resources: ['*'], verbs: READ },
    { nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods', 'pods/status', 'podtemplates'], verbs: ['patch', 'delete'] },
    { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets'], verbs: ['patch', 'update'] },
    {
      apiGroups: ['apps'],
      resources: ['deployments/status', 'statefulsets/status', 'daemonsets/status'],
      verbs: ['patch', 'update'],
    },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
    { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['mutatingwebhookconfigurations'],
      verbs: ['create', 'patch', 'delete'],
    },
  ]
}
