/** The roles of everybody (discovery, reviews of oneself) and of components that are no controllers: node, proxy, scheduler, … */
import type { KubeObject } from '../../api/object.ts'
import { binding, clusterBinding, clusterRole, EVENTS, paths, READ, role, rule, WRITE } from './policy.ts'

const AUTHENTICATED = 'Group:system:authenticated'
const UNAUTHENTICATED = 'Group:system:unauthenticated'
const HEALTH = '/healthz /livez /readyz /version /version/'
const CSRS = 'certificatesigningrequests'
/** What a component needs that asks the API server about those who call it. */
const DELEGATION = [
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
]

export function systemRoles(): KubeObject[] {
  return [...everybody(), ...nodes(), ...components(), ...certificateRoles(), ...kubeSystemRoles()]
}

function everybody(): KubeObject[] {
  return [
    clusterRole('system:basic-user', [
      rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
      rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
    ]),
    clusterBinding('system:basic-user', [AUTHENTICATED]),
    clusterRole('system:discovery', [
      paths('get', '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/'),
    ]),
    clusterBinding('system:discovery', [AUTHENTICATED]),
    clusterRole('system:public-info-viewer', [paths('get', HEALTH)]),
    clusterBinding('system:public-info-viewer', [AUTHENTICATED, UNAUTHENTICATED]),
    clusterRole('system:service-account-issuer-discovery', [
      paths('get', '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/'),
    ]),
    clusterBinding('system:service-account-issuer-discovery', ['Group:system:serviceaccounts']),
    // What is published under /.well-known is no secret to anybody who may use the cluster.
    clusterRole('skiff.dev:well-known-viewer', [paths('get', '/.well-known /.well-known/*')]),
    clusterBinding('skiff.dev:well-known-viewer', [AUTHENTICATED]),
    clusterRole('system:monitoring', [
      paths('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'),
    ]),
    clusterBinding('system:monitoring', ['Group:system:monitoring']),
  ]
}

function nodes(): KubeObject[] {
  return [
    // Bound to nobody: the node authorizer gives these rules to each node, narrowed to what its pods use.
    clusterRole('system:node', [
      ...DELEGATION,
      rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
      rule(READ, 'core', 'services'),
      rule(`create ${READ} patch update`, 'core', 'nodes'),
      rule('patch update', 'core', 'nodes/status'),
      EVENTS,
      rule(`create delete ${READ}`, 'core', 'pods'),
      rule('patch update', 'core', 'pods/status'),
      rule('create', 'core', 'pods/eviction'),
      rule(READ, 'core', 'configmaps secrets'),
      rule('get', 'core', 'persistentvolumeclaims persistentvolumes serviceaccounts'),
      rule('get patch update', 'core', 'persistentvolumeclaims/status'),
      rule('get', 'core', 'endpoints'),
      rule(`create ${READ}`, 'certificates.k8s.io', CSRS),
      rule('create delete get patch update', 'coordination.k8s.io', 'leases'),
      rule('get', 'storage.k8s.io', 'volumeattachments'),
      rule('create', 'core', 'serviceaccounts/token'),
      rule(READ, 'storage.k8s.io', 'csidrivers'),
      rule('create delete get patch update', 'storage.k8s.io', 'csinodes'),
      rule(READ, 'node.k8s.io', 'runtimeclasses'),
      rule('get', 'resource.k8s.io', 'resourceclaims'),
      rule(`${WRITE} ${READ}`, 'resource.k8s.io', 'resourceslices'),
    ]),
    clusterBinding('system:node', []),
    clusterRole('system:node-proxier', [
      rule('list watch', 'core', 'services endpoints'),
      rule(READ, 'core', 'nodes'),
      EVENTS,
      rule('list watch', 'discovery.k8s.io', 'endpointslices'),
      rule('list watch', 'networking.k8s.io', 'servicecidrs'),
    ]),
    clusterBinding('system:node-proxier', ['User:system:kube-proxy']),
    clusterRole('system:node-bootstrapper', [rule(`create ${READ}`, 'certificates.k8s.io', CSRS)]),
    clusterRole('system:node-problem-detector', [rule('get', 'core', 'nodes'), rule('patch', 'core', 'nodes/status'), EVENTS]),
    clusterRole('system:kubelet-api-admin', [
      rule(READ, 'core', 'nodes'),
      rule('proxy', 'core', 'nodes'),
      rule('*', 'core', 'nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats'),
    ]),
  ]
}

