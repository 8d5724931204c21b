/** Who approves or signs a certificate request needs that right for its signer; nobody gets a certificate of system:masters. */
import type { AdmissionPlugin, AdmissionRequest, Asks } from './contract.ts'
import { refused } from './refusal.ts'

const GROUP = 'certificates.k8s.io'
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'

const isRequest = ({ definition }: AdmissionRequest) =>
  definition.group === GROUP && definition.plural === 'certificatesigningrequests'

/** A guard of one subresource: the verb on the signer that writing it takes. */
function signerGuard(name: string, subresource: string, verb: string, asks: Asks): AdmissionPlugin {
  return {
    name,
    handles: (request) => request.operation === 'UPDATE' && request.subresource === subresource && isRequest(request),
    async validate(request) {
      const signer: string = request.old?.spec?.signerName ?? ''
      const certificate = (object: typeof request.object) => object?.status?.certificate ?? ''
      if (subresource === 'status' && certificate(request.object) === certificate(request.old)) return
      const about = { user: request.user, verb, group: GROUP, version: 'v1', resource: 'signers' }
      const domain = `${signer.split('/')[0]}/*`
      if ((await asks({ ...about, name: signer })) || (await asks({ ...about, name: domain }))) return
      throw refused(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`)
    },
  }
}

export const certificateApproval = (asks: Asks): AdmissionPlugin =>
  signerGuard('CertificateApproval', 'approval', 'approve', asks)
export const certificateSigning = (asks: Asks): AdmissionPlugin => signerGuard('CertificateSigning', 'status', 'sign', asks)

/** Who asks for a certificate is what the server knows of the caller, whatever the request says. Part of the kind in Kubernetes. */
export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  handles: (request) => request.operation === 'CREATE' && request.subresource === '' && isRequest(request),
  mutate({ object, user }) {
    if (!object?.spec) return
    const { username: _, uid: __, groups: ___, extra: ____, ...rest } = object.spec
    const extra = user.extra && Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]))
    object.spec = {
      ...rest,
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: [...user.groups],
      ...(extra && { extra }),
    }
  },
}

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: (request) => request.operation === 'CREATE' && request.subresource === '' && isRequest(request),
  validate(request) {
    const spec = request.object?.spec
    if (spec?.signerName !== CLIENT_SIGNER) return
    // The organization stands in the DER as it is written, whatever surrounds it.
    const lines = Buffer.from(spec.request ?? '', 'base64')
      .toString('latin1')
      .replace(/-----[^-]+-----/g, '')
    if (!Buffer.from(lines, 'base64').includes('system:masters')) return
    throw refused(request, `use of ${CLIENT_SIGNER} signer with system:masters group is not allowed`)
  },
}
