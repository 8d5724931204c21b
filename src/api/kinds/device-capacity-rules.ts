/** Rules for the capacities of devices that several claims can share: how much each may ask for. */
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, invalid, required, tooMany } from '../field-errors.ts'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  type Quantity,
  tryParseQuantity,
  zeroQuantity,
} from '../quantity.ts'
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from '../types.ts'

const MAX_VALUES = 10

export function checkCapacity(
  { value, requestPolicy: policy }: DeviceCapacity,
  shared: boolean,
  path: string,
  errors: Errors,
): void {
  if (!policy) return
  const at = `${path}.requestPolicy`
  if (!shared) errors.push(forbidden(at, 'allowMultipleAllocations must be true'))
  else checkPolicy(policy, value, at, errors)
}

function checkPolicy(policy: CapacityRequestPolicy, capacity: string, path: string, errors: Errors): void {
  const { default: standard, validValues: values = [], validRange: range } = policy
  if (values.length > 0 && range) {
    const detail = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
    errors.push(forbidden(path, detail))
    return
  }
  const field = values.length > 0 ? 'validValues' : 'validRange'
  if (values.length === 0 && !range) return
  if (standard === undefined) errors.push(required(`${path}.default`, `required when ${field} is defined`))
  else if (values.length > 0) checkValues(values, standard, capacity, `${path}.validValues`, errors)
  else if (range) checkRange(range, standard, capacity, `${path}.validRange`, errors)
}

const amount = (text: string): Quantity => tryParseQuantity(text) ?? zeroQuantity
const isMore = (a: string, b: string) => compareQuantities(amount(a), amount(b)) > 0

function checkValues(values: readonly string[], standard: string, capacity: string, path: string, errors: Errors): void {
  values.forEach((value, index) => {
    const before = values[index - 1]
    if (before === undefined || !isMore(before, value)) return
    errors.push(invalid(`${path}[${index}]`, canonicalQuantity(value), 'values must be sorted in ascending order'))
  })
  if (values.length > MAX_VALUES) errors.push(tooMany(path, values.length, MAX_VALUES))
  else {
    const seen = new Set<string>()
    values.forEach((value, index) => {
      const at = `${path}[${index}]`
      const detail = `option is larger than capacity value: ${canonicalQuantity(capacity)}`
      if (isMore(value, capacity)) errors.push(invalid(at, canonicalQuantity(value), detail))
      const key = String(wholeUnits(amount(value)))
      if (seen.has(key)) errors.push(duplicate(at, key))
      seen.add(key)
    })
  }
  const known = values.length <= MAX_VALUES && values.some((value) => compareQuantities(amount(value), amount(standard)) === 0)
  if (!known) {
    errors.push(invalid(path, canonicalQuantity(standard), 'default value is not valid according to the requestPolicy'))
  }
}

function checkRange(
  { min, max, step }: CapacityRequestPolicyRange,
  standard: string,
  capacity: string,
  path: string,
  errors: Errors,
): void {
  if (min === undefined) return void errors.push(required(`${path}.min`, 'required when validRange is defined'))
  const shown = canonicalQuantity
  const refuse = (field: string, value: string, detail: string) => errors.push(invalid(`${path}.${field}`, shown(value), detail))
  if (isMore(min, capacity)) refuse('min', min, `min is larger than capacity value: ${shown(capacity)}`)
  if (isMore(min, standard)) refuse('min', standard, `default is less than min: ${shown(min)}`)
  if (max !== undefined) {
    if (isMore(min, max)) refuse('max', min, `min is larger than max: ${shown(max)}`)
    if (isMore(max, capacity)) refuse('max', max, `max is larger than capacity value: ${shown(capacity)}`)
    if (isMore(standard, max)) refuse('max', standard, `default is more than max: ${shown(max)}`)
  }
  if (step === undefined) return
  const next = addQuantities(amount(min), amount(step))
  if (compareQuantities(next, amount(capacity)) > 0) {
    refuse('step', step, `one step ${formatQuantity(next)} is larger than capacity value: ${shown(capacity)}`)
  }
  for (const value of max === undefined ? [standard] : [standard, max]) {
    const size = wholeUnits(amount(step))
    if (size !== 0n && (wholeUnits(amount(value)) - wholeUnits(amount(min))) % size === 0n) continue
    refuse('step', value, `value is not a multiple of a given step (${shown(step)}) from (${shown(min)})`)
  }
}

/** Rounded up. */
function wholeUnits({ nano }: Quantity): bigint {
  const unit = 1_000_000_000n
  return nano / unit + (nano % unit > 0n ? 1n : 0n)
}
