/** Macros: calls that are no calls, because their arguments name variables. */
import type { Expr, Macro } from './ast.ts'

type Call = Extract<Expr, { kind: 'call' }>
type Fail = (at: number, message: string) => never

/** By name and number of arguments: the loop's kind, and how many of the arguments are variables. */
const LOOPS: Record<string, { macro: Macro; variables: number; filters?: boolean }> = {
  'all/2': { macro: 'all', variables: 1 },
  'all/3': { macro: 'all', variables: 2 },
  'exists/2': { macro: 'exists', variables: 1 },
  'exists/3': { macro: 'exists', variables: 2 },
  'exists_one/2': { macro: 'exists_one', variables: 1 },
  'existsOne/2': { macro: 'exists_one', variables: 1 },
  'existsOne/3': { macro: 'exists_one', variables: 2 },
  'map/2': { macro: 'map', variables: 1 },
  'map/3': { macro: 'map', variables: 1, filters: true },
  'filter/2': { macro: 'filter', variables: 1 },
  'transformList/3': { macro: 'transformList', variables: 2 },
  'transformList/4': { macro: 'transformList', variables: 2, filters: true },
  'transformMap/3': { macro: 'transformMap', variables: 2 },
  'transformMap/4': { macro: 'transformMap', variables: 2, filters: true },
  'transformMapEntry/3': { macro: 'transformMapEntry', variables: 2 },
  'transformMapEntry/4': { macro: 'transformMapEntry', variables: 2, filters: true },
}

export function expandMacro(expr: Call, fail: Fail): Expr {
  const { name, target, args, at } = expr
  if (!target) return name === 'has' && args.length === 1 ? expandHas(args[0]!, at, fail) : expr
  if (name === 'bind' && target.kind === 'ident' && target.name === 'cel' && args.length === 3) return expandBind(args, at, fail)
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) return expandOptional(expr, target, fail)
  const loop = LOOPS[`${name}/${args.length}`]
  if (!loop) return expr
  const variables = args.slice(0, loop.variables).map((arg) => variableOf(arg, fail))
  const [first, second] = args.slice(loop.variables)
  const filter = loop.filters ? first : undefined
  const body = (loop.filters ? second : first)!
  return { kind: 'fold', at, macro: loop.macro, range: target, variables, filter, body }
}

function variableOf(arg: Expr, fail: Fail): string {
  return arg.kind === 'ident' ? arg.name : fail(arg.at, 'argument must be a simple name')
}

function expandHas(arg: Expr, at: number, fail: Fail): Expr {
  if (arg.kind !== 'select') return fail(arg.at, 'invalid argument to has() macro')
  return { ...arg, at, test: true }
}

function expandBind([variable, init, body]: readonly Expr[], at: number, fail: Fail): Expr {
  return {
    kind: 'fold',
    at,
    macro: 'bind',
    range: init!,
    variables: [variableOf(variable!, fail)],
    filter: undefined,
    body: body!,
  }
}

/** `x.optMap(v, e)`: `e` of the value, where there is one. */
function expandOptional({ name, args, at }: Call, target: Expr, fail: Fail): Expr {
  const call = (called: string, on: Expr | undefined, given: readonly Expr[] = []): Expr => ({
    kind: 'call',
    at,
    name: called,
    target: on,
    args: given,
  })
  const variables = [variableOf(args[0]!, fail)]
  const inner: Expr = {
    kind: 'fold',
    at,
    macro: 'bind',
    range: call('value', target),
    variables,
    filter: undefined,
    body: args[1]!,
  }
  const some = name === 'optMap' ? call('optional.of', undefined, [inner]) : inner
  return call('_?_:_', undefined, [call('hasValue', target), some, call('optional.none', undefined)])
}
