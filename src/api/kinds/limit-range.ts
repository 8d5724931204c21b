/** LimitRange: what a namespace's containers, pods and claims may ask for, and what they get unasked. */
import { duplicate, type Errors, forbidden, invalid, required } from '../field-errors.ts'
import { qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import { compareQuantities, tryParseQuantity, zeroQuantity } from '../quantity.ts'
import type { LimitRange, LimitRangeItem } from '../types.ts'
import type { DefinitionInput } from './define.ts'
import { checkContainerResourceName, checkResourceName, mayOvercommit } from './resource-rules.ts'
import { collect, obey } from './rules.ts'

const AMOUNTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function setDefaults(range: LimitRange): void {
  range.spec ??= { limits: [] }
  for (const item of range.spec.limits ?? []) if (item.type === 'Container') defaultItem(item)
}

/** The default is the maximum, the default request is the default, or failing that the minimum. */
function defaultItem(item: LimitRangeItem): void {
  const limit = { ...item.max, ...item.default }
  const request = { ...item.min, ...limit, ...item.defaultRequest }
  if (Object.keys(limit).length > 0) item.default = limit
  if (Object.keys(request).length > 0) item.defaultRequest = request
}

function check(range: LimitRange, errors: Errors): void {
  const types = new Set<string>()
  range.spec?.limits?.forEach((item, index) => {
    const path = `spec.limits[${index}]`
    checkType(item.type ?? '', `${path}.type`, errors)
    if (types.has(item.type)) errors.push(duplicate(`${path}.type`, item.type))
    types.add(item.type)
    checkItem(item, path, errors)
  })
}

const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim']

function checkType(type: string, path: string, errors: Errors): void {
  if (qualifiedName(type).length > 0) obey(type, qualifiedName, path, errors)
  else if (!type.includes('/') && !TYPES.includes(type))
    errors.push(invalid(path, type, 'must be a standard limit type or fully qualified'))
}

function checkItem(item: LimitRangeItem, path: string, errors: Errors): void {
  const names = new Set<string>()
  const ofPods = item.type === 'Pod' || item.type === 'Container'
  for (const list of AMOUNTS) {
    if (item.type === 'Pod' && (list === 'default' || list === 'defaultRequest')) continue
    for (const name in item[list]) {
      names.add(name)
      const check = ofPods ? checkContainerResourceName : checkResourceName
      check(name, `${path}.${list}[${name}]`, errors)
    }
  }
  if (item.type === 'Pod') {
    for (const list of ['default', 'defaultRequest'] as const) {
      if (Object.keys(item[list] ?? {}).length > 0)
        errors.push(forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"))
    }
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.storage === undefined && item.max?.storage === undefined) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided'
    errors.push(required(`${path}.limits`, detail))
  }
  for (const name of names) checkOrder(item, name, path, errors)
}

/** `low`, `high`, the field that is blamed, the one whose value is shown, and what the first two are called: min ≤ default request ≤ default ≤ max, as far as each is given. */
const ORDER = [
  ['min', 'max', 'min', 'min', 'min value', 'max value'],
  ['min', 'defaultRequest', 'defaultRequest', 'defaultRequest', 'min value', 'default request value'],
  ['defaultRequest', 'max', 'defaultRequest', 'defaultRequest', 'default request value', 'max value'],
  ['defaultRequest', 'default', 'defaultRequest', 'defaultRequest', 'default request value', 'default limit value'],
  ['min', 'default', 'default', 'min', 'min value', 'default value'],
  ['default', 'max', 'default', 'max', 'default value', 'max value'],
] as const

function checkOrder(item: LimitRangeItem, name: string, path: string, errors: Errors): void {
  for (const [low, high, blamed, shown, lowText, highText] of ORDER) {
    const [less, more] = [item[low]?.[name], item[high]?.[name]]
    if (less === undefined || more === undefined) continue
    if (compareQuantities(tryParseQuantity(less) ?? zeroQuantity, tryParseQuantity(more) ?? zeroQuantity) <= 0) continue
    errors.push(
      invalid(`${path}.${blamed}[${name}]`, item[shown]?.[name], `${lowText} ${less} is greater than ${highText} ${more}`),
    )
  }
  const ratio = tryParseQuantity(item.maxLimitRequestRatio?.[name])
  if (ratio && ratio.nano < 1_000_000_000n) {
    const value = item.maxLimitRequestRatio?.[name]
    errors.push(invalid(`${path}.maxLimitRequestRatio[${name}]`, value, `ratio ${value} is less than 1`))
  }
  checkRatio(item, name, path, errors)
  const { default: limit, defaultRequest: request } = item
  const [wanted, granted] = [limit?.[name], request?.[name]].map((text) => tryParseQuantity(text))
  if (mayOvercommit(name) || !wanted || !granted || compareQuantities(wanted, granted) === 0) return
  const detail = `default value ${limit?.[name]} must equal to defaultRequest value ${request?.[name]} in ${name}`
  errors.push(invalid(`${path}.defaultRequest[${name}]`, request?.[name], detail))
}

/** A ratio that what lies between minimum and maximum can never reach. */
function checkRatio(item: LimitRangeItem, name: string, path: string, errors: Errors): void {
  const text = item.maxLimitRequestRatio?.[name]
  const [ratio, min, max] = [text, item.min?.[name], item.max?.[name]].map((value) => tryParseQuantity(value))
  if (!ratio || !min || !max) return
  const limit = Number(max.nano) / Number(min.nano)
  if (Number(ratio.nano) / 1e9 <= limit) return
  const shown = Number.isFinite(limit) ? limit.toFixed(6) : '+Inf'
  errors.push(invalid(`${path}.maxLimitRequestRatio[${name}]`, text, `ratio ${text} is greater than max/min = ${shown}`))
}

const validate = (object: KubeObject) => collect((errors) => check(object as LimitRange, errors))

export const limitRange: DefinitionInput = {
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  strategy: {
    defaults: (object) => setDefaults(object as LimitRange),
    validate,
    validateUpdate: validate,
    allowCreateOnUpdate: true,
  },
}
