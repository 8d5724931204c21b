/** Rules that many kinds share. Each appends what it finds to `errors`. Wording as in Kubernetes; knows no kind. */

import { equal } from '../equal.ts'
import type { Errors } from '../field-errors.ts'
import { duplicate, forbidden, immutable, invalid, notSupported, required, tooLong } from '../field-errors.ts'
import { type Complaints, labelValue, percentText, portName, portNumber, qualifiedName } from '../names.ts'
import type { Condition, LabelSelector, ObjectMeta } from '../types.ts'

export const NOT_NEGATIVE = 'must be greater than or equal to 0'

export function nonNegative(value: number | undefined, path: string, errors: Errors): void {
  if (value !== undefined && value < 0) errors.push(invalid(path, value, NOT_NEGATIVE))
}

export function positive(value: number | undefined, path: string, errors: Errors): void {
  if (value !== undefined && value <= 0) errors.push(invalid(path, value, 'must be greater than 0'))
}

/** Each complaint of a rule about a value. Says nothing when there are none: the usual case costs no allocation. */
export function obey(value: string, rule: (value: string) => Complaints, path: string, errors: Errors): void {
  const complaints = rule(value)
  for (let i = 0; i < complaints.length; i++) errors.push(invalid(path, value, complaints[i] ?? ''))
}

/** A value that must be there and obey a rule. */
export function requireName(value: string | undefined, rule: (value: string) => Complaints, path: string, errors: Errors): void {
  if (!value) errors.push(required(path))
  else obey(value, rule, path, errors)
}

export function requireText(value: string | undefined, path: string, errors: Errors, detail = ''): void {
  if (!value) errors.push(required(path, detail))
}

/** One of `allowed`; absent is an error only where `mandatory`. */
export function oneOf(
  value: string | undefined,
  allowed: readonly string[],
  path: string,
  errors: Errors,
  mandatory = false,
): void {
  if (value === undefined || value === '') {
    if (mandatory) errors.push(required(path))
  } else if (!allowed.includes(value)) errors.push(notSupported(path, value, allowed))
}

export function checkLabels(labels: Record<string, string> | undefined, path: string, errors: Errors): void {
  for (const key in labels) {
    obey(key, qualifiedName, path, errors)
    obey(labels[key] ?? '', labelValue, path, errors)
  }
}

const MAX_ANNOTATIONS_BYTES = 256 * 1024

function checkAnnotations(annotations: Record<string, string> | undefined, path: string, errors: Errors): void {
  let bytes = 0
  for (const key in annotations) {
    for (const complaint of qualifiedName(key.toLowerCase())) errors.push(invalid(path, key, complaint))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '')
  }
  if (bytes > MAX_ANNOTATIONS_BYTES) errors.push(tooLong(path, MAX_ANNOTATIONS_BYTES))
}

/** Labels and annotations of a template. */
export function checkTemplateMetadata(metadata: ObjectMeta | undefined, path: string, errors: Errors): void {
  checkLabels(metadata?.labels, `${path}.labels`, errors)
  checkAnnotations(metadata?.annotations, `${path}.annotations`, errors)
}

export function checkSelector(selector: LabelSelector | undefined, path: string, errors: Errors): void {
  if (!selector) return
  checkLabels(selector.matchLabels, `${path}.matchLabels`, errors)
  selector.matchExpressions?.forEach((expression, index) => {
    const at = `${path}.matchExpressions[${index}]`
    checkExpression(expression, at, errors)
    obey(expression.key ?? '', qualifiedName, `${at}.key`, errors)
    expression.values?.forEach((value, i) => {
      obey(value, labelValue, `${at}.values[${i}]`, errors)
    })
  })
}

/** Operator and values of a requirement, as selectors of labels and of nodes have them. */
export function checkExpression(
  expression: { operator: string; values?: string[] | undefined },
  path: string,
  errors: Errors,
  comparisons = false,
): void {
  const count = expression.values?.length ?? 0
  switch (expression.operator) {
    case 'In':
    case 'NotIn':
      if (count === 0) errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      return
    case 'Exists':
    case 'DoesNotExist':
      if (count > 0) {
        errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
      }
      return
    case 'Gt':
    case 'Lt':
      if (comparisons) {
        if (count !== 1) errors.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
        return
      }
  }
  errors.push(invalid(`${path}.operator`, expression.operator ?? '', 'not a valid selector operator'))
}

const isPercent = (value: number | string | undefined): value is string => typeof value === 'string' && /^[0-9]+%$/.test(value)

/** A count that is not negative, or a percentage. */
export function checkCountOrPercent(value: number | string | undefined, path: string, errors: Errors): void {
  if (typeof value === 'string') obey(value, percentText, path, errors)
  else nonNegative(value, path, errors)
}

export function checkAtMostAll(value: number | string | undefined, path: string, errors: Errors): void {
  if (isPercent(value) && Number.parseInt(value, 10) > 100) errors.push(invalid(path, value, 'must not be greater than 100%'))
}

/** A port by number or name. */
export function checkPort(value: number | string | undefined, path: string, errors: Errors): void {
  if (typeof value === 'string') obey(value, portName, path, errors)
  else for (const complaint of portNumber(value ?? 0)) errors.push(invalid(path, value ?? 0, complaint))
}

export function checkImmutable(value: unknown, old: unknown, path: string, errors: Errors): void {
  if (!equal(value, old)) errors.push(immutable(path, value))
}

const CONDITION_REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const conditionReasonPattern = new RegExp(`^${CONDITION_REASON}$`)
const CONDITION_REASON_RULE =
  'a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or ' +
  `'_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or ` +
  `'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${CONDITION_REASON}')`

const MAX_REASON = 1024
const MAX_MESSAGE = 32 * 1024

/** `metav1.Condition`, as newer kinds have it. */
export function checkConditions(conditions: Condition[] | undefined, path: string, errors: Errors): void {
  const seen = new Set<string>()
  conditions?.forEach((condition, index) => {
    const at = `${path}[${index}]`
    if (seen.has(condition.type)) errors.push(duplicate(`${at}.type`, condition.type))
    seen.add(condition.type)
    obey(condition.type ?? '', qualifiedName, `${at}.type`, errors)
    if (!['True', 'False', 'Unknown'].includes(condition.status)) {
      errors.push(notSupported(`${at}.status`, condition.status ?? '', ['False', 'True', 'Unknown']))
    }
    if ((condition.observedGeneration ?? 0) < 0) {
      errors.push(invalid(`${at}.observedGeneration`, condition.observedGeneration, 'must be greater than or equal to zero'))
    }
    if (!condition.lastTransitionTime) errors.push(required(`${at}.lastTransitionTime`))
    if (!condition.reason) errors.push(required(`${at}.reason`))
    else if (!conditionReasonPattern.test(condition.reason)) {
      errors.push(invalid(`${at}.reason`, condition.reason, CONDITION_REASON_RULE))
    }
    if (Buffer.byteLength(condition.reason ?? '') > MAX_REASON) errors.push(tooLong(`${at}.reason`, MAX_REASON))
    if (Buffer.byteLength(condition.message ?? '') > MAX_MESSAGE) errors.push(tooLong(`${at}.message`, MAX_MESSAGE))
  })
}

/** Runs rules that append, and gives what they found. */
export function collect(run: (errors: Errors) => void): Errors {
  const errors: Errors = []
  run(errors)
  return errors
}
