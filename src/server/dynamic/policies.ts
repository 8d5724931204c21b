/** What validating and mutating admission policies have in common: which bindings a request meets, with which parameters and variables. */
import { environmentOf, policyTypes } from '../../api/cel/admission-types.ts'
import type { Budget } from '../../api/cel/evaluator.ts'
import { compileProgram, type Program } from '../../api/cel/program.ts'
import type { Type } from '../../api/cel/types.ts'
import { EvaluationError, fromJson, type Value } from '../../api/cel/values.ts'
import { groupVersion, type ObjectKind, type ResourceDefinition } from '../../api/definition.ts'
import type { KubeObject } from '../../api/object.ts'
import { labelSelector } from '../../api/selectors.ts'
import type { MatchCondition, MatchResources, ParamKind, ParamRef, Variable } from '../../api/types.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { holdAll } from './conditions.ts'
import type { Environment } from './environment.ts'
import { type Match, matchRequest } from './matching.ts'
import { lazily, valuesOf } from './variables.ts'

interface PolicySpec {
  readonly paramKind?: ParamKind | undefined
  readonly matchConstraints?: MatchResources | undefined
  readonly matchConditions?: readonly MatchCondition[] | undefined
  readonly variables?: readonly Variable[] | undefined
  readonly failurePolicy?: string | undefined
}

/** A policy and a binding that are for a request, with one object of parameters. */
export interface Application {
  readonly policy: KubeObject
  readonly binding: KubeObject
  /** What the object is in the version that the policy matches. */
  readonly kind: ObjectKind
  readonly types: ReadonlyMap<string, Type>
  readonly values: Map<string, Value | (() => Value)>
}

/** What keeps a policy from being applied at all. */
export class Misconfigured extends Error {
  override name = 'Misconfigured'
}

/** `failed` decides what becomes of a policy that cannot be applied: it throws, or lets the request pass. */
export function* applications(
  environment: Environment,
  policies: readonly KubeObject[],
  bindings: readonly KubeObject[],
  request: AdmissionRequest,
  failed: (policy: KubeObject, binding: KubeObject, why: string) => void,
): Generator<Application> {
  for (const policy of policies) {
    const spec = (policy.spec ?? {}) as PolicySpec
    const own = bindings.filter((binding) => binding.spec?.policyName === policy.metadata.name)
    const matched =
      own.length > 0 && matchRequest(matchOf(spec.matchConstraints), request, environment.registry, environment.reader)
    if (!matched) continue
    for (const binding of own) {
      const narrowed = binding.spec?.matchResources as MatchResources | undefined
      if (narrowed && !matchRequest(narrowing(narrowed, spec), request, environment.registry, environment.reader)) continue
      const values = valuesOf(environment, request, matched)
      const held = holdAll(spec.matchConditions ?? [], policyTypes(spec.paramKind !== undefined, new Map()), values)
      if ('failed' in held) failed(policy, binding, held.failed)
      if (!('holds' in held) || !held.holds) continue
      try {
        for (const params of paramsOf(environment, spec, binding, request))
          yield { policy, binding, kind: matched.kind, ...withVariables(environment, spec, request, values, params) }
      } catch (error) {
        if (!(error instanceof Misconfigured)) throw error
        failed(policy, binding, error.message)
      }
    }
  }
}

function matchOf(resources: MatchResources | undefined): Match {
  const { namespaceSelector, objectSelector, matchPolicy, resourceRules, excludeResourceRules } = resources ?? {}
  return { namespaceSelector, objectSelector, matchPolicy, rules: resourceRules, excludeRules: excludeResourceRules }
}

/** A binding without rules of its own is for all that its policy is for. */
function narrowing(resources: MatchResources, spec: PolicySpec): Match {
  const match = matchOf(resources)
  return match.rules?.length ? match : { ...match, rules: spec.matchConstraints?.resourceRules }
}

