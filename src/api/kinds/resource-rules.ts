/** Rules for named amounts: which resource names a container, claim or quota may use, and which amounts make sense. */
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, notFound, notSupported, required } from '../field-errors.ts'
import { dnsLabel, qualifiedName } from '../names.ts'
import { compareQuantities, type Quantity, quantityMilliValue, tryParseQuantity, zeroQuantity } from '../quantity.ts'
import type { ResourceRequirements } from '../types.ts'
import { NOT_NEGATIVE, obey } from './rules.ts'

const HUGE_PAGES = 'hugepages-'
const CONTAINER_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage'])
const COUNTED = [
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
]
const SERVICE_COUNTS = ['services.nodeports', 'services.loadbalancers']
const QUOTA_RESOURCES = new Set([
  ...['cpu', 'memory', 'ephemeral-storage', 'requests.cpu', 'requests.memory', 'requests.storage', 'requests.ephemeral-storage'],
  ...['limits.cpu', 'limits.memory', 'limits.ephemeral-storage', ...COUNTED, ...SERVICE_COUNTS],
])
const STANDARD_RESOURCES = new Set([...QUOTA_RESOURCES, 'storage'])
const INTEGER_RESOURCES = new Set([...COUNTED, ...SERVICE_COUNTS])

const isHugePages = (name: string) => name.startsWith(HUGE_PAGES)
/** Kubernetes' own, as opposed to what a device plugin or the like brought. */
const isNative = (name: string) => !name.includes('/') || name.includes('kubernetes.io/')
export const isExtendedResource = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0
export const mayOvercommit = (name: string) => isNative(name) && !isHugePages(name)

/** Any resource name: qualified, or one that Kubernetes knows. */
export function checkResourceName(name: string, path: string, errors: Errors): void {
  if (qualifiedName(name).length > 0) {
    obey(name, qualifiedName, path, errors)
    return
  }
  if (!name.includes('/') && !STANDARD_RESOURCES.has(name) && !isHugePages(name) && !name.startsWith('requests.hugepages-')) {
    errors.push(invalid(path, name, 'must be a standard resource type or fully qualified'))
  }
}

