/** Rules that the kinds of dynamic resource allocation share: names of devices and their parts, selectors, taints, configuration. */
import type { Errors } from '../field-errors.ts'
import { duplicate, invalid, notSupported, required, tooLong, tooMany } from '../field-errors.ts'
import { cIdentifier, dnsLabel, dnsSubdomain, labelValue, qualifiedName } from '../names.ts'
import type { DeviceConfiguration, DeviceSelector, DeviceTaint, DeviceToleration } from '../types.ts'
import { obey, requireName } from './rules.ts'
import { checkDriverName } from './volume-rules.ts'

export const MAX_REQUESTS = 32
export const MAX_CONFIGURATIONS = 32
const MAX_SELECTORS = 32
const MAX_EXPRESSION_LENGTH = 10 * 1024
const MAX_PARAMETERS_LENGTH = 10 * 1024
const MAX_IDENTIFIER_LENGTH = 32
const MAX_POOL_NAME_LENGTH = 253
const MAX_BINDING_CONDITIONS = 4
const EFFECTS = ['NoExecute', 'NoSchedule', 'None']

/** Checks each item, and, with `keyOf`, that no two are the same. A list that is too long is not looked at any further. */
export function checkItems<T>(
  items: readonly T[] | undefined,
  max: number,
  path: string,
  errors: Errors,
  check: (item: T, path: string) => void,
  keyOf?: (item: T) => string,
): void {
  if (!items) return
  if (items.length > max) return void errors.push(tooMany(path, items.length, max))
  const seen = new Set<string>()
  items.forEach((item, index) => {
    check(item, `${path}[${index}]`)
    const key = keyOf?.(item)
    if (key === undefined) return
    if (seen.has(key)) errors.push(duplicate(`${path}[${index}]`, key))
    seen.add(key)
  })
}

export function checkDeviceName(name: string | undefined, path: string, errors: Errors): void {
  obey(name ?? '', dnsLabel, path, errors)
}

/** Subdomains, separated by slashes. */
export function checkPoolName(name: string | undefined, path: string, errors: Errors): void {
  if (!name) return void errors.push(required(path))
  if (name.length > MAX_POOL_NAME_LENGTH) errors.push(tooLong(path, MAX_POOL_NAME_LENGTH))
  for (const part of name.split('/')) obey(part, dnsSubdomain, path, errors)
}

/** The name of an attribute or a capacity: an identifier, which may have a domain and a slash before it. */
export function checkPartName(name: string, path: string, errors: Errors): void {
  const parts = name.split('/')
  const [first = '', second = ''] = parts
  if (parts.length === 1) checkIdentifier(first, path, errors)
  if (parts.length !== 2) return
  if (first === '') errors.push(invalid(path, '', 'the domain must not be empty'))
  else checkDriverName(first, path, errors)
  if (second === '') errors.push(invalid(path, '', 'the name must not be empty'))
  else checkIdentifier(second, path, errors)
}

