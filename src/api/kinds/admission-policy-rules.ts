/** Defaults and rules for admission policies and their bindings. Expressions are compiled where policies are carried out. */
import { equal } from '../equal.ts'
import { duplicate, type Errors, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import { dnsLabel1035, dnsSubdomain, pathSegment, qualifiedName } from '../names.ts'
import type { KubeObject } from '../object.ts'
import type {
  MatchResources,
  MutatingAdmissionPolicySpec,
  Mutation,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicySpec,
  ValidatingAdmissionPolicyStatus,
  Validation,
  Variable,
} from '../types.ts'
import { checkConditions, checkSelector, obey, oneOf, requireName, requireText } from './rules.ts'
import { checkMatchConditions, checkRule } from './webhook-rules.ts'

const ACTIONS = ['Audit', 'Deny', 'Warn']
const BOTH =
  'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const MUTABLE = ['*', 'CONNECT', 'CREATE', 'UPDATE']
const MAX_AUDIT_ANNOTATIONS = 20
/** In bytes. */
const MAX_AUDIT_EXPRESSION = 5 * 1024

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

type PolicySpec = Partial<ValidatingAdmissionPolicySpec & MutatingAdmissionPolicySpec>

/** `work` is what the policy is made of: validations or mutations. `old` is the spec before an update. */
export function checkPolicy(
  { metadata, spec = {} }: KubeObject,
  old: KubeObject | undefined,
  work: 'validations' | 'mutations',
  errors: Errors,
): void {
  oneOf(spec.failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy', errors)
  if (spec.paramKind) checkParamKind(spec.paramKind, 'spec.paramKind', errors)
  if (!spec.matchConstraints) errors.push(required('spec.matchConstraints'))
  else {
    checkMatch(spec.matchConstraints, 'spec.matchConstraints', errors)
    if (!spec.matchConstraints.resourceRules?.length) errors.push(required('spec.matchConstraints.resourceRules'))
    if (work === 'mutations') checkMutable(spec.matchConstraints, 'spec.matchConstraints', errors)
  }
  if (!old || !sameConditions(spec, old.spec ?? {})) {
    checkMatchConditions(spec.matchConditions, 'spec.matchConditions', errors)
  }
  for (const [index, variable] of (spec.variables ?? []).entries()) checkVariable(variable, `spec.variables[${index}]`, errors)
  if (work === 'validations') checkValidations(metadata.name ?? '', spec, errors)
  else checkMutations(spec, errors)
}

/** Conditions that were taken once stay as they are. */
function sameConditions(spec: PolicySpec, old: PolicySpec): boolean {
  return equal(spec.paramKind, old.paramKind) && equal(spec.matchConditions, old.matchConditions)
}

function checkParamKind({ apiVersion = '', kind = '' }: ParamKind, path: string, errors: Errors): void {
  if (!apiVersion) errors.push(required(`${path}.apiVersion`))
  else checkGroupVersion(apiVersion, `${path}.apiVersion`, errors)
  const complaints = dnsLabel1035(kind.toLowerCase())
  if (!kind) errors.push(required(`${path}.kind`))
  else if (complaints.length > 0) {
    errors.push(invalid(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${complaints.join(',')}`))
  }
}

function checkGroupVersion(apiVersion: string, path: string, errors: Errors): void {
  const parts = apiVersion.split('/')
  if (parts.length > 2 && apiVersion !== '/') {
    return void errors.push(invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  }
  const version = parts.at(-1) ?? ''
  const group = parts.length > 1 ? (parts[0] ?? '') : ''
  const ofGroup = group ? dnsSubdomain(group) : []
  if (ofGroup.length > 0) errors.push(invalid(path, group, ofGroup.join(',')))
  const ofVersion = dnsLabel1035(version)
  if (!version) errors.push(invalid(path, apiVersion, 'version must be specified'))
  else if (ofVersion.length > 0) errors.push(invalid(path, version, ofVersion.join(',')))
}

const CEL_RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

function checkVariable({ name, expression }: Variable, path: string, errors: Errors): void {
  if (!name?.trim()) errors.push(required(`${path}.name`, 'name is not specified'))
  else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || CEL_RESERVED.has(name)) {
    errors.push(invalid(`${path}.name`, name, 'name is not a valid CEL identifier'))
  }
  if (!expression?.trim()) errors.push(required(`${path}.expression`, 'expression is not specified'))
}

function checkValidations(policy: string, { validations = [], auditAnnotations = [] }: PolicySpec, errors: Errors): void {
  if (validations.length + auditAnnotations.length === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item'
    return void errors.push(required('spec.validations', detail), required('spec.auditAnnotations', detail))
  }
  for (const [index, validation] of validations.entries()) checkValidation(validation, `spec.validations[${index}]`, errors)
  if (auditAnnotations.length > MAX_AUDIT_ANNOTATIONS) {
    const detail = `must not have more than ${MAX_AUDIT_ANNOTATIONS} auditAnnotations`
    errors.push(invalid('spec.auditAnnotations', auditAnnotations, detail))
  }
  const seen = new Set<string>()
  auditAnnotations.forEach(({ key, valueExpression }, index) => {
    const path = `spec.auditAnnotations[${index}]`
    for (const complaint of qualifiedName(`${policy}/${key}`)) errors.push(invalid(`${path}.key`, `${policy}/${key}`, complaint))
    const expression = valueExpression?.trim() ?? ''
    if (!expression) errors.push(required(`${path}.valueExpression`, 'valueExpression is not specified'))
    else if (Buffer.byteLength(expression) > MAX_AUDIT_EXPRESSION) {
      errors.push(required(`${path}.valueExpression`, `must not exceed ${MAX_AUDIT_EXPRESSION} bytes in length`))
    }
    if (seen.has(key)) errors.push(duplicate(`${path}.key`, key))
    seen.add(key)
  })
}

function checkValidation(validation: Validation, path: string, errors: Errors): void {
  const { expression, message, messageExpression, reason } = validation
  if (!expression?.trim()) errors.push(required(`${path}.expression`, 'expression is not specified'))
  if (messageExpression && !messageExpression.trim()) {
    errors.push(invalid(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified'))
  }
  if (message && !message.trim()) errors.push(invalid(`${path}.message`, message, 'message must be non-empty if specified'))
  else if (message && /[\n\r]/.test(message.trim())) {
    errors.push(invalid(`${path}.message`, message, 'message must not contain line breaks'))
  }
  if (reason !== undefined && !REASONS.includes(reason)) errors.push(notSupported(`${path}.reason`, reason, REASONS))
}

function checkMutations({ mutations = [], reinvocationPolicy }: PolicySpec, errors: Errors): void {
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'))
  for (const [index, mutation] of mutations.entries()) checkMutation(mutation, `spec.mutations[${index}]`, errors)
  oneOf(reinvocationPolicy, ['Never', 'IfNeeded'], 'spec.reinvocationPolicy', errors, true)
}

const PATCHES = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

function checkMutation(mutation: Mutation, path: string, errors: Errors): void {
  const { patchType } = mutation
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    oneOf(patchType, Object.keys(PATCHES), `${path}.patchType`, errors, true)
    return
  }
  const field = PATCHES[patchType]
  const other = patchType === 'JSONPatch' ? 'applyConfiguration' : 'jsonPatch'
  if (mutation[field]) requireText(mutation[field].expression?.trim(), `${path}.${field}.expression`, errors)
  else errors.push(required(`${path}.${field}`, `must be specified when patchType is ${patchType}`))
  if (mutation[other]) {
    errors.push(invalid(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`))
  }
}

/** What is deleted cannot be changed. */
function checkMutable({ resourceRules = [] }: MatchResources, path: string, errors: Errors): void {
  for (const operation of resourceRules.flatMap(({ operations = [] }) => operations)) {
    if (!MUTABLE.includes(operation)) errors.push(notSupported(`${path}.resourceRules.operations`, operation, MUTABLE))
  }
}

function checkMatch(match: MatchResources, path: string, errors: Errors): void {
  oneOf(match.matchPolicy, ['Equivalent', 'Exact'], `${path}.matchPolicy`, errors)
  checkSelector(match.namespaceSelector, `${path}.namespaceSelector`, errors)
  checkSelector(match.objectSelector, `${path}.objectSelector`, errors)
  for (const list of ['resourceRules', 'excludeResourceRules'] as const) {
    match[list]?.forEach((rule, index) => {
      checkRule(rule, `${path}.${list}[${index}]`, errors)
    })
  }
}

export function checkPolicyBinding({ spec = {} }: KubeObject, validating: boolean, errors: Errors): void {
  requireName(spec.policyName, dnsSubdomain, 'spec.policyName', errors)
  if (spec.paramRef) checkParamRef(spec.paramRef, errors)
  if (spec.matchResources) {
    checkMatch(spec.matchResources, 'spec.matchResources', errors)
    if (!validating) checkMutable(spec.matchResources, 'spec.matchResources', errors)
  }
  if (validating) checkActions(spec.validationActions ?? [], 'spec.validationActions', errors)
}

function checkActions(actions: string[], path: string, errors: Errors): void {
  actions.forEach((action, index) => {
    if (!ACTIONS.includes(action)) errors.push(notSupported(`${path}[${index}]`, action, ACTIONS))
    if (actions.indexOf(action) < index) errors.push(duplicate(`${path}[${index}]`, action))
  })
  if (actions.includes('Deny') && actions.includes('Warn')) errors.push(invalid(path, actions, BOTH))
  if (actions.length === 0) errors.push(required(path, 'at least one validation action is required'))
}

function checkParamRef({ name, selector, parameterNotFoundAction }: ParamRef, errors: Errors): void {
  const path = 'spec.paramRef'
  const both = 'name and selector are mutually exclusive'
  if (name) obey(name, pathSegment, `${path}.name`, errors)
  checkSelector(selector, `${path}.selector`, errors)
  if (name && selector) errors.push(forbidden(`${path}.name`, both), forbidden(`${path}.selector`, both))
  if (!name && !selector) errors.push(required(path, 'one of name or selector must be specified'))
  oneOf(parameterNotFoundAction, ['Deny', 'Allow'], `${path}.parameterNotFoundAction`, errors, true)
}

/** What a policy's status says about its expressions. */
export function checkPolicyStatus({ status = {} }: KubeObject, errors: Errors): void {
  const { conditions, typeChecking }: ValidatingAdmissionPolicyStatus = status
  typeChecking?.expressionWarnings?.forEach(({ warning, fieldRef }, index) => {
    const path = `status.typeChecking.expressionWarnings[${index}]`
    requireText(warning, `${path}.warning`, errors)
    requireText(fieldRef?.trim(), `${path}.fieldRef`, errors)
  })
  checkConditions(conditions, 'status.conditions', errors)
}
