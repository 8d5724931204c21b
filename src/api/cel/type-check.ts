/**
 * The expressions of a ValidatingAdmissionPolicy against the types of what it is for. They compile without, so what is found here are
 * warnings: a field that no such object has, an operation that its type does not know.
 */
import { environmentOf, policyTypes } from './admission-types.ts'
import { CompileError } from './ast.ts'
import type { PolicySpec } from './policy-expressions.ts'
import { compileProgram } from './program.ts'
import { DYN, type Type } from './types.ts'

/** A kind that the policy is for. */
export interface CheckedKind {
  /** `apps/v1`, `v1`. */
  readonly apiVersion: string
  readonly kind: string
  readonly type: Type
}

export interface ExpressionWarning {
  readonly fieldRef: string
  readonly warning: string
}

/** `params`: the type of the parameters, when it is known. */
export function typeCheck(spec: PolicySpec, kinds: readonly CheckedKind[], params: Type | undefined): ExpressionWarning[] {
  const scopes = kinds.map((kind) => ({ kind, types: typesFor(spec, kind, params) }))
  const check = (fieldRef: string, expression: string | undefined): ExpressionWarning[] => {
    if (!expression) return []
    const found = scopes.flatMap(({ kind, types }) => {
      const issue = issueOf(expression, types)
      return issue === undefined ? [] : [`${titleOf(kind)}: ${issue}\n`]
    })
    return found.length > 0 ? [{ fieldRef, warning: found.join('\n') }] : []
  }
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, index) => [
    ...check(`spec.validations[${index}].expression`, expression),
    ...check(`spec.validations[${index}].messageExpression`, messageExpression),
  ])
}

/** As Kubernetes prints it: the core group is empty, and its slash stays. */
function titleOf({ apiVersion, kind }: CheckedKind): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`
}

/** What the expressions see, where the objects are of this kind. A variable that does not compile may be anything. */
function typesFor(spec: PolicySpec, { type }: CheckedKind, params: Type | undefined): ReadonlyMap<string, Type> {
  const variables = new Map<string, Type>()
  const known = [
    ...policyTypes(false, variables),
    ['object', type] as const,
    ['oldObject', type] as const,
    ...(params ? [['params', params] as const] : []),
  ]
  const types: ReadonlyMap<string, Type> = new Map(known)
  for (const { name, expression } of spec.variables ?? []) variables.set(name, compile(expression, types)?.type ?? DYN)
  return types
}

function compile(expression: string, types: ReadonlyMap<string, Type>): { type: Type } | undefined {
  try {
    return compileProgram(expression, environmentOf(types))
  } catch (error) {
    if (error instanceof CompileError) return undefined
    throw error
  }
}

function issueOf(expression: string, types: ReadonlyMap<string, Type>): string | undefined {
  try {
    compileProgram(expression, environmentOf(types))
    return undefined
  } catch (error) {
    if (error instanceof CompileError) return error.message
    throw error
  }
}
