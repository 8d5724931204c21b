/** Nothing is created in a namespace that is not there or on its way out, and the system's own namespaces stay. */
import { notFound } from '../../api/status.ts'
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from './contract.ts'
import { isAbout, refused } from './refusal.ts'

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease'])

export function namespaceLifecycle(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: (request) =>
      request.operation === 'CREATE'
        ? request.definition.namespaced && !isAccessReview(request)
        : request.operation === 'DELETE' && isAbout(request, '', 'namespaces'),
    mutate(request) {
      if (request.operation === 'CREATE') checkNamespace(request, reader)
    },
    validate(request) {
      if (request.operation !== 'DELETE' || !IMMORTAL.has(request.name)) return
      throw refused(request, 'this namespace may not be deleted')
    },
  }
}

/** One may ask about permissions in a namespace that does not exist. */
function isAccessReview({ definition }: AdmissionRequest): boolean {
  return definition.group === 'authorization.k8s.io' && definition.plural === 'localsubjectaccessreviews'
}

function checkNamespace(request: AdmissionRequest, reader: ObjectReader): void {
  const namespace = reader.get('', 'namespaces', '', request.namespace)
  if (!namespace) throw notFound({ group: '', plural: 'namespaces' }, request.namespace)
  if (namespace.status?.phase !== 'Terminating' && namespace.metadata.deletionTimestamp === undefined) return
  const error = refused(request, `unable to create new content in namespace ${request.namespace} because it is being terminated`)
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${request.namespace} is being terminated`,
    field: 'metadata.namespace',
  }
  error.status.details = { ...error.status.details, causes: [cause] }
  throw error
}
