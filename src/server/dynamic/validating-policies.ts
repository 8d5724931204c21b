/** ValidatingAdmissionPolicy: what a binding's policy says of a request, and what the binding does about it: deny, warn, or note. */
import { Budget, OverBudget } from '../../api/cel/evaluator.ts'
import { EvaluationError } from '../../api/cel/values.ts'
import type { KubeObject } from '../../api/object.ts'
import type { StatusError } from '../../api/status.ts'
import type { AuditAnnotation, Validation } from '../../api/types.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { refused } from '../admission/refusal.ts'
import type { Environment } from './environment.ts'
import { type Application, applications, evaluateIn } from './policies.ts'

/** Steps that a policy may take for one request. */
const BUDGET = 10_000_000
const CODES: Record<string, number> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413, Invalid: 422 }
const FAILURE_ANNOTATION = 'validation.policy.admission.k8s.io/validation_failure'

interface Finding {
  readonly policy: KubeObject
  readonly binding: KubeObject
  readonly message: string
  readonly reason: string
  readonly index: number
}

/** Throws what the first binding that denies says. */
export function validateByPolicies(
  environment: Environment,
  policies: readonly KubeObject[],
  bindings: readonly KubeObject[],
  request: AdmissionRequest,
): void {
  const findings: Finding[] = []
  const failed = (policy: KubeObject, binding: KubeObject, message: string, index = 0) => {
    if (policy.spec?.failurePolicy !== 'Ignore') findings.push({ policy, binding, message, reason: 'Invalid', index })
  }
  for (const application of applications(environment, policies, bindings, request, failed)) {
    const budget = new Budget(BUDGET)
    for (const [index, validation] of ((application.policy.spec?.validations ?? []) as Validation[]).entries())
      findings.push(...judge(application, validation, index, budget, failed))
    for (const annotation of (application.policy.spec?.auditAnnotations ?? []) as AuditAnnotation[])
      annotate(application, annotation, request, budget, failed)
  }
  act(findings, request)
}

type Failed = (policy: KubeObject, binding: KubeObject, message: string, index?: number) => void

function judge(application: Application, validation: Validation, index: number, budget: Budget, failed: Failed): Finding[] {
  const { policy, binding } = application
  try {
    if (evaluateIn(application, validation.expression, budget) === true) return []
    const message = messageOf(application, validation, budget)
    return [{ policy, binding, message, reason: validation.reason ?? 'Invalid', index }]
  } catch (error) {
    if (!(error instanceof EvaluationError) && !(error instanceof OverBudget)) throw error
    failed(policy, binding, error.message, index)
    return []
  }
}

/** The expression's text, where it yields one; then the message; then the expression that failed. */
function messageOf(application: Application, { expression, message, messageExpression }: Validation, budget: Budget): string {
  const fallback = message?.trim() || `failed expression: ${expression.trim()}`
  if (!messageExpression) return fallback
  try {
    const text = evaluateIn(application, messageExpression, budget)
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text.trim() : fallback
  } catch (error) {
    if (error instanceof EvaluationError || error instanceof OverBudget) return fallback
    throw error
  }
}

function annotate(
  application: Application,
  annotation: AuditAnnotation,
  request: AdmissionRequest,
  budget: Budget,
  failed: Failed,
): void {
  const { policy, binding } = application
  try {
    const text = evaluateIn(application, annotation.valueExpression, budget)
    if (typeof text === 'string' && text.trim() !== '')
      request.annotate?.(`${policy.metadata.name}/${annotation.key}`, text.trim())
  } catch (error) {
    if (!(error instanceof EvaluationError) && !(error instanceof OverBudget)) throw error
    failed(policy, binding, error.message)
  }
}

function act(findings: readonly Finding[], request: AdmissionRequest): void {
  const does = ({ binding }: Finding, action: string) => ((binding.spec?.validationActions ?? []) as string[]).includes(action)
  for (const finding of findings) {
    const { policy, binding, message } = finding
    const names = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
    if (does(finding, 'Warn')) request.warn(`Validation failed for ${names}: ${message}`)
  }
  const audited = findings.filter((finding) => does(finding, 'Audit'))
  if (audited.length > 0) request.annotate?.(FAILURE_ANNOTATION, JSON.stringify(audited.map(audit)))
  const denied = findings.find((finding) => does(finding, 'Deny'))
  if (denied) throw denial(denied, request)
}

function audit({ policy, binding, message, index }: Finding): object {
  return {
    ...{ message, policy: policy.metadata.name, binding: binding.metadata.name, expressionIndex: index },
    validationActions: binding.spec?.validationActions,
  }
}

function denial({ policy, binding, message, reason }: Finding, request: AdmissionRequest): StatusError {
  const text = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`
  const error = refused(request, text)
  error.status.reason = reason
  error.status.code = CODES[reason] ?? 422
  error.status.details = { ...error.status.details, causes: [{ message: text }] }
  return error
}