export function checkContainerResourceName(name: string, path: string, errors: Errors): void {
  if (CONTAINER_RESOURCES.has(name)) return
  checkResourceName(name, path, errors)
  if (!name.includes('/')) {
    if (!isHugePages(name)) errors.push(invalid(path, name, 'must be a standard resource for containers'))
  } else if (!isNative(name) && !isExtendedResource(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"))
  }
}

/** Whether a quota knows the resource by itself. */
export const isQuotaResource = (name: string): boolean =>
  QUOTA_RESOURCES.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-')

/** What a ResourceQuota may count: also `count/<resource>.<group>` and classes. */
export function checkQuotaResourceName(name: string, path: string, errors: Errors): void {
  checkResourceName(name, path, errors)
  if (!name.includes('/') && !isQuotaResource(name)) errors.push(invalid(path, name, 'must be a standard resource for quota'))
}

/** An amount: not negative, and whole where the thing can't be divided. */
export function checkAmount(name: string, text: string, path: string, errors: Errors): void {
  const quantity = tryParseQuantity(text) ?? zeroQuantity
  if (quantity.nano < 0n) errors.push(invalid(path, text, NOT_NEGATIVE))
  const whole = INTEGER_RESOURCES.has(name) || isExtendedResource(name)
  if (whole && quantityMilliValue(quantity) % 1000 !== 0) errors.push(invalid(path, text, 'must be an integer'))
}

/** Requests and limits of a container. `claims` are the pod's resource claims by name. */
export function checkResources(
  resources: ResourceRequirements | undefined,
  path: string,
  errors: Errors,
  claims?: ReadonlySet<string>,
): void {
  if (!resources) return
  checkAmounts(resources, checkContainerResourceName, path, errors)
  if (resources.claims) checkClaims(resources.claims, claims ?? new Set(), `${path}.claims`, errors)
}

/** Requests and limits of a pod as a whole, which can ask for less than its containers can. */
export function checkPodLevelResources(resources: ResourceRequirements, path: string, errors: Errors): void {
  checkAmounts(resources, checkPodLevelName, path, errors)
}

function checkPodLevelName(name: string, path: string, errors: Errors): void {
  const count = errors.length
  checkResourceName(name, path, errors)
  if (errors.length > count || name === 'cpu' || name === 'memory' || isHugePages(name)) return
  errors.push(notSupported(path, name, ['cpu', 'hugepages-', 'memory']))
}

type NameRule = (name: string, path: string, errors: Errors) => void

function checkAmounts(resources: ResourceRequirements, checkName: NameRule, path: string, errors: Errors): void {
  const { limits, requests } = resources
  for (const name in limits) {
    const at = `${path}.limits[${name}]`
    checkName(name, at, errors)
    checkAmount(name, limits[name] ?? '0', at, errors)
    if (isHugePages(name)) checkPages(name, limits[name] ?? '0', at, errors)
  }
  for (const name in requests) {
    const at = `${path}.requests[${name}]`
    checkName(name, at, errors)
    checkAmount(name, requests[name] ?? '0', at, errors)
    checkAgainstLimit(name, requests[name] ?? '0', limits?.[name], path, errors)
    if (isHugePages(name)) checkPages(name, requests[name] ?? '0', at, errors)
  }
  checkHugePages(resources, path, errors)
}

/** Huge pages come whole. */
function checkPages(name: string, text: string, path: string, errors: Errors): void {
  const size = tryParseQuantity(name.slice(HUGE_PAGES.length))
  const amount = tryParseQuantity(text) ?? zeroQuantity
  if (size && size.nano > 0n && amount.nano >= 0n && amount.nano % size.nano === 0n) return
  errors.push(invalid(path, text, `${text} is not positive integer multiple of ${name}`))
}

/** What of the pod's claims a container uses: each claim, or request of one, once. */
function checkClaims(claims: readonly ResourceClaimUse[], known: ReadonlySet<string>, path: string, errors: Errors): void {
  const seen = new Set<string>()
  claims.forEach(({ name, request }, index) => {
    const at = `${path}[${index}]`
    if (!name) {
      errors.push(required(at))
      return
    }
    const key = request ? `${name}/${request}` : name
    if (seen.has(name)) errors.push(duplicate(at, name))
    else {
      if (request) obey(request, dnsLabel, `${at}.request`, errors)
      if (seen.has(key)) errors.push(duplicate(at, key))
      else if (!request && [...seen].some((other) => other.startsWith(`${name}/`))) errors.push(duplicate(at, name))
      seen.add(key)
    }
    if (known.has(name)) return
    const list = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`
    errors.push(notFound(at, name, `must be one of the names in pod.spec.resourceClaims${list}`))
  })
}

interface ResourceClaimUse {
  name: string
  request?: string | undefined
}

function checkAgainstLimit(name: string, text: string, limitText: string | undefined, path: string, errors: Errors): void {
  if (limitText === undefined) {
    if (!mayOvercommit(name)) errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
    return
  }
  if (limitText === text) return
  const order = compareQuantities(tryParseQuantity(text) ?? zeroQuantity, tryParseQuantity(limitText) ?? zeroQuantity)
  if (order !== 0 && !mayOvercommit(name)) {
    errors.push(invalid(`${path}.requests`, text, `must be equal to ${name} limit of ${limitText}`))
  } else if (order > 0)
    errors.push(invalid(`${path}.requests`, text, `must be less than or equal to ${name} limit of ${limitText}`))
}

function checkHugePages({ limits, requests }: ResourceRequirements, path: string, errors: Errors): void {
  const huge = hasHugePages(limits) || hasHugePages(requests)
  if (!huge) return
  const grounded = [limits, requests].some((amounts) => amounts?.cpu !== undefined || amounts?.memory !== undefined)
  if (!grounded) errors.push(forbidden(path, 'HugePages require cpu or memory'))
}

function hasHugePages(amounts: Record<string, string> | undefined): boolean {
  for (const name in amounts) if (isHugePages(name)) return true
  return false
}

/** Whether an amount is greater than zero. */
export function isPositive(text: string | undefined): boolean {
  const quantity: Quantity | undefined = text === undefined ? undefined : tryParseQuantity(text)
  return quantity !== undefined && quantity.nano > 0n
}
