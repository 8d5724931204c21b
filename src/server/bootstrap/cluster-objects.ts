/** What a fresh cluster has besides permissions: namespaces, priorities, the Service range, and the way to its own API. */
import type { KubeObject } from '../../api/object.ts'

/** Namespaces that are always there; the NamespaceLifecycle plugin keeps the first three from being deleted. */
export const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']
const SYSTEM_PRIORITIES: readonly [name: string, value: number, description: string][] = [
  [
    'system-cluster-critical',
    2_000_000_000,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ],
  ['system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'],
]
const API_PORT = 443
const DEFAULT_TARGET_PORT = 6443

export interface ClusterOptions {
  /** RFC 3339 seconds. */
  now: string
  /** The address of the `kubernetes` Service: the first of the range. */
  serviceAddress: string
  serviceCidr: string
  /** PEM. */
  caCertificate: string
}

export function clusterObjects(options: ClusterOptions): KubeObject[] {
  return [
    ...SYSTEM_NAMESPACES.map(namespace),
    ...SYSTEM_PRIORITIES.map(([name, value, description]) => ({
      kind: 'PriorityClass',
      apiVersion: 'scheduling.k8s.io/v1',
      metadata: { name, generation: 1 },
      value,
      description,
      preemptionPolicy: 'PreemptLowerPriority',
    })),
    serviceRange(options),
    kubernetesService(options.serviceAddress),
    {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
      data: {
        'client-ca-file': options.caCertificate,
        'requestheader-allowed-names': '["front-proxy-client"]',
        'requestheader-client-ca-file': options.caCertificate,
        'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
        'requestheader-group-headers': '["X-Remote-Group"]',
        'requestheader-uid-headers': '["X-Remote-Uid"]',
        'requestheader-username-headers': '["X-Remote-User"]',
      },
    },
  ]
}

function namespace(name: string): KubeObject {
  return {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }
}

function serviceRange({ serviceCidr, now }: ClusterOptions): KubeObject {
  const ready = {
    type: 'Ready',
    status: 'True',
    lastTransitionTime: now,
    reason: '',
    message: 'Kubernetes Service CIDR is ready',
  }
  return {
    kind: 'ServiceCIDR',
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name: 'kubernetes', generation: 1, finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
    spec: { cidrs: [serviceCidr] },
    status: { conditions: [ready] },
  }
}

function kubernetesService(address: string): KubeObject {
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      ports: [{ name: 'https', protocol: 'TCP', port: API_PORT, targetPort: DEFAULT_TARGET_PORT }],
      clusterIP: address,
      clusterIPs: [address],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
    },
    status: { loadBalancer: {} },
  }
}

/** Where the `kubernetes` Service leads. */
export function apiEndpoints(address: string, port: number): KubeObject[] {
  const ports = [{ name: 'https', port, protocol: 'TCP' }]
  return [
    {
      kind: 'Endpoints',
      apiVersion: 'v1',
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: address }], ports }],
    },
    {
      kind: 'EndpointSlice',
      apiVersion: 'discovery.k8s.io/v1',
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        generation: 1,
        labels: { 'kubernetes.io/service-name': 'kubernetes' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports,
    },
  ]
}
