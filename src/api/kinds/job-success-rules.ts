/** Rules for what ends a job early in success, and for who else may run it. */
import type { Errors } from '../field-errors.ts'
import { invalid, required, tooLong, tooMany } from '../field-errors.ts'
import { dnsSubdomain, httpPath } from '../names.ts'
import type { JobSpec, SuccessPolicyRule } from '../types.ts'
import { nonNegative, obey } from './rules.ts'

const MAX_RULES = 20
const MAX_INDEXES_LENGTH = 64 * 1024
const MAX_MANAGED_BY_LENGTH = 63

export function checkSuccessPolicy(spec: JobSpec, path: string, errors: Errors): void {
  const { successPolicy } = spec
  if (!successPolicy) return
  if (spec.completionMode !== 'Indexed') {
    errors.push(invalid(path, successPolicy, 'requires indexed completion mode'))
    return
  }
  const rules = successPolicy.rules ?? []
  if (rules.length === 0) {
    errors.push(required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified'))
  }
  if (rules.length > MAX_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MAX_RULES))
  rules.forEach((rule, index) => {
    checkRule(rule, spec.completions ?? 0, `${path}.rules[${index}]`, errors)
  })
}

function checkRule(rule: SuccessPolicyRule, completions: number, path: string, errors: Errors): void {
  const count = rule.succeededCount ?? undefined
  const indexes = rule.succeededIndexes ?? undefined
  if (count === undefined && indexes === undefined) {
    errors.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'))
  }
  const total = indexes === undefined ? 0 : checkIndexes(indexes, completions, `${path}.succeededIndexes`, errors)
  if (count === undefined) return
  const at = `${path}.succeededCount`
  nonNegative(count, at, errors)
  if (count > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`
    errors.push(invalid(at, count, detail))
  }
  if (indexes !== undefined && count > total) {
    const detail = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`
    errors.push(invalid(at, count, detail))
  }
}

/** How many indexes such a list names: `0,2-4`. */
function checkIndexes(text: string, completions: number, path: string, errors: Errors): number {
  if (text.length > MAX_INDEXES_LENGTH) errors.push(tooLong(path, MAX_INDEXES_LENGTH))
  const counted = countIndexes(text, completions)
  if (typeof counted === 'number') return counted
  errors.push(invalid(path, text, `error parsing succeededIndexes: ${counted}`))
  return 0
}

/** The number of indexes, or what is wrong with the list. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0
  let [total, last] = [0, -1]
  for (const interval of text.split(',')) {
    const ends = interval.split('-')
    if (ends.length > 2) {
      const rule = "violates the requirement that an index interval can have at most two parts separated by '-'"
      return `the fragment ${JSON.stringify(interval)} ${rule}`
    }
    for (const end of ends) {
      if (!/^[+]?\d+$/.test(end)) return `cannot convert string to integer for index: ${JSON.stringify(end)}`
      const index = Number(end)
      if (index >= completions) return `too large index: ${JSON.stringify(end)}`
      if (index <= last) return `non-increasing order, previous: ${last}, current: ${index}`
      last = index
    }
    total += ends.length === 2 ? last - Number(ends[0]) + 1 : 1
  }
  return total
}

/** A controller other than the cluster's own, by a path with its domain in front: `example.com/runner`. */
export function checkManagedBy(name: string | null | undefined, path: string, errors: Errors): void {
  if (name === undefined || name === null) return
  const slash = name.indexOf('/')
  if (name === '') errors.push(required(path))
  else if (slash <= 0 || slash === name.length - 1) {
    errors.push(invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")'))
  } else {
    obey(name.slice(0, slash), dnsSubdomain, path, errors)
    obey(name.slice(slash + 1), httpPath, path, errors)
  }
  if (name.length > MAX_MANAGED_BY_LENGTH) errors.push(tooLong(path, MAX_MANAGED_BY_LENGTH))
}
