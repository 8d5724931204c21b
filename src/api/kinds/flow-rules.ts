/** Rules for FlowSchemas and PriorityLevelConfigurations. */
import { duplicate, type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel, dnsSubdomain } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type {
  FlowcontrolV1Subject,
  FlowSchemaSpec,
  LimitedPriorityLevelConfiguration,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
  ResourcePolicyRule,
} from '../types.ts'
import { obey } from './rules.ts'

const MAX_PRECEDENCE = 10_000
const MAX_QUEUES = 10_000_000
/** Bits of the hash by which a flow is dealt its queues. */
const MAX_HASH_BITS = 60
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const KINDS = ['Group', 'ServiceAccount', 'User']
const METHODS = ['ByNamespace', 'ByUser']
const MEMBER_INTRO = "each member of this list must be '*' or a DNS-1123 label; "

export function checkFlowSchema({ metadata, spec: given }: KubeObject, errors: Errors): void {
  const spec = (given ?? {}) as FlowSchemaSpec
  const precedence = spec.matchingPrecedence ?? 0
  const refuse = (detail: string) => errors.push(invalid('spec.matchingPrecedence', precedence, detail))
  if (precedence <= 0) refuse('must be a positive value')
  if (precedence > MAX_PRECEDENCE) refuse(`must not be greater than ${MAX_PRECEDENCE}`)
  if (precedence === 1 && metadata.name !== 'exempt') refuse("only the schema named 'exempt' may have matchingPrecedence 1")
  const method = spec.distinguisherMethod
  if (method && !METHODS.includes(method.type))
    errors.push(notSupported('spec.distinguisherMethod.type', { Type: method.type ?? '' }, METHODS))
  const level = spec.priorityLevelConfiguration?.name
  if (level) obey(level, dnsSubdomain, 'spec.priorityLevelConfiguration.name', errors)
  else errors.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'))
  spec.rules?.forEach((rule, index) => {
    checkRules(rule, `spec.rules[${index}]`, errors)
  })
}

function checkRules(rule: PolicyRulesWithSubjects, path: string, errors: Errors): void {
  if (!rule.subjects?.length) errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'))
  rule.subjects?.forEach((subject, index) => {
    checkSubject(subject, `${path}.subjects[${index}]`, errors)
  })
  if (!rule.resourceRules?.length && !rule.nonResourceRules?.length)
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  rule.resourceRules?.forEach((one, index) => {
    checkResourceRule(one, `${path}.resourceRules[${index}]`, errors)
  })
  rule.nonResourceRules?.forEach((one, index) => {
    checkPathRule(one, `${path}.nonResourceRules[${index}]`, errors)
  })
}

const MEMBERS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function checkSubject(subject: FlowcontrolV1Subject, path: string, errors: Errors): void {
  const own = MEMBERS[subject.kind as keyof typeof MEMBERS]
  if (!own) return void errors.push(notSupported(`${path}.kind`, subject.kind ?? '', KINDS))
  for (const [kind, member] of Object.entries(MEMBERS)) {
    if (member === own) {
      if (!subject[member]) errors.push(required(`${path}.${member}`, `${member} is required when subject kind is '${kind}'`))
    } else if (subject[member])
      errors.push(forbidden(`${path}.${member}`, `${member} is forbidden when subject kind is not '${kind}'`))
  }
  const named = subject[own]
  if (!named) return
  if (!named.name) errors.push(required(`${path}.${own}.name`))
  if (own !== 'serviceAccount' || !subject.serviceAccount) return
  const { name, namespace } = subject.serviceAccount
  if (name && name !== '*') obey(name, dnsSubdomain, `${path}.${own}.name`, errors)
  if (namespace) obey(namespace, dnsLabel, `${path}.${own}.namespace`, errors)
  else errors.push(required(`${path}.${own}.namespace`, 'must specify namespace for service account'))
}

function checkVerbs(verbs: string[] | undefined, path: string, errors: Errors): void {
  if (!verbs?.length) errors.push(required(path, 'verbs must contain at least one value'))
  else if (verbs.includes('*')) checkAlone(verbs, path, 'verbs', errors)
  else if (verbs.some((verb) => !VERBS.includes(verb))) errors.push(notSupported(path, verbs, VERBS))
}

function checkAlone(values: string[], path: string, others: string, errors: Errors): void {
  if (values.length > 1) errors.push(invalid(path, values, `if '*' is present, must not specify other ${others}`))
}

function checkResourceRule(rule: ResourcePolicyRule, path: string, errors: Errors): void {
  checkVerbs(rule.verbs, `${path}.verbs`, errors)
  for (const [list, one, others] of [
    ['apiGroups', 'api group', 'api groups'],
    ['resources', 'resource', 'resources'],
  ] as const) {
    const values = rule[list] ?? []
    if (values.length === 0) errors.push(required(`${path}.${list}`, `resource rules must supply at least one ${one}`))
    else if (values.includes('*')) checkAlone(values, `${path}.${list}`, others, errors)
  }
  const namespaces = rule.namespaces ?? []
  const at = `${path}.namespaces`
  if (namespaces.length === 0 && !rule.clusterScope)
    errors.push(required(at, 'resource rules that are not cluster scoped must supply at least one namespace'))
  else if (namespaces.includes('*')) checkAlone(namespaces, at, 'namespaces', errors)
  else
    namespaces.forEach((name, index) => {
      for (const complaint of dnsLabel(name)) errors.push(invalid(`${at}[${index}]`, name, MEMBER_INTRO + complaint))
    })
}

