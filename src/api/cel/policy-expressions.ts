/** Whether the expressions of webhook configurations and admission policies compile: what is wrong with them, in Kubernetes' words. */
import { type Errors, invalid } from '../field-errors.ts'
import type { AuditAnnotation, MatchCondition, Mutation, ParamKind, Validation, Variable } from '../types.ts'
import { CONDITION_TYPES, environmentOf, policyTypes } from './admission-types.ts'
import { CompileError } from './ast.ts'
import { compileProgram } from './program.ts'
import { DYN, type Type } from './types.ts'

export interface PolicySpec {
  readonly paramKind?: ParamKind | undefined
  readonly matchConditions?: readonly MatchCondition[] | undefined
  readonly variables?: readonly Variable[] | undefined
  readonly validations?: readonly Validation[] | undefined
  readonly auditAnnotations?: readonly AuditAnnotation[] | undefined
  readonly mutations?: readonly Mutation[] | undefined
}

/** Kinds of results, and the word for them. */
type Wanted = 'bool' | 'string' | 'list' | 'object' | undefined

export function checkPolicyExpressions(spec: PolicySpec, errors: Errors): void {
  const variables = new Map<string, Type>()
  const types = () => policyTypes(spec.paramKind !== undefined, variables)
  const check = (expression: string | undefined, path: string, wanted: Wanted): Type => {
    if (!expression?.trim()) return DYN
    return checkExpression(expression, types(), path, wanted, errors)
  }
  checkConditions(spec.matchConditions, types(), 'spec', errors)
  spec.variables?.forEach(({ name, expression }, index) => {
    variables.set(name, check(expression, `spec.variables[${index}].expression`, undefined))
  })
  spec.validations?.forEach(({ expression, messageExpression }, index) => {
    check(expression, `spec.validations[${index}].expression`, 'bool')
    check(messageExpression, `spec.validations[${index}].messageExpression`, 'string')
  })
  spec.auditAnnotations?.forEach(({ valueExpression }, index) => {
    // Null leaves the annotation out.
    check(valueExpression, `spec.auditAnnotations[${index}].valueExpression`, undefined)
  })
  spec.mutations?.forEach(({ applyConfiguration, jsonPatch }, index) => {
    check(applyConfiguration?.expression, `spec.mutations[${index}].applyConfiguration.expression`, 'object')
    check(jsonPatch?.expression, `spec.mutations[${index}].jsonPatch.expression`, 'list')
  })
}

export function checkConditions(
  conditions: readonly MatchCondition[] | undefined,
  types: ReadonlyMap<string, Type> = CONDITION_TYPES,
  place: string,
  errors: Errors,
): void {
  conditions?.forEach(({ expression }, index) => {
    if (expression?.trim()) checkExpression(expression, types, `${place}.matchConditions[${index}].expression`, 'bool', errors)
  })
}

function checkExpression(
  expression: string,
  types: ReadonlyMap<string, Type>,
  path: string,
  wanted: Wanted,
  errors: Errors,
): Type {
  try {
    const { type } = compileProgram(expression, environmentOf(types))
    if (wanted !== undefined && type.kind !== wanted && type.kind !== 'dyn')
      errors.push(invalid(path, expression, `must evaluate to ${wanted}`))
    return type
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    errors.push(invalid(path, expression, `compilation failed: ${error.message}`))
    return DYN
  }
}
