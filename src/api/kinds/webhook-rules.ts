/** What webhooks of every sort must say of where they are and what they read, and which requests rules and conditions match. */
import { duplicate, type Errors, invalid, notSupported, required, tooMany } from '../field-errors.ts'
import { dnsLabel1035, dnsSubdomain, pathSegment, qualifiedName } from '../names.ts'
import type { MatchCondition, NamedRuleWithOperations, RuleWithOperations, ServiceReference } from '../types.ts'
import { obey, oneOf, requireName, requireText } from './rules.ts'

interface Client {
  readonly url?: string | undefined
  readonly service?: ServiceReference | undefined
}

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const MAX_CONDITIONS = 64

export function checkClient({ url, service }: Client, path: string, errors: Errors): void {
  if (url !== undefined && service === undefined) checkUrl(url, `${path}.url`, errors)
  else if (service !== undefined && url === undefined) checkService(service, `${path}.service`, errors)
  else errors.push(required(path, 'exactly one of url or service is required'))
}

function checkService(service: ServiceReference, path: string, errors: Errors): void {
  requireText(service.name, `${path}.name`, errors)
  requireText(service.namespace, `${path}.namespace`, errors)
  const { port = 443 } = service
  if (port < 1 || port > 65535) {
    errors.push(invalid(`${path}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'))
  }
  for (const complaint of servicePathComplaints(service.path ?? '')) errors.push(invalid(`${path}.path`, service.path, complaint))
}

function servicePathComplaints(path: string): string[] {
  if (path === '' || path === '/') return []
  if (path === '//') return ['segment[0] may not be empty']
  const steps = path.slice(1).replace(/\/$/, '').split('/')
  const faults = steps.flatMap((step, index) =>
    step === '' ? `segment[${index}] may not be empty` : dnsSubdomain(step).map((complaint) => `segment[${index}]: ${complaint}`),
  )
  return path.startsWith('/') ? faults : ["must start with a '/'", ...faults]
}

const FORM = '; desired format: https://host[/path]'
const URL_PARTS = /^(?:([A-Za-z][-A-Za-z0-9+.]*):)?(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s

/** URLs are taken apart by hand: Go takes many that have no scheme or host, and then says what they lack. */
function checkUrl(url: string, path: string, errors: Errors): void {
  const fault = urlFault(url)
  if (fault) return void errors.push(required(path, `url must be a valid URL: parse ${JSON.stringify(url)}: ${fault}${FORM}`))
  const [, scheme = '', authority = '', query = '', fragment = ''] = URL_PARTS.exec(url) ?? []
  const at = authority.lastIndexOf('@')
  const host = authority.slice(at + 1)
  if (scheme.toLowerCase() !== 'https') {
    errors.push(invalid(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${FORM}`))
  }
  if (host === '') errors.push(invalid(path, host, `host must be specified${FORM}`))
  if (at >= 0) errors.push(invalid(path, authority.slice(0, at), 'user information is not permitted in the URL'))
  if (fragment) errors.push(invalid(path, fragment, 'fragments are not permitted in the URL'))
  if (query) errors.push(invalid(path, query, 'query parameters are not permitted in the URL'))
}

