/** Validating webhooks: all at once; the first that refuses, in the order of their names, is the answer. */
import type { AdmissionRequest } from '../admission/contract.ts'
import type { Environment } from './environment.ts'
import { denied } from './review.ts'
import { ask, relevant, type Webhook } from './webhook.ts'

export async function validate(environment: Environment, webhooks: readonly Webhook[], request: AdmissionRequest): Promise<void> {
  const answers = await Promise.allSettled(webhooks.map((webhook) => askOne(environment, webhook, request)))
  for (const answer of answers) if (answer.status === 'rejected') throw answer.reason
}

async function askOne(environment: Environment, webhook: Webhook, request: AdmissionRequest): Promise<void> {
  const matched = await relevant(environment, webhook, request)
  if (!matched) return
  const reviewed = await ask(environment, webhook, request, matched)
  if (reviewed && !reviewed.allowed) throw denied(webhook.spec.name, reviewed.result)
}
