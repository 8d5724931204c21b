/**
 * Mutating webhooks: one after the other, in the order of their names, each on what the one before made. When the object changes
 * after a webhook that wants to hear of that, everything mutates once more, and then only such webhooks are asked.
 */
import type { KubeObject } from '../../api/object.ts'
import { DecodeError } from '../../api/schema/decode.ts'
import { internalError, StatusError } from '../../api/status.ts'
import type { MutatingWebhook } from '../../api/types.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { copyJson, equalJson } from '../objects/json.ts'
import { applyJsonPatch } from '../patch/json-patch.ts'
import type { Environment } from './environment.ts'
import { inVersion, type Matched } from './matching.ts'
import { decoded, replaceContent } from './replace.ts'
import { denied, type Reviewed } from './review.ts'
import { ask, relevant, type Webhook } from './webhook.ts'

/** What one request's first pass leaves for its second. */
interface Pass {
  /** Webhooks that want to be asked again, and were asked before the object changed. */
  readonly again: Set<Webhook>
  /** Those that were asked and would like to. */
  readonly asked: Set<Webhook>
  /** The object as the last webhook left it. */
  last: KubeObject | undefined
}

const passes = new WeakMap<AdmissionRequest, Pass>()

export async function mutate(environment: Environment, webhooks: readonly Webhook[], request: AdmissionRequest): Promise<void> {
  const pass = passes.get(request) ?? { again: new Set(), asked: new Set(), last: undefined }
  passes.set(request, pass)
  // What the built-in mutators changed in the second pass is news to those asked in the first.
  if (request.again && pass.last && !equalJson(pass.last, request.object))
    for (const webhook of pass.asked) pass.again.add(webhook)
  for (const webhook of webhooks) {
    if (request.again && !pass.again.has(webhook)) continue
    const matched = await relevant(environment, webhook, request)
    if (!matched) continue
    const reviewed = await ask(environment, webhook, request, matched)
    const changed = reviewed ? apply(webhook, reviewed, request, matched) : false
    if (changed && !request.again) {
      request.askAgain?.()
      for (const before of pass.asked) pass.again.add(before)
    }
    if ((webhook.spec as MutatingWebhook).reinvocationPolicy === 'IfNeeded') pass.asked.add(webhook)
  }
  pass.last = request.object && copyJson(request.object)
}

/** Whether the object is another one now. Throws what the webhook refuses with. */
function apply({ spec }: Webhook, { allowed, result, patch }: Reviewed, request: AdmissionRequest, matched: Matched): boolean {
  if (!allowed) throw denied(spec.name, result)
  const { object, kind } = request
  if (!patch || !object) return false
  try {
    const patched = copyJson(inVersion(object, kind, matched.kind))
    applyJsonPatch(patched, patch)
    const next = inVersion(decoded(matched.kind, patched), matched.kind, kind)
    const changed = !equalJson(next, object)
    if (changed) replaceContent(object, next)
    return changed
  } catch (error) {
    if (!(error instanceof DecodeError) && !(error instanceof StatusError)) throw error
    throw internalError(`failed applying the patch of webhook ${JSON.stringify(spec.name)}: ${error.message}`, error)
  }
}
