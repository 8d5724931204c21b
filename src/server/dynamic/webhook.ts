/** One webhook and one request: is it asked, what does it say, and what counts when it says nothing. */
import type { KubeObject } from '../../api/object.ts'
import { badRequest, forbidden, internalError, StatusError } from '../../api/status.ts'
import type { MatchCondition, MutatingWebhook, ValidatingWebhook } from '../../api/types.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { nameOf } from '../admission/refusal.ts'
import { postJson } from '../callout/post.ts'
import { newUid } from '../objects/names.ts'
import type { Environment } from './environment.ts'
import { type Match, type Matched, matchRequest } from './matching.ts'
import { type Reviewed, readReview, reviewOf } from './review.ts'

/** A webhook as its configuration names it. */
export interface Webhook {
  readonly configuration: string
  readonly mutating: boolean
  readonly spec: MutatingWebhook | ValidatingWebhook
  readonly match: Match
}

const DEFAULT_TIMEOUT_SECONDS = 10

export function webhooksOf(configuration: KubeObject, mutating: boolean): Webhook[] {
  const specs: (MutatingWebhook | ValidatingWebhook)[] = configuration.webhooks ?? []
  return specs.map((spec) => {
    const { namespaceSelector, objectSelector, matchPolicy, rules } = spec
    const match = { namespaceSelector, objectSelector, matchPolicy, rules }
    return { configuration: configuration.metadata.name ?? '', mutating, spec, match }
  })
}

/** Undefined when the webhook is not for this request. Throws a StatusError. */
export async function relevant(
  environment: Environment,
  { spec, match }: Webhook,
  request: AdmissionRequest,
): Promise<Matched | undefined> {
  const matched = matchRequest(match, request, environment.registry, environment.reader)
  if (!matched || !spec.matchConditions?.length) return matched
  return (await conditionsHold(environment, spec, spec.matchConditions, request, matched)) ? matched : undefined
}

/** A condition that fails to evaluate counts as the failure policy says. */
async function conditionsHold(
  environment: Environment,
  { name, failurePolicy }: MutatingWebhook | ValidatingWebhook,
  conditions: readonly MatchCondition[],
  request: AdmissionRequest,
  matched: Matched,
): Promise<boolean> {
  const [{ holdAll }, { valuesOf }, { CONDITION_TYPES }] = await Promise.all([
    import('./conditions.ts'),
    import('./variables.ts'),
    import('../../api/cel/admission-types.ts'),
  ])
  const held = holdAll(conditions, CONDITION_TYPES, valuesOf(environment, request, matched))
  if ('holds' in held) return held.holds
  if (failurePolicy === 'Ignore') {
    environment.log.warn('a match condition failed, and its webhook is ignored', { webhook: name, error: held.failed })
    return false
  }
  throw forbidden({ group: request.definition.group, plural: request.definition.plural }, nameOf(request), held.failed)
}

/** The answer; undefined when there was none and that is to be ignored. Throws a StatusError. */
export async function ask(
  environment: Environment,
  webhook: Webhook,
  request: AdmissionRequest,
  matched: Matched,
): Promise<Reviewed | undefined> {
  const { spec } = webhook
  const { name } = spec
  if (request.dryRun && spec.sideEffects !== 'None' && spec.sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`)
  }
  try {
    const reviewed = await call(environment, webhook, request, matched)
    for (const text of reviewed.warnings) request.warn(text)
    for (const key of Object.keys(reviewed.annotations)) request.annotate?.(`${name}/${key}`, reviewed.annotations[key] ?? '')
    return reviewed
  } catch (error) {
    if (error instanceof StatusError) throw error
    const why = `failed calling webhook ${JSON.stringify(name)}: failed to call webhook: ${(error as Error).message}`
    if (spec.failurePolicy !== 'Ignore') throw internalError(why, error)
    environment.log.warn('a webhook failed and is ignored', { webhook: name, error: (error as Error).message })
    request.annotate?.(`failed-open.${webhook.mutating ? 'mutation' : 'validating'}.webhook.admission.k8s.io/${name}`, name)
    return undefined
  }
}

async function call(
  environment: Environment,
  { spec, mutating }: Webhook,
  request: AdmissionRequest,
  matched: Matched,
): Promise<Reviewed> {
  const review = reviewOf(request, matched, spec.admissionReviewVersions, newUid(environment.random))
  const answer = await postJson(environment, environment.clock, {
    config: spec.clientConfig,
    body: review.body,
    timeoutMs: (spec.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    timeoutInQuery: true,
  })
  return readReview(review, answer, mutating)
}