/** Why Go's parser would not take a URL. */
function urlFault(url: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  if (/[\u0000-\u001f\u007f]/.test(url)) return 'net/url: invalid control character in URL'
  if (url.startsWith(':')) return 'missing protocol scheme'
  const [, scheme, authority] = URL_PARTS.exec(url) ?? []
  if (scheme === undefined && /^[^/?#]*:/.test(url)) return 'first path segment in URL cannot contain colon'
  const host = (authority ?? '').slice((authority ?? '').lastIndexOf('@') + 1)
  const strange = /[\s<>"{}|\\^`]/.exec(host)
  if (strange) return `invalid character ${JSON.stringify(strange[0])} in host name`
  const port = /:([^:\]]*)$/.exec(host)
  if (port && !/^[0-9]*$/.test(port[1] ?? '')) return `invalid port ${JSON.stringify(port[0])} after host`
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(url)
  return wrong ? `invalid URL escape ${JSON.stringify(wrong[0])}` : undefined
}

/** Versions of the reviews a webhook reads. */
export function checkReviewVersions(versions: readonly string[], shown: unknown, path: string, errors: Errors): void {
  const seen = new Set<string>()
  versions.forEach((version, index) => {
    if (seen.has(version)) errors.push(invalid(`${path}[${index}]`, version, 'duplicate version'))
    else obey(version, dnsLabel1035, `${path}[${index}]`, errors)
    seen.add(version)
  })
  if (!seen.has('v1') && !seen.has('v1beta1')) errors.push(invalid(path, shown, 'must include at least one of v1, v1beta1'))
}

export function checkMatchConditions(conditions: readonly MatchCondition[] | undefined, path: string, errors: Errors): void {
  const seen = new Set<string>()
  if (conditions && conditions.length > MAX_CONDITIONS) errors.push(tooMany(path, conditions.length, MAX_CONDITIONS))
  conditions?.forEach(({ name, expression }, index) => {
    const at = `${path}[${index}]`
    requireText(expression?.trim(), `${at}.expression`, errors)
    requireName(name, qualifiedName, `${at}.name`, errors)
    if (name && seen.has(name)) errors.push(duplicate(`${at}.name`, name))
    seen.add(name)
  })
}

/** The rules of a webhook, and of an admission policy's match. */
export function checkRule(rule: RuleWithOperations | NamedRuleWithOperations, path: string, errors: Errors): void {
  if ('resourceNames' in rule) checkResourceNames(rule.resourceNames ?? [], `${path}.resourceNames`, errors)
  if (!rule.operations?.length) errors.push(required(`${path}.operations`))
  checkStars(rule.operations, `${path}.operations`, "if '*' is present, must not specify other operations", errors)
  rule.operations?.forEach((operation, index) => {
    if (!OPERATIONS.includes(operation)) errors.push(notSupported(`${path}.operations[${index}]`, operation, OPERATIONS))
  })
  for (const field of ['apiGroups', 'apiVersions', 'resources'] as const) {
    if (!rule[field]?.length) errors.push(required(`${path}.${field}`))
  }
  checkStars(rule.apiGroups, `${path}.apiGroups`, "if '*' is present, must not specify other API groups", errors)
  checkStars(rule.apiVersions, `${path}.apiVersions`, "if '*' is present, must not specify other API versions", errors)
  rule.apiVersions?.forEach((version, index) => {
    if (version === '') errors.push(required(`${path}.apiVersions[${index}]`))
  })
  checkResources(rule.resources ?? [], `${path}.resources`, errors)
  oneOf(rule.scope, ['*', 'Cluster', 'Namespaced'], `${path}.scope`, errors)
}

function checkResourceNames(names: readonly string[], path: string, errors: Errors): void {
  names.forEach((name, index) => {
    obey(name, pathSegment, `${path}[${index}]`, errors)
    if (names.indexOf(name) < index) errors.push(duplicate(`${path}[${index}]`, name))
  })
}

/** A wildcard makes what it covers superfluous, and Kubernetes takes that for a mistake. */
function checkResources(resources: readonly string[], path: string, errors: Errors): void {
  const coveredResources = new Set<string>()
  const coveredSubresources = new Set<string>()
  let lastIsWhole = false
  resources.forEach((text, index) => {
    const slash = text.indexOf('/')
    if (text === '') errors.push(required(`${path}[${index}]`))
    else if (slash < 0) lastIsWhole = text !== '*'
    if (slash < 0) return
    const resource = text.slice(0, slash)
    const subresource = text.slice(slash + 1)
    const covering = [
      ...(coveredResources.has(resource) ? [`${resource}/*`] : []),
      ...(coveredSubresources.has(subresource) ? [`*/${subresource}`] : []),
    ]
    for (const star of covering) {
      errors.push(invalid(`${path}[${index}]`, text, `if '${star}' is present, must not specify ${text}`))
    }
    if (subresource === '*') coveredResources.add(resource)
    if (resource === '*') coveredSubresources.add(subresource)
  })
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"))
  }
  if (resources.includes('*') && lastIsWhole) {
    errors.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))
  }
}

function checkStars(values: string[] | undefined, path: string, detail: string, errors: Errors): void {
  if (values && values.length > 1 && values.includes('*')) errors.push(invalid(path, values, detail))
}
