/** What a webhook is asked and what it may answer: AdmissionReview (`admission.k8s.io/v1`). */
import type { ObjectKind, ResourceDefinition } from '../../api/definition.ts'
import { type Status, StatusError } from '../../api/status.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { inVersion, type Matched } from './matching.ts'

export interface Review {
  readonly uid: string
  readonly body: object
  readonly apiVersion: string
}

export interface Reviewed {
  readonly allowed: boolean
  readonly result: Partial<Status> | undefined
  /** Parsed JSON patch. */
  readonly patch: unknown[] | undefined
  readonly warnings: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
}

/** `matched`: the version that the webhook's rules name. Throws when there is no review version that both know. */
export function reviewOf(
  request: AdmissionRequest,
  { definition, kind }: Matched,
  versions: readonly string[],
  uid: string,
): Review {
  const version = versions.find((one) => one === 'v1' || one === 'v1beta1')
  if (!version) throw new Error('webhook does not accept known AdmissionReview versions (v1, v1beta1)')
  const { object, old, operation, subresource, user, dryRun, options, namespace } = request
  const own = request.definition
  const shown = (one: AdmissionRequest['object']) => (one ? inVersion(one, request.kind, kind) : null)
  const kindOf = ({ group, version: v, kind: k }: ObjectKind) => ({ group, version: v, kind: k })
  const resourceOf = ({ group, version: v, plural }: ResourceDefinition) => ({ group, version: v, resource: plural })
  const name = request.name || object?.metadata?.name
  const apiVersion = `admission.k8s.io/${version}`
  const asked = {
    ...{ uid, kind: kindOf(kind), resource: resourceOf(definition), ...(subresource && { subResource: subresource }) },
    ...{
      requestKind: kindOf(request.kind),
      requestResource: resourceOf(own),
      ...(subresource && { requestSubResource: subresource }),
    },
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: user.groups,
      ...(user.extra && { extra: user.extra }),
    },
    ...{ object: shown(object), oldObject: shown(old), dryRun, options: options ?? null },
  }
  return { uid, apiVersion, body: { kind: 'AdmissionReview', apiVersion, request: asked } }
}

type Answer = Record<string, unknown>

/** Throws an Error for an answer that is none. */
export function readReview(review: Review, answer: unknown, mutating: boolean): Reviewed {
  const given = (typeof answer === 'object' && answer !== null ? answer : {}) as Answer
  const response = given.response as Answer | undefined
  if (typeof response !== 'object' || response === null) throw new Error('webhook response was absent')
  if (review.apiVersion.endsWith('/v1')) {
    if (given.apiVersion !== review.apiVersion || given.kind !== 'AdmissionReview')
      throw new Error(
        `expected webhook response of ${review.apiVersion}, Kind=AdmissionReview, got ${given.apiVersion ?? ''}, Kind=${given.kind ?? ''}`,
      )
    if (response.uid !== review.uid)
      throw new Error(`expected response.uid=${JSON.stringify(review.uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  }
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : [])
  return {
    allowed: response.allowed === true,
    result: response.status as Partial<Status> | undefined,
    patch: readPatch(response, mutating, review.apiVersion.endsWith('/v1')),
    warnings: texts(response.warnings),
    annotations: (response.auditAnnotations ?? {}) as Record<string, string>,
  }
}

/** What a validating webhook says of patches does not count. */
function readPatch({ patch, patchType }: Answer, mutating: boolean, strict: boolean): unknown[] | undefined {
  if (!mutating) return undefined
  if (patch === undefined || patch === null || patch === '') {
    if (strict && patchType) throw new Error('webhook returned response.patchType but not response.patch')
    return undefined
  }
  if (strict && !patchType) throw new Error('webhook returned response.patch but not response.patchType')
  if (patchType && patchType !== 'JSONPatch') {
    throw new Error(`unsupported patch type ${JSON.stringify(patchType)}: the only one is "JSONPatch"`)
  }
  const parsed: unknown = JSON.parse(Buffer.from(String(patch), 'base64').toString())
  if (!Array.isArray(parsed)) throw new Error('the patch is no list of operations')
  return parsed.length > 0 ? parsed : undefined
}

/** What the caller gets when a webhook refuses. */
export function denied(webhook: string, result: Partial<Status> | undefined): StatusError {
  const by = `admission webhook ${JSON.stringify(webhook)} denied the request`
  const { message, reason, code = 0 } = result ?? {}
  const text = message ? `${by}: ${message}` : reason ? `${by}: ${reason}` : `${by} without explanation`
  return new StatusError({
    ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, ...result, status: 'Failure', message: text },
    code: Math.max(code, 400),
  })
}
