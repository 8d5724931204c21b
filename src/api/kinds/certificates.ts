/** certificates.k8s.io/v1: CertificateSigningRequest. */
import type { CertificateSigningRequest } from '../types.ts'
import { ageColumn, column, humanDuration } from './columns.ts'
import { type DefinitionInput, defineGroup, statusStrategy } from './define.ts'

function condition(request: CertificateSigningRequest): string {
  const has = (type: string) => request.status?.conditions?.some((c) => c.type === type)
  const state = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'
  const failed = has('Failed') ? ',Failed' : ''
  return state + failed + (request.status?.certificate ? ',Issued' : '')
}

const csr = { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' }

const certificateSigningRequest: DefinitionInput = {
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  namespaced: false,
  status: true,
  subresources: [{ name: 'approval', kind: csr, verbs: ['get', 'patch', 'update'] }],
  columns: [
    ageColumn,
    column('SignerName', (object) => object.spec?.signerName || '<none>'),
    column('Requestor', (object) => object.spec?.username ?? ''),
    column('RequestedDuration', (object) =>
      object.spec?.expirationSeconds ? humanDuration(object.spec.expirationSeconds * 1000) : '<none>',
    ),
    column('Condition', (object) => condition(object as CertificateSigningRequest)),
  ],
  selectableFields: { 'spec.signerName': (object) => object.spec?.signerName ?? '' },
  strategy: statusStrategy(() => ({}), { countsGeneration: false, nameRule: 'path' }),
}

export const certificatesDefinitions = defineGroup({ group: 'certificates.k8s.io', version: 'v1', package: 'certificates/v1' }, [
  certificateSigningRequest,
])
