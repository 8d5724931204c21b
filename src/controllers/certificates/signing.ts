/** Has approved certificate requests signed, and says on those that cannot be why. */
import type { CertificateSigningRequest } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import { certificateSigningRequests } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'

/** Whoever holds the keys of the signers `kubernetes.io/…`. Undefined: the signer is somebody else's. */
export type SignCertificate = (request: {
  signerName: string
  /** PEM. */
  request: string
  usages: readonly string[]
  expirationSeconds?: number | undefined
}) => Promise<{ certificate: string; commonName: string } | { refusal: string } | undefined>

export function certificateSigningController(sign: SignCertificate): Reconciler {
  return {
    name: 'csr-signing-controller',
    setup(context, enqueue) {
      context.informer(certificateSigningRequests).subscribe(({ key, object }) => {
        if (object && waitsForSignature(object)) enqueue(key)
      })
    },
    async reconcile(key, context) {
      const request = context.informer(certificateSigningRequests).store.get(key)
      if (!request || !waitsForSignature(request)) return
      const answer = await sign(questionOf(request))
      if (!answer) return
      const now = timestamp(context.clock)
      await context.client.updateStatus(certificateSigningRequests, { ...request, status: statusWith(request, answer, now) })
    },
  }
}

/** What the signers are asked. */
export function questionOf({ spec }: CertificateSigningRequest): Parameters<SignCertificate>[0] {
  const { signerName = '', request = '', usages = [], expirationSeconds } = spec ?? {}
  return { signerName, request: Buffer.from(request, 'base64').toString(), usages, expirationSeconds }
}

export function hasCondition({ status }: CertificateSigningRequest, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type) ?? false
}

function waitsForSignature(request: CertificateSigningRequest): boolean {
  const has = (type: string) => hasCondition(request, type)
  return has('Approved') && !has('Denied') && !has('Failed') && !request.status?.certificate
}

type Answer = Exclude<Awaited<ReturnType<SignCertificate>>, undefined>

export function statusWith(
  { status }: CertificateSigningRequest,
  answer: Answer,
  now: string,
): CertificateSigningRequest['status'] {
  if ('certificate' in answer) return { ...status, certificate: Buffer.from(answer.certificate).toString('base64') }
  const failed = {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message: answer.refusal,
    lastUpdateTime: now,
    lastTransitionTime: now,
  }
  return { ...status, conditions: [...(status?.conditions ?? []), failed] }
}
