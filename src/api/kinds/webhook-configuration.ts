/** MutatingWebhookConfiguration and ValidatingWebhookConfiguration. */
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'

const shared = {
  namespaced: false,
  categories: ['api-extensions'],
  columns: [column('Webhooks', (object) => object.webhooks?.length ?? 0, 'integer'), ageColumn],
  strategy: { allowUnconditionalUpdate: false },
}

export const webhookConfigurations: readonly DefinitionInput[] = [
  { ...shared, kind: 'MutatingWebhookConfiguration', plural: 'mutatingwebhookconfigurations' },
  { ...shared, kind: 'ValidatingWebhookConfiguration', plural: 'validatingwebhookconfigurations' },
]
