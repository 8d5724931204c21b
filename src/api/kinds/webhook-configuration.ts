/** MutatingWebhookConfiguration and ValidatingWebhookConfiguration. Calling them is the server's. */
import type { Strategy } from '../definition.ts'
import { type Errors, invalid, notSupported, required } from '../field-errors.ts'
import { dnsSubdomain, qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { FieldError } from '../status.ts'
import type {
  AdmissionregistrationV1WebhookClientConfig,
  MutatingWebhook,
  RuleWithOperations,
  ValidatingWebhook,
} from '../types.ts'
import { ageColumn, column } from './columns.ts'
import type { DefinitionInput } from './define.ts'
import { checkSelector, collect, obey, oneOf, requireText } from './rules.ts'

type Webhook = MutatingWebhook | ValidatingWebhook

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
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
  checkClient(webhook.clientConfig, `${path}.clientConfig`, errors)
  if ('reinvocationPolicy' in webhook)
    oneOf(webhook.reinvocationPolicy, ['IfNeeded', 'Never'], `${path}.reinvocationPolicy`, errors)
  webhook.matchConditions?.forEach((condition, index) => {
    const at = `${path}.matchConditions[${index}]`
    if (!condition.name) errors.push(required(`${at}.name`))
    else obey(condition.name, qualifiedName, `${at}.name`, errors)
    requireText(condition.expression?.trim(), `${at}.expression`, errors)
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

function checkVersions(versions: string[] | undefined, path: string, errors: Errors): void {
  if (!versions?.length) errors.push(required(path, 'must specify one of v1, v1beta1'))
  else if (!versions.includes('v1') && !versions.includes('v1beta1')) {
    errors.push(invalid(path, versions, 'must include at least one of v1, v1beta1'))
  }
}

function checkClient(config: AdmissionregistrationV1WebhookClientConfig | undefined, path: string, errors: Errors): void {
  const { url, service } = config ?? {}
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(path, 'exactly one of url or service is required'))
  }
  if (url !== undefined) checkUrl(url, `${path}.url`, errors)
  if (service) {
    requireText(service.name, `${path}.service.name`, errors, 'service name is required')
    requireText(service.namespace, `${path}.service.namespace`, errors, 'service namespace is required')
    if (service.port !== undefined && (service.port < 1 || service.port > 65535)) {
      errors.push(invalid(`${path}.service.port`, service.port, 'port is not valid: must be between 1 and 65535, inclusive'))
    }
    if (service.path && !service.path.startsWith('/')) {
      errors.push(invalid(`${path}.service.path`, service.path, "must start with a '/'"))
    }
  }
}

const FORM = '; desired format: https://host[/path]'

function checkUrl(text: string, path: string, errors: Errors): void {
  if (!URL.canParse(text)) {
    errors.push(required(path, `url must be a valid URL${FORM}`))
    return
  }
  const url = new URL(text)
  if (url.protocol !== 'https:')
    errors.push(invalid(path, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${FORM}`))
  if (url.host === '') errors.push(invalid(path, url.host, `host must be specified${FORM}`))
  if (url.username) errors.push(invalid(path, url.username, `user information is not permitted in the URL`))
  if (url.hash) errors.push(invalid(path, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search) errors.push(invalid(path, url.search.slice(1), 'query parameters are not permitted in the URL'))
}

/** The rules of a webhook, and of an admission policy's match. */
export function checkRule(rule: RuleWithOperations, path: string, errors: Errors): void {
  if (!rule.operations?.length) errors.push(required(`${path}.operations`))
  rule.operations?.forEach((operation, index) => {
    if (!OPERATIONS.includes(operation)) errors.push(notSupported(`${path}.operations[${index}]`, operation, OPERATIONS))
  })
  checkStars(rule.operations, `${path}.operations`, "if '*' is present, must not specify other operations", errors)
  for (const field of ['apiGroups', 'apiVersions', 'resources'] as const) {
    if (!rule[field]?.length) errors.push(required(`${path}.${field}`))
  }
  checkStars(rule.apiGroups, `${path}.apiGroups`, "if '*' is present, must not specify other API groups", errors)
  checkStars(rule.apiVersions, `${path}.apiVersions`, "if '*' is present, must not specify other API versions", errors)
  rule.apiVersions?.forEach((version, index) => {
    if (version === '') errors.push(required(`${path}.apiVersions[${index}]`))
  })
  rule.resources?.forEach((resource, index) => {
    if (resource === '') errors.push(required(`${path}.resources[${index}]`))
  })
  oneOf(rule.scope, ['*', 'Cluster', 'Namespaced'], `${path}.scope`, errors)
}

function checkStars(values: string[] | undefined, path: string, detail: string, errors: Errors): void {
  if (values && values.length > 1 && values.includes('*')) errors.push(invalid(path, values, detail))
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
  const validate = (object: KubeObject) =>
    collect((errors) => {
      object.webhooks?.forEach((webhook: Webhook, index: number) => {
        check(webhook, `webhooks[${index}]`, errors)
      })
    })
  const strategy: Strategy = {
    defaults: (object) => {
      for (const webhook of object.webhooks ?? []) setDefaults(webhook, mutating)
    },
    validate,
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
