/** Approves the client certificates that nodes ask for, where whoever asks may have one. */

import type { CertificateSigningRequest, SubjectAccessReview } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { certificateSigningRequests, subjectAccessReviews } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { hasCondition, questionOf, type SignCertificate } from './signing.ts'

const NODE_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet'
/** Roles may be bound later: a request that nobody may have is looked at again. */
const RETRY_MS = 60_000
/** The right to have a certificate for oneself, and for any node. */
const RIGHTS = [
  {
    subresource: 'selfnodeclient',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
    ofOneself: true,
  },
  {
    subresource: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
    ofOneself: false,
  },
]

/** `sign` tells whether the request is one that could be signed, and for whom. */
export function certificateApprovingController(sign: SignCertificate): Reconciler {
  return {
    name: 'csr-approving-controller',
    setup(context, enqueue) {
      context.informer(certificateSigningRequests).subscribe(({ key, object }) => {
        if (object && isUndecided(object)) enqueue(key)
      })
    },
    async reconcile(key, context) {
      const request = context.informer(certificateSigningRequests).store.get(key)
      if (!request || !isUndecided(request)) return
      const answer = await sign(questionOf(request))
      if (!answer || !('commonName' in answer)) return
      for (const { subresource, message, ofOneself } of RIGHTS) {
        if (ofOneself && request.spec?.username !== answer.commonName) continue
        if (!(await isAllowed(request, subresource, context))) continue
        await approve(request, message, context)
        return
      }
      return { requeueAfterMs: RETRY_MS }
    },
  }
}

function isUndecided(request: CertificateSigningRequest): boolean {
  const { signerName } = request.spec ?? {}
  return signerName === NODE_SIGNER && !hasCondition(request, 'Approved') && !hasCondition(request, 'Denied')
}

async function isAllowed(
  { spec }: CertificateSigningRequest,
  subresource: string,
  { client }: ReconcileContext,
): Promise<boolean> {
  const attributes = { verb: 'create', group: 'certificates.k8s.io', version: '*', resource: 'certificatesigningrequests' }
  const review: SubjectAccessReview = {
    metadata: {},
    spec: {
      ...(spec?.username && { user: spec.username }),
      ...(spec?.uid && { uid: spec.uid }),
      ...(spec?.groups && { groups: [...spec.groups] }),
      ...(spec?.extra && { extra: spec.extra }),
      resourceAttributes: { ...attributes, subresource },
    },
  }
  return (await client.create(subjectAccessReviews, review)).status?.allowed ?? false
}

async function approve(request: CertificateSigningRequest, message: string, { client, clock }: ReconcileContext): Promise<void> {
  const now = timestamp(clock)
  const condition = {
    type: 'Approved',
    status: 'True',
    reason: 'AutoApproved',
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  }
  const status = { ...request.status, conditions: [...(request.status?.conditions ?? []), condition] }
  await client.update(certificateSigningRequests, { ...request, status }, { subresource: 'approval' })
}