function checkPathRule(rule: NonResourcePolicyRule, path: string, errors: Errors): void {
  checkVerbs(rule.verbs, `${path}.verbs`, errors)
  const at = `${path}.nonResourceURLs`
  const urls = rule.nonResourceURLs ?? []
  if (urls.length === 0) errors.push(required(at, 'nonResourceURLs must contain at least one value'))
  else if (urls.includes('*')) checkAlone(urls, at, 'non-resource URLs', errors)
  else
    urls.forEach((url, index) => {
      const complaint = urlComplaint(url)
      if (complaint) errors.push(invalid(`${at}[${index}]`, url, complaint))
    })
}

function urlComplaint(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const stars = url.split('*').length - 1
  return stars > 1 || (stars === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}

export function checkPriorityLevel({ metadata, spec: given }: KubeObject, errors: Errors): void {
  const spec = (given ?? {}) as PriorityLevelConfigurationSpec
  const { type, limited, exempt } = spec
  if ((metadata.name === 'exempt') !== (type === 'Exempt'))
    errors.push(invalid('spec.type', type ?? '', "type must be 'Exempt' if and only if name is 'exempt'"))
  if (type === 'Exempt') {
    if (limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'))
    checkShares(exempt, 'spec.exempt', errors)
  } else if (type === 'Limited') {
    if (exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'))
    if (!limited) errors.push(required('spec.limited', 'must not be empty when type is Limited'))
    else checkLimited(limited, errors)
  } else errors.push(notSupported('spec.type', type ?? '', ['Exempt', 'Limited']))
}

interface Shares {
  nominalConcurrencyShares?: number | undefined
  lendablePercent?: number | undefined
  borrowingLimitPercent?: number | undefined
}

function checkShares(shares: Shares | undefined, path: string, errors: Errors): void {
  const { nominalConcurrencyShares: nominal, lendablePercent: lendable, borrowingLimitPercent: limit } = shares ?? {}
  if (nominal !== undefined && nominal < 0)
    errors.push(invalid(`${path}.nominalConcurrencyShares`, nominal, 'must be a non-negative integer'))
  if (lendable !== undefined && (lendable < 0 || lendable > 100))
    errors.push(invalid(`${path}.lendablePercent`, lendable, 'must be between 0 and 100, inclusive'))
  if (limit !== undefined && limit < 0)
    errors.push(invalid(`${path}.borrowingLimitPercent`, limit, 'if specified, must be a non-negative integer'))
}

function checkLimited(limited: LimitedPriorityLevelConfiguration, errors: Errors): void {
  checkShares(limited, 'spec.limited', errors)
  const path = 'spec.limited.limitResponse'
  const { type, queuing } = limited.limitResponse ?? {}
  if (type === 'Reject') {
    if (queuing) errors.push(forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'))
  } else if (type === 'Queue') {
    if (!queuing) errors.push(required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'))
    else checkQueuing(queuing, `${path}.queuing`, errors)
  } else errors.push(notSupported(`${path}.type`, type ?? '', ['Queue', 'Reject']))
}

function checkQueuing(queuing: QueuingConfiguration, path: string, errors: Errors): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing
  if (queueLengthLimit <= 0) errors.push(invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'))
  if (queues <= 0) errors.push(invalid(`${path}.queues`, queues, 'must be positive'))
  else if (queues > MAX_QUEUES) errors.push(invalid(`${path}.queues`, queues, `must not be greater than ${MAX_QUEUES}`))
  const refuse = (detail: string) => errors.push(invalid(`${path}.handSize`, handSize, detail))
  if (handSize <= 0) refuse('must be positive')
  else if (handSize > queues) refuse(`should not be greater than queues (${queues})`)
  else if (handBits(queues, handSize) > MAX_HASH_BITS)
    refuse(`required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_HASH_BITS}`)
}

/** How many bits it takes to deal a hand from a deck. */
function handBits(deck: number, hand: number): number {
  let bits = 0
  for (let i = 0; i < hand; i++) bits += Math.log2(deck - i)
  return Math.ceil(bits)
}

export function checkFlowConditions({ status }: KubeObject, errors: Errors): void {
  const seen = new Set<string>()
  ;(status?.conditions ?? []).forEach(({ type = '' }: { type?: string }, index: number) => {
    const path = `status.conditions[${index}].type`
    if (seen.has(type)) errors.push(duplicate(path, type))
    seen.add(type)
    if (type === '') errors.push(required(path, 'must not be empty'))
  })
}
