/** Match conditions: a request is for a webhook or a policy only when all of them hold. */
import { environmentOf } from '../../api/cel/admission-types.ts'
import { CompileError } from '../../api/cel/ast.ts'
import { Budget, OverBudget } from '../../api/cel/evaluator.ts'
import { compileProgram, type Program } from '../../api/cel/program.ts'
import type { Type } from '../../api/cel/types.ts'
import { EvaluationError, type Value } from '../../api/cel/values.ts'
import type { MatchCondition } from '../../api/types.ts'

/** Steps that the conditions of one webhook or policy may take. */
const BUDGET = 2_500_000

/** Condition and program by the list they are of, which the stored object shares. */
const compiled = new WeakMap<readonly MatchCondition[], readonly Program[]>()

export type Held = { readonly holds: boolean } | { readonly failed: string }

/** One that is false decides, whatever becomes of the others; otherwise one that fails does. */
export function holdAll(
  conditions: readonly MatchCondition[],
  types: ReadonlyMap<string, Type>,
  values: Map<string, () => Value>,
): Held {
  const failures: string[] = []
  const budget = new Budget(BUDGET)
  try {
    let programs = compiled.get(conditions)
    if (!programs) {
      programs = conditions.map(({ expression }) => compileProgram(expression, environmentOf(types)))
      compiled.set(conditions, programs)
    }
    for (const [index, program] of programs.entries()) {
      try {
        if (program.run(values, budget) !== true) return { holds: false }
      } catch (error) {
        if (!(error instanceof EvaluationError) && !(error instanceof OverBudget)) throw error
        failures.push(`expression '${conditions[index]!.expression}' resulted in error: ${error.message}`)
      }
    }
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    failures.push(error.message)
  }
  return failures.length > 0 ? { failed: failures.length === 1 ? failures[0]! : `[${failures.join(', ')}]` } : { holds: true }
}