function components(): KubeObject[] {
  return [
    clusterRole('system:auth-delegator', DELEGATION),
    clusterRole('system:kube-aggregator', [rule(READ, 'core', 'endpoints services')]),
    clusterRole('system:kube-dns', [rule('list watch', 'core', 'endpoints services')]),
    clusterBinding('system:kube-dns', ['ServiceAccount:kube-system/kube-dns']),
    clusterRole('system:kube-scheduler', schedulerRules()),
    clusterBinding('system:kube-scheduler', ['User:system:kube-scheduler']),
    clusterRole('system:volume-scheduler', [
      rule(`${READ} patch update`, 'core', 'persistentvolumes'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule(`${READ} patch update`, 'core', 'persistentvolumeclaims'),
    ]),
    clusterBinding('system:volume-scheduler', ['User:system:kube-scheduler']),
    clusterRole('system:kube-controller-manager', [
      EVENTS,
      rule('create', 'coordination.k8s.io', 'leases'),
      rule('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
      rule('create', 'core', 'secrets serviceaccounts'),
      rule('delete', 'core', 'secrets'),
      rule('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
      rule('update', 'core', 'secrets serviceaccounts'),
      ...DELEGATION,
      rule('list watch', '*', '*'),
      rule('create', 'core', 'serviceaccounts/token'),
    ]),
    clusterBinding('system:kube-controller-manager', ['User:system:kube-controller-manager']),
    clusterRole('system:persistent-volume-provisioner', [
      rule(`create delete ${READ}`, 'core', 'persistentvolumes'),
      rule(`${READ} update`, 'core', 'persistentvolumeclaims'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule('watch', 'core', 'events'),
      EVENTS,
    ]),
  ]
}

function schedulerRules() {
  return [
    EVENTS,
    rule('create', 'coordination.k8s.io', 'leases'),
    rule('get update', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
    rule(`create delete deletecollection ${READ} patch update`, 'coordination.k8s.io', 'leasecandidates'),
    rule(READ, 'core', 'nodes namespaces'),
    rule(`delete ${READ}`, 'core', 'pods'),
    rule('create', 'core', 'bindings pods/binding'),
    rule('patch update', 'core', 'pods/status'),
    rule(READ, 'core', 'replicationcontrollers services'),
    rule(READ, 'apps', 'replicasets statefulsets'),
    rule(READ, 'policy', 'poddisruptionbudgets'),
    rule(READ, 'core', 'persistentvolumeclaims persistentvolumes'),
    ...DELEGATION,
    rule(READ, 'storage.k8s.io', 'csidrivers csinodes csistoragecapacities storageclasses volumeattachments'),
    rule(READ, 'resource.k8s.io', 'deviceclasses resourceslices'),
    rule(`${READ} patch update`, 'resource.k8s.io', 'resourceclaims'),
    rule('patch update', 'resource.k8s.io', 'resourceclaims/status'),
  ]
}

function certificateRoles(): KubeObject[] {
  const csr = (name: string, subresource: string) =>
    clusterRole(`system:certificates.k8s.io:certificatesigningrequests:${name}`, [
      rule('create', 'certificates.k8s.io', `${CSRS}/${subresource}`),
    ])
  const approver = (name: string, signer: string) =>
    clusterRole(`system:certificates.k8s.io:${name}-approver`, [
      rule('approve', 'certificates.k8s.io', 'signers', `kubernetes.io/${signer}`),
    ])
  return [
    csr('nodeclient', 'nodeclient'),
    csr('selfnodeclient', 'selfnodeclient'),
    approver('kube-apiserver-client', 'kube-apiserver-client'),
    approver('kube-apiserver-client-kubelet', 'kube-apiserver-client-kubelet'),
    approver('kubelet-serving', 'kubelet-serving'),
    approver('legacy-unknown', 'legacy-unknown'),
  ]
}

/** Roles inside kube-system. */
function kubeSystemRoles(): KubeObject[] {
  const reader = 'extension-apiserver-authentication-reader'
  const locking = (component: string) => {
    const name = `system::leader-locking-${component}`
    return [
      role('kube-system', name, [rule('watch', 'core', 'configmaps'), rule('get update', 'core', 'configmaps', component)]),
      binding('kube-system', name, [`User:system:${component}`, `ServiceAccount:kube-system/${component}`]),
    ]
  }
  return [
    role('kube-system', reader, [rule(READ, 'core', 'configmaps', 'extension-apiserver-authentication')]),
    binding('kube-system', reader, ['User:system:kube-controller-manager', 'User:system:kube-scheduler'], `system::${reader}`),
    ...locking('kube-controller-manager'),
    ...locking('kube-scheduler'),
  ]
}
