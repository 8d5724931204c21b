/** MutatingAdmissionPolicy: configurations that are applied to the object, and JSON patches, both made by expressions. */
import { Budget, OverBudget } from '../../api/cel/evaluator.ts'
import { EvaluationError, fromJson, toJson } from '../../api/cel/values.ts'
import type { KubeObject } from '../../api/object.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { DecodeError } from '../../api/schema/decode.ts'
import type { StructSchema } from '../../api/schema/schema.ts'
import { StatusError } from '../../api/status.ts'
import type { Mutation } from '../../api/types.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { refused } from '../admission/refusal.ts'
import { findConfigurationError } from '../apply/check.ts'
import { mergeConfiguration } from '../fields/merge.ts'
import { copyJson, equalJson } from '../objects/json.ts'
import { applyJsonPatch } from '../patch/json-patch.ts'
import type { Environment } from './environment.ts'
import { inVersion } from './matching.ts'
import { type Application, applications, evaluateIn } from './policies.ts'
import { decoded, replaceContent } from './replace.ts'
import { lazily } from './variables.ts'

const BUDGET = 10_000_000

/** What was applied in the first pass and wants to be again when the object changed after it. */
const asked = new WeakMap<AdmissionRequest, Set<string>>()

/** Each policy sees what the one before made. Throws a 403 for one that fails and may not. */
export function mutateByPolicies(
  environment: Environment,
  policies: readonly KubeObject[],
  bindings: readonly KubeObject[],
  request: AdmissionRequest,
): void {
  const before = asked.get(request) ?? new Set<string>()
  asked.set(request, before)
  for (const policy of policies) {
    const name = policy.metadata.name ?? ''
    if (request.again && !before.has(name)) continue
    let changed = false
    for (const application of applications(environment, [policy], bindings, request, failing(request)))
      changed = applyAll(application, request) || changed
    if (policy.spec?.reinvocationPolicy === 'IfNeeded') before.add(name)
    if (changed && !request.again) request.askAgain?.()
  }
}

function failing(request: AdmissionRequest): (policy: KubeObject, binding: KubeObject, why: string) => void {
  return (policy, binding, why) => {
    if (policy.spec?.failurePolicy === 'Ignore') return
    throw refused(request, `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${why}`)
  }
}

/** Whether the object is another one afterwards. */
function applyAll(application: Application, request: AdmissionRequest): boolean {
  const { policy, binding } = application
  const budget = new Budget(BUDGET)
  let changed = false
  for (const mutation of (policy.spec?.mutations ?? []) as Mutation[]) {
    try {
      changed = applyOne(application, mutation, request, budget) || changed
    } catch (error) {
      const known = [EvaluationError, OverBudget, DecodeError, StatusError].some((type) => error instanceof type)
      if (!known) throw error
      failing(request)(policy, binding, (error as Error).message)
    }
  }
  return changed
}

function applyOne(application: Application, mutation: Mutation, request: AdmissionRequest, budget: Budget): boolean {
  const { kind, values } = application
  const { object } = request
  if (!object) return false
  const live = copyJson(inVersion(object, request.kind, kind))
  const expression = mutation.applyConfiguration?.expression ?? mutation.jsonPatch?.expression ?? ''
  const made = toJson(evaluateIn(application, expression, budget))
  const next = mutation.patchType === 'JSONPatch' ? patched(live, made) : merged(live, made, kind.schema)
  const result = inVersion(decoded(kind, next), kind, request.kind)
  if (equalJson(result, object)) return false
  replaceContent(object, result)
  // What comes next sees the object as it is now.
  const fresh = copyJson(inVersion(object, request.kind, kind))
  values.set(
    'object',
    lazily(() => fromJson(fresh)),
  )
  return true
}

function patched(live: KubeObject, operations: unknown): KubeObject {
  const list = Array.isArray(operations) ? operations : []
  applyJsonPatch(
    live,
    list.map(({ op, path, from, value }) => ({
      op,
      path,
      ...(from !== undefined && { from }),
      ...(value !== undefined && { value }),
    })),
  )
  return live
}

function merged(live: KubeObject, configuration: unknown, schema: string | object): KubeObject {
  const compiled = typeof schema === 'string' ? builtinSchema(schema) : (schema as StructSchema)
  const { kind, apiVersion } = live
  const whole = { ...(configuration as object), kind, apiVersion }
  const problem = findConfigurationError(compiled, whole)
  if (problem !== undefined) throw new DecodeError(`invalid ApplyConfiguration: ${problem}`)
  return mergeConfiguration(compiled, live, whole) as KubeObject
}
