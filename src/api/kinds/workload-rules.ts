/** Rules that the kinds with a pod template and a selector share. */
import type { Errors } from '../field-errors.ts'
import { forbidden, invalid, notSupported, required, sortedMap } from '../field-errors.ts'
import type { LabelSelector as Matcher } from '../selectors.ts'
import { labelSelector, SelectorError } from '../selectors.ts'
import type { LabelSelector, PodTemplateSpec } from '../types.ts'
import { checkTemplate } from './pod-rules.ts'
import { checkSelector } from './rules.ts'

/** The selector at `spec.selector`; gives what it selects unless it is malformed. `kind` is named where it is empty. */
export function checkWorkloadSelector(selector: LabelSelector | undefined, kind: string, errors: Errors): Matcher | undefined {
  const path = 'spec.selector'
  if (!selector) errors.push(required(path))
  else {
    checkSelector(selector, path, errors)
    const size = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0)
    if (size === 0) errors.push(invalid(path, selector, `empty selector is invalid for ${kind}`))
  }
  return matcherOf(selector)
}

function matcherOf(selector: LabelSelector | undefined): Matcher | undefined {
  try {
    return labelSelector(selector)
  } catch (error) {
    if (error instanceof SelectorError) return undefined
    throw error
  }
}

/** A template whose pods the selector must find, and that must run for ever. `kind` as in messages: `StatefulSet`. */
export function checkRunningTemplate(
  template: PodTemplateSpec | undefined,
  matcher: Matcher,
  kind: string,
  errors: Errors,
): void {
  checkLabelsMatch(template, matcher, errors)
  checkTemplate(template, 'spec.template', errors)
  const path = 'spec.template.spec'
  const policy = template?.spec?.restartPolicy
  if (policy !== undefined && policy !== 'Always') errors.push(notSupported(`${path}.restartPolicy`, policy, ['Always']))
  if (template?.spec?.activeDeadlineSeconds !== undefined) {
    errors.push(forbidden(`${path}.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`))
  }
}

export function checkLabelsMatch(template: PodTemplateSpec | undefined, matcher: Matcher, errors: Errors): void {
  const labels = template?.metadata?.labels
  if (matcher.isEverything || matcher.matches(labels)) return
  errors.push(invalid('spec.template.metadata.labels', labels ? sortedMap(labels) : undefined, NO_MATCH))
}

const NO_MATCH = '`selector` does not match template `labels`'

/** Counts in a status: not negative, and no larger than what they are part of. */
export function checkCounts(
  status: Record<string, unknown> | undefined,
  counts: readonly string[],
  limits: readonly (readonly [part: string, whole: string, text: string])[],
  errors: Errors,
): void {
  const at = (name: string) => (typeof status?.[name] === 'number' ? (status[name] as number) : 0)
  for (const name of counts) {
    if (at(name) < 0) errors.push(invalid(`status.${name}`, at(name), 'must be greater than or equal to 0'))
  }
  for (const [part, whole, text] of limits) {
    if (at(part) > at(whole)) errors.push(invalid(`status.${part}`, at(part), `cannot be greater than ${text}`))
  }
}
