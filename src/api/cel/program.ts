/** An expression ready to run: parsed, checked, compiled, and its cost estimated. */
import { check, type Environment } from './checker.ts'
import { estimateCost } from './cost.ts'
import { type Budget, compileExpr, type Frame } from './evaluator.ts'
import { parse } from './parser.ts'
import type { Type } from './types.ts'
import type { Value } from './values.ts'

export interface Program {
  readonly source: string
  readonly type: Type
  readonly cost: number
  /** Names that occur in it, as variables or otherwise. */
  readonly names: ReadonlySet<string>
  /** Throws EvaluationError, and OverBudget when `budget` (steps) does not suffice. */
  run(variables: Frame['variables'], budget: Budget): Value
}

/** Throws CompileError. */
export function compileProgram(source: string, environment: Environment): Program {
  const expr = parse(source)
  const checked = check(expr, source, environment)
  const evaluate = compileExpr(expr, checked, environment.functions, environment.variables)
  const names = new Set<string>()
  for (const part of checked.types.keys()) if (part.kind === 'ident') names.add(part.name)
  return {
    source,
    type: checked.type,
    cost: estimateCost(expr, checked),
    names,
    run: (variables, budget) => evaluate({ variables, budget }),
  }
}