export function checkFullPartName(name: string, path: string, errors: Errors): void {
  checkPartName(name, path, errors)
  if (name.includes('/')) return
  errors.push(invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash'))
}

function checkIdentifier(name: string, path: string, errors: Errors): void {
  if (name.length > MAX_IDENTIFIER_LENGTH) errors.push(tooLong(path, MAX_IDENTIFIER_LENGTH))
  obey(name, cIdentifier, path, errors)
}

/** Whether the expressions make sense is asked elsewhere, as it takes the CEL compiler: see `cel/device-expressions.ts`. */
export function checkSelectors(selectors: DeviceSelector[] | undefined, path: string, errors: Errors): void {
  checkItems(selectors, MAX_SELECTORS, path, errors, ({ cel }, at) => {
    if (!cel) errors.push(required(`${at}.cel`))
    else if ((cel.expression ?? '').length > MAX_EXPRESSION_LENGTH) {
      errors.push(tooLong(`${at}.cel.expression`, MAX_EXPRESSION_LENGTH))
    }
  })
}

export function checkConfiguration({ opaque }: DeviceConfiguration, path: string, errors: Errors): void {
  if (!opaque) return void errors.push(required(`${path}.opaque`))
  checkDriverName(opaque.driver, `${path}.opaque.driver`, errors)
  checkRawObject(opaque.parameters, `${path}.opaque.parameters`, errors)
}

export function checkRawObject(value: unknown, path: string, errors: Errors): void {
  if (value === undefined || value === null) errors.push(required(path))
  else if (JSON.stringify(value).length > MAX_PARAMETERS_LENGTH) errors.push(tooLong(path, MAX_PARAMETERS_LENGTH))
  else if (typeof value !== 'object' || Array.isArray(value)) {
    errors.push(invalid(path, '<value omitted>', 'must be a valid JSON object'))
  }
}

export function checkTaint({ key, value, effect }: DeviceTaint, path: string, errors: Errors): void {
  obey(key ?? '', qualifiedName, `${path}.key`, errors)
  if (value) obey(value, labelValue, `${path}.value`, errors)
  if (!effect) errors.push(required(`${path}.effect`))
  else if (!EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS))
}

export function checkToleration({ key, operator, value = '', effect }: DeviceToleration, path: string, errors: Errors): void {
  if (key) obey(key, qualifiedName, `${path}.key`, errors)
  if (!operator) errors.push(required(`${path}.operator`))
  else if (operator === 'Exists') {
    if (value !== '') errors.push(invalid(`${path}.value`, value, 'must be empty for operator `Exists`'))
  } else if (operator === 'Equal') obey(value, labelValue, `${path}.value`, errors)
  else errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
  if (effect && !EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS))
}

interface Binding {
  readonly bindingConditions?: string[] | undefined
  readonly bindingFailureConditions?: string[] | undefined
}

/** What must hold before a pod is bound, and what says that it never will: both or neither, and nothing twice. */
export function checkBinding(binding: Binding, path: string, errors: Errors): void {
  const { bindingConditions: good = [], bindingFailureConditions: bad = [] } = binding
  for (const [field, list] of [['bindingConditions', good] as const, ['bindingFailureConditions', bad] as const]) {
    checkItems(list, MAX_BINDING_CONDITIONS, `${path}.${field}`, errors, (type, at) => obey(type, qualifiedName, at, errors))
    list.forEach((type, index) => {
      if (list.indexOf(type) < index) errors.push(duplicate(`${path}.${field}[${index}]`, type))
    })
  }
  bad.forEach((type, index) => {
    if (!good.includes(type)) return
    const detail = 'bindingFailureConditions must not overlap with bindingConditions'
    errors.push(invalid(`${path}.bindingFailureConditions[${index}]`, type, detail))
  })
  const needed = (field: string, other: string) => `${field} are required to use ${other}`
  if (good.length === 0 && bad.length > 0) {
    const detail = needed('bindingConditions', 'bindingFailureConditions')
    errors.push(invalid(`${path}.bindingConditions`, binding.bindingConditions ?? null, detail))
  }
  if (bad.length === 0 && good.length > 0) {
    const detail = needed('bindingFailureConditions', 'bindingConditions')
    errors.push(invalid(`${path}.bindingFailureConditions`, binding.bindingFailureConditions ?? null, detail))
  }
}

/** Of a device, pool and driver that something refers to. */
export function checkDeviceReference(
  { driver, pool, device }: { driver: string; pool: string; device: string },
  path: string,
  errors: Errors,
): void {
  checkDriverName(driver, `${path}.driver`, errors)
  checkPoolName(pool, `${path}.pool`, errors)
  checkDeviceName(device, `${path}.device`, errors)
}

export function checkClassName(name: string | undefined, path: string, errors: Errors): void {
  requireName(name, dnsSubdomain, path, errors)
}
