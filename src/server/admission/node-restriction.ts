/**
 * Keeps a node to itself: it writes its own Node, its own pods' status, its own lease and CSINode, and asks for tokens only of
 * pods it runs. What a node may read is the node authorizer's business.
 */
import type { KubeObject } from '../../api/object.ts'
import { equalJson } from '../objects/json.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from './contract.ts'
import { nodeNameOf } from './node-user.ts'
import { nameOf, refused } from './refusal.ts'

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'
const LEASE_NAMESPACE = 'kube-node-lease'
/** Labels of these prefixes place pods: a node may not choose them, but for the few that it knows best. */
const RESERVED_LABEL = /(^|\.)(kubernetes\.io|k8s\.io)\//
const NODE_LABELS = /^(kubelet|node)\.kubernetes\.io\/|\.(kubelet|node)\.kubernetes\.io\//
const KUBELET_LABELS = new Set([
  ...['kubernetes.io/hostname', 'kubernetes.io/os', 'kubernetes.io/arch', 'beta.kubernetes.io/os', 'beta.kubernetes.io/arch'],
  ...['beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type', 'node.kubernetes.io/windows-build'],
  ...['failure-domain.beta.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/region'],
  ...['failure-domain.kubernetes.io/zone', 'failure-domain.kubernetes.io/region'],
  ...['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'],
])

export function nodeRestriction(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    handles: ({ user }) => user.name.startsWith('system:node:') && nodeNameOf(user) !== undefined,
    validate(request) {
      const node = nodeNameOf(request.user) ?? ''
      switch (`${request.definition.group}/${request.definition.plural}`) {
        case '/pods':
          return checkPod(request, node, reader)
        case '/nodes':
          return checkNode(request, node)
        case '/serviceaccounts':
          return request.subresource === 'token' ? checkToken(request, node, reader) : undefined
        case 'coordination.k8s.io/leases':
          return checkLease(request, node)
        case 'storage.k8s.io/csinodes':
          return checkOwnName(request, node, 'CSINode')
        default:
          return undefined
      }
    },
  }
}

function checkPod(request: AdmissionRequest, node: string, reader: ObjectReader): void {
  if (request.operation === 'CREATE' && request.subresource === '') checkMirrorPod(request, node)
  else checkExistingPod(request, node, reader.get('', 'pods', request.namespace, nameOf(request)))
}

function checkExistingPod(request: AdmissionRequest, node: string, pod: KubeObject | undefined): void {
  const who = `node ${JSON.stringify(node)}`
  if (request.operation === 'UPDATE' && request.subresource !== 'status')
    throw refused(request, `${who} can only update pod status`)
  if (pod?.spec?.nodeName !== node) {
    const doing = { DELETE: 'delete', UPDATE: 'update status for', CREATE: 'evict', CONNECT: 'connect to' }[request.operation]
    throw refused(request, `${who} can only ${doing} pods with spec.nodeName set to itself`)
  }
  if (request.operation === 'UPDATE' && !equalJson(request.object?.metadata.labels ?? {}, pod.metadata.labels ?? {})) {
    throw refused(request, `${who} cannot update labels through pod status`)
  }
}

function checkMirrorPod(request: AdmissionRequest, node: string): void {
  const pod = request.object
  if (pod?.metadata.annotations?.[MIRROR_ANNOTATION] === undefined) {
    throw refused(
      request,
      `pod does not have ${JSON.stringify(MIRROR_ANNOTATION)} annotation, node ${JSON.stringify(node)} can only create mirror pods`,
    )
  }
  if (pod.spec?.nodeName !== node) {
    throw refused(request, `node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`)
  }
}

function checkNode(request: AdmissionRequest, node: string): void {
  if (nameOf(request) !== node) {
    throw refused(request, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(nameOf(request))}`)
  }
  const forbiddenLabels = changedLabels(request.old, request.object).filter(isForbiddenLabel).sort()
  if (forbiddenLabels.length > 0 && request.operation !== 'DELETE') {
    throw refused(request, `is not allowed to modify labels: ${forbiddenLabels.join(', ')}`)
  }
  if (request.operation !== 'UPDATE') return
  if (!equalJson(request.object?.spec?.taints ?? [], request.old?.spec?.taints ?? [])) {
    throw refused(request, `node ${JSON.stringify(node)} is not allowed to modify taints`)
  }
}

function changedLabels(old: KubeObject | undefined, object: KubeObject | undefined): string[] {
  const [before, after] = [old?.metadata.labels ?? {}, object?.metadata.labels ?? {}]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key])
}

function isForbiddenLabel(key: string): boolean {
  return RESERVED_LABEL.test(key) && !KUBELET_LABELS.has(key) && !NODE_LABELS.test(key)
}

function checkLease(request: AdmissionRequest, node: string): void {
  if (request.namespace !== LEASE_NAMESPACE) {
    throw refused(request, `can only access leases in the ${JSON.stringify(LEASE_NAMESPACE)} system namespace`)
  }
  checkOwnName(request, node, 'lease')
}

function checkOwnName(request: AdmissionRequest, node: string, what: string): void {
  if (nameOf(request) === node) return
  throw refused(request, `can only access ${what === 'lease' ? 'node lease' : what} with the same name as the requesting node`)
}

function checkToken(request: AdmissionRequest, node: string, reader: ObjectReader): void {
  const bound = request.object?.spec?.boundObjectRef
  if (bound?.kind !== 'Pod' || bound.apiVersion !== 'v1') throw refused(request, 'node requested token not bound to a pod')
  if (!bound.uid) throw refused(request, 'node requested token with a pod binding without a uid')
  const pod = reader.get('', 'pods', request.namespace, bound.name ?? '')
  if (!pod) throw refused(request, `pod ${JSON.stringify(bound.name ?? '')} not found`)
  if (pod.metadata.uid !== bound.uid) {
    throw refused(
      request,
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record (${pod.metadata.uid})`,
    )
  }
  if (pod.spec?.nodeName !== node) {
    throw refused(request, 'node requested token bound to a pod scheduled on a different node')
  }
}