/** The objects that a binding names as parameters; one undefined for a policy that takes none. Throws Misconfigured. */
function paramsOf(
  environment: Environment,
  spec: PolicySpec,
  binding: KubeObject,
  request: AdmissionRequest,
): (KubeObject | undefined)[] {
  const reference = binding.spec?.paramRef as ParamRef | undefined
  if (!spec.paramKind || !reference) return [undefined]
  const { apiVersion = '', kind = '' } = spec.paramKind
  const resource = environment.registry.lookupKind(apiVersion, kind)
  if (!resource)
    throw new Misconfigured(
      `failed to configure policy: failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`,
    )
  const { definition } = resource
  const namespace = definition.namespaced ? reference.namespace || request.namespace : ''
  if (definition.namespaced && namespace === '')
    throw new Misconfigured(
      'failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    )
  const found = readParams(environment, definition, reference, namespace)
  if (found.length > 0 || reference.parameterNotFoundAction === 'Allow') return found
  throw new Misconfigured('failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction')
}

function readParams(
  { reader }: Environment,
  definition: ResourceDefinition,
  reference: ParamRef,
  namespace: string,
): KubeObject[] {
  const { group, plural } = definition.storage ?? definition
  const shown = (stored: KubeObject) => ({
    ...(definition.fromStorage?.(stored) ?? stored),
    apiVersion: groupVersion(definition),
  })
  if (reference.name) {
    const found = reader.get(group, plural, namespace, reference.name)
    return found ? [shown(found)] : []
  }
  const selector = labelSelector(reference.selector ?? {})
  return reader
    .list(group, plural, namespace || undefined)
    .filter(({ metadata }) => selector.matches(metadata.labels))
    .map(shown)
}

interface Scope {
  readonly types: ReadonlyMap<string, Type>
  readonly values: Application['values']
}

/** The variables of the policy, each computed when it is first named, in terms of those before it. */
function withVariables(
  { reader }: Environment,
  spec: PolicySpec,
  request: AdmissionRequest,
  values: ReadonlyMap<string, () => Value>,
  params: KubeObject | undefined,
): Scope {
  const known = new Map<string, Type>()
  const variables = new LazyMap()
  const hasParams = spec.paramKind !== undefined
  const scope: Application['values'] = new Map<string, Value | (() => Value)>([
    ...values,
    ['namespaceObject', lazily(() => fromJson(reader.get('', 'namespaces', '', request.namespace)))],
    ['variables', variables],
    ...(hasParams ? ([['params', lazily(() => fromJson(params))]] as const) : []),
  ])
  for (const { name, expression } of spec.variables ?? []) {
    const program = programOf(expression, policyTypes(hasParams, new Map(known)))
    known.set(name, program.type)
    variables.define(name, (budget) => program.run(scope, budget))
  }
  return { types: policyTypes(hasParams, known), values: scope }
}

/** A map whose members are made when they are read. */
class LazyMap extends Map<Value, Value> {
  readonly #makers = new Map<string, (budget: Budget) => Value>()
  budget: Budget | undefined

  define(name: string, make: (budget: Budget) => Value): void {
    this.#makers.set(name, make)
  }

  override get(name: Value): Value | undefined {
    if (super.has(name)) return super.get(name)
    const make = this.#makers.get(String(name))
    if (!make || !this.budget) return undefined
    const value = make(this.budget)
    this.set(name, value)
    return value
  }
}

const REMEMBERED = 1_000
const programs = new Map<string, Program>()

function programOf(expression: string, types: ReadonlyMap<string, Type>): Program {
  const key = `${[...types.keys()].join()} ${JSON.stringify([...variableTypes(types)])} ${expression}`
  let program = programs.get(key)
  if (!program) {
    program = compileProgram(expression, environmentOf(types))
    if (programs.size >= REMEMBERED) programs.clear()
    programs.set(key, program)
  }
  return program
}

function variableTypes(types: ReadonlyMap<string, Type>): Iterable<[string, Type]> {
  const variables = types.get('variables')
  return variables?.kind === 'object' ? variables.fields : []
}

/** Evaluates one of the policy's expressions. Throws an EvaluationError worded for the one who is refused, or an OverBudget. */
export function evaluateIn({ types, values }: Application, expression: string, budget: Budget): Value {
  const variables = values.get('variables')
  if (variables instanceof LazyMap) variables.budget = budget
  try {
    return programOf(expression, types).run(values, budget)
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error
    throw new EvaluationError(`expression '${expression}' resulted in error: ${error.message}`, { cause: error })
  }
}
