/** Defaults and rules for admission policies and their bindings. Expressions are compiled where policies are carried out. */
import { type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type { MatchCondition, MatchResources, Mutation, ParamRef, Validation } from '../types.ts'
import { checkSelector, obey, oneOf, requireText } from './rules.ts'
import { checkRule } from './webhook-configuration.ts'

const ACTIONS = ['Audit', 'Deny', 'Warn']
const BOTH =
  'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'

function defaultMatch(match: MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*'
}

export function defaultPolicy(object: KubeObject): void {
  object.spec ??= {}
  object.spec.failurePolicy ??= 'Fail'
  defaultMatch(object.spec.matchConstraints)
}

export function defaultPolicyBinding(object: KubeObject): void {
  object.spec ??= {}
  defaultMatch(object.spec.matchResources)
}

/** `work` is what the policy is made of: validations or mutations. */
export function checkPolicy(object: KubeObject, work: 'validations' | 'mutations', errors: Errors): void {
  const spec = object.spec ?? {}
  oneOf(spec.failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy', errors)
  if (spec.paramKind) {
    requireText(spec.paramKind.kind, 'spec.paramKind.kind', errors)
    requireText(spec.paramKind.apiVersion, 'spec.paramKind.apiVersion', errors)
  }
  if (!spec.matchConstraints) errors.push(required('spec.matchConstraints'))
  else checkMatch(spec.matchConstraints, true, 'spec.matchConstraints', errors)
  checkConditions(spec.matchConditions, errors)
  if (work === 'validations') checkValidations(spec, errors)
  else checkMutations(spec.mutations, errors)
}

function checkValidations(spec: { validations?: Validation[]; auditAnnotations?: unknown[] }, errors: Errors): void {
  if (!spec.validations?.length && !spec.auditAnnotations?.length) {
    const detail = 'validations or auditAnnotations must contain at least one item'
    errors.push(required('spec.validations', detail), required('spec.auditAnnotations', detail))
  }
  spec.validations?.forEach((validation, index) => {
    const path = `spec.validations[${index}]`
    if (!validation.expression?.trim()) errors.push(required(`${path}.expression`, 'expression is not specified'))
    if (validation.message !== undefined && validation.message.trim() === '') {
      errors.push(invalid(`${path}.message`, validation.message, 'message must be non-empty if specified'))
    }
    oneOf(validation.reason, ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'], `${path}.reason`, errors)
  })
}

function checkMutations(mutations: Mutation[] | undefined, errors: Errors): void {
  if (!mutations?.length) errors.push(required('spec.mutations', 'mutations must contain at least one item'))
  mutations?.forEach((mutation, index) => {
    const path = `spec.mutations[${index}]`
    oneOf(mutation.patchType, ['ApplyConfiguration', 'JSONPatch'], `${path}.patchType`, errors, true)
    if (mutation.patchType === 'ApplyConfiguration')
      requireText(mutation.applyConfiguration?.expression, `${path}.applyConfiguration.expression`, errors)
    if (mutation.patchType === 'JSONPatch') requireText(mutation.jsonPatch?.expression, `${path}.jsonPatch.expression`, errors)
  })
}

function checkConditions(conditions: MatchCondition[] | undefined, errors: Errors): void {
  conditions?.forEach((condition, index) => {
    const path = `spec.matchConditions[${index}]`
    if (!condition.name) errors.push(required(`${path}.name`))
    else obey(condition.name, qualifiedName, `${path}.name`, errors)
    requireText(condition.expression?.trim(), `${path}.expression`, errors)
  })
}

function checkMatch(match: MatchResources, rulesNeeded: boolean, path: string, errors: Errors): void {
  oneOf(match.matchPolicy, ['Equivalent', 'Exact'], `${path}.matchPolicy`, errors)
  checkSelector(match.namespaceSelector, `${path}.namespaceSelector`, errors)
  checkSelector(match.objectSelector, `${path}.objectSelector`, errors)
  if (rulesNeeded && !match.resourceRules?.length) errors.push(required(`${path}.resourceRules`))
  for (const list of ['resourceRules', 'excludeResourceRules'] as const) {
    match[list]?.forEach((rule, index) => {
      checkRule(rule, `${path}.${list}[${index}]`, errors)
    })
  }
}

export function checkPolicyBinding(object: KubeObject, validating: boolean, errors: Errors): void {
  const spec = object.spec ?? {}
  requireText(spec.policyName, 'spec.policyName', errors)
  if (spec.paramRef) checkParamRef(spec.paramRef, errors)
  if (spec.matchResources) checkMatch(spec.matchResources, false, 'spec.matchResources', errors)
  if (validating) checkActions(spec.validationActions, errors)
}

function checkActions(actions: string[] | undefined, errors: Errors): void {
  const path = 'spec.validationActions'
  if (!actions?.length) errors.push(required(path, 'at least one validation action is required'))
  actions?.forEach((action, index) => {
    if (!ACTIONS.includes(action)) errors.push(notSupported(`${path}[${index}]`, action, ACTIONS))
  })
  if (actions?.includes('Deny') && actions.includes('Warn')) errors.push(invalid(path, actions, BOTH))
}

function checkParamRef(reference: ParamRef, errors: Errors): void {
  const path = 'spec.paramRef'
  const both = 'name and selector are mutually exclusive'
  if (reference.name && reference.selector) {
    errors.push(forbidden(`${path}.name`, both), forbidden(`${path}.selector`, both))
  }
  if (!reference.name && !reference.selector) errors.push(required(path, 'one of name or selector must be specified'))
  oneOf(reference.parameterNotFoundAction, ['Allow', 'Deny'], `${path}.parameterNotFoundAction`, errors, true)
}
