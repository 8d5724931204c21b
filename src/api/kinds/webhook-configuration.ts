/** MutatingWebhookConfiguration and ValidatingWebhookConfiguration. Calling them is the server's. */
import type { Strategy } from '../definition.ts'
import { duplicate, type Errors, invalid, required } from '../field-errors.ts'
import { dnsSubdomain } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { FieldError } from '../status.ts'
import type { MutatingWebhook, ValidatingWebhook } from '../types.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { checkSelector, collect, oneOf } from './rules.ts'
import { checkClient, checkMatchConditions, checkReviewVersions, checkRule } from './webhook-rules.ts'

type Webhook = MutatingWebhook | ValidatingWebhook

const MAX_TIMEOUT_SECONDS = 30

function setDefaults(webhook: Webhook, mutating: boolean): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  if (mutating) (webhook as MutatingWebhook).reinvocationPolicy ??= 'Never'
  for (const rule of webhook.rules ?? []) rule.scope ??= '*'
  const service = webhook.clientConfig?.service
  if (service) service.port ??= 443
}

function check(webhook: Webhook, path: string, errors: Errors): void {
  checkName(webhook.name, `${path}.name`, errors)
  webhook.rules?.forEach((rule, index) => {
    checkRule(rule, `${path}.rules[${index}]`, errors)
  })
  oneOf(webhook.failurePolicy, ['Fail', 'Ignore'], `${path}.failurePolicy`, errors)
  oneOf(webhook.matchPolicy, ['Equivalent', 'Exact'], `${path}.matchPolicy`, errors)
  if (!webhook.sideEffects) errors.push(required(`${path}.sideEffects`, 'must specify one of None, NoneOnDryRun'))
  else oneOf(webhook.sideEffects, ['None', 'NoneOnDryRun'], `${path}.sideEffects`, errors)
  checkTimeout(webhook.timeoutSeconds, `${path}.timeoutSeconds`, errors)
  checkSelector(webhook.namespaceSelector, `${path}.namespaceSelector`, errors)
  checkSelector(webhook.objectSelector, `${path}.objectSelector`, errors)
  checkVersions(webhook.admissionReviewVersions, `${path}.admissionReviewVersions`, errors)
  checkClient(webhook.clientConfig ?? {}, `${path}.clientConfig`, errors)
  if ('reinvocationPolicy' in webhook)
    oneOf(webhook.reinvocationPolicy, ['IfNeeded', 'Never'], `${path}.reinvocationPolicy`, errors)
  checkMatchConditions(webhook.matchConditions, `${path}.matchConditions`, errors)
}

/** Two webhooks of one name could not be told apart, which is looked at as long as all were told apart before. */
function checkNames(webhooks: readonly Webhook[], old: readonly Webhook[] | undefined, errors: Errors): void {
  const unique = (all: readonly Webhook[]) => new Set(all.map(({ name }) => name)).size === all.length
  if (old && !unique(old)) return
  const seen = new Set<string>()
  webhooks.forEach(({ name }, index) => {
    if (!name) return
    if (seen.has(name)) errors.push(duplicate(`webhooks[${index}].name`, name))
    seen.add(name)
  })
}

function checkName(name: string | undefined, path: string, errors: Errors): void {
  if (!name) return void errors.push(required(path))
  const complaints = dnsSubdomain(name)
  if (complaints.length > 0) errors.push(invalid(path, name, complaints.join(',')))
  else if (name.split('.').length < 3) {
    errors.push(invalid(path, name, 'should be a domain with at least three segments separated by dots'))
  }
}

function checkTimeout(seconds: number | undefined, path: string, errors: Errors): void {
  if (seconds !== undefined && (seconds < 1 || seconds > MAX_TIMEOUT_SECONDS)) {
    errors.push(invalid(path, seconds, `the timeout value must be between 1 and ${MAX_TIMEOUT_SECONDS} seconds`))
  }
}

function checkVersions(versions: readonly string[] | undefined, path: string, errors: Errors): void {
  if (!versions?.length) errors.push(required(path, 'must specify one of v1, v1beta1'))
  else checkReviewVersions(versions, versions.join(','), path, errors)
}

async function checkExpressions(webhooks: readonly Webhook[]): Promise<FieldError[]> {
  const { checkConditions } = await import('../cel/policy-expressions.ts')
  return collect((errors) => {
    for (const [index, { matchConditions }] of webhooks.entries())
      checkConditions(matchConditions, undefined, `webhooks[${index}]`, errors)
  })
}

function definition(mutating: boolean): DefinitionInput {
  const kind = `${mutating ? 'Mutating' : 'Validating'}WebhookConfiguration`
  const validate = (object: KubeObject, old?: KubeObject) =>
    collect((errors) => {
      object.webhooks?.forEach((webhook: Webhook, index: number) => {
        check(webhook, `webhooks[${index}]`, errors)
      })
      checkNames(object.webhooks ?? [], old && (old.webhooks ?? []), errors)
    })
  const strategy: Strategy = {
    defaults: (object) => {
      for (const webhook of object.webhooks ?? []) setDefaults(webhook, mutating)
    },
    validate: (object) => validate(object),
    validateUpdate: validate,
    validateExpressions: (object) => {
      const webhooks: Webhook[] = object.webhooks ?? []
      return webhooks.some(({ matchConditions }) => matchConditions?.length) ? checkExpressions(webhooks) : undefined
    },
    countsGeneration: true,
    allowUnconditionalUpdate: false,
  }
  return {
    kind,
    plural: `${kind.toLowerCase()}s`,
    namespaced: false,
    categories: ['api-extensions'],
    columns: [column('Webhooks', (object) => object.webhooks?.length ?? 0, 'integer'), ageColumn],
    strategy,
  }
}

export const webhookConfigurations: readonly DefinitionInput[] = [definition(true), definition(false)]
