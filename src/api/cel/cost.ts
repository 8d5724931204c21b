/**
 * What an expression may cost at most, before anybody has seen a value: cel-go's estimate. Sizes come from the types (`max`), and a loop
 * costs its body as many times as its range may have elements.
 */
import type { Expr, Fold } from './ast.ts'
import type { Checked } from './checker.ts'
import type { Cost } from './functions.ts'
import type { Type } from './types.ts'

/** A character costs a tenth of a step. */
const PER_CHARACTER = 0.1
const PER_REGEX_CHARACTER = 0.25
/** The largest number that costs are counted to. */
export const UNBOUNDED = 2 ** 64

/** How long a number or a time is in words. */
const SCALAR_TEXT = 64

const LITERALS = { list: 10, map: 30, struct: 40 } as const

export function estimateCost(expr: Expr, { types, overloads }: Checked): number {
  const sizeOf = (one: Expr | undefined) => (one ? sizeOfExpr(one, types) : 1)

  const cost = (one: Expr): number => {
    switch (one.kind) {
      case 'literal':
        return 0
      case 'ident':
        return 1
      case 'select':
        return 1 + cost(one.operand)
      case 'list':
        return LITERALS.list + sum(one.items)
      case 'map':
        return LITERALS.map + one.entries.reduce((all, { key, value }) => all + cost(key) + cost(value), 0)
      case 'struct':
        return LITERALS.struct + one.fields.reduce((all, { value }) => all + cost(value), 0)
      case 'fold':
        return foldCost(one)
      case 'call':
        return callCost(one)
    }
  }
  const sum = (all: readonly Expr[]): number => all.reduce((total, one) => total + cost(one), 0)

  const foldCost = (fold: Fold): number => {
    if (fold.macro === 'bind') return cost(fold.range) + cost(fold.body)
    const body = cost(fold.body) + (fold.filter ? cost(fold.filter) : 0)
    const step = fold.macro === 'all' || fold.macro === 'exists' ? 3 : fold.macro === 'exists_one' ? 2 : LITERALS.list + 4
    return bounded(cost(fold.range) + sizeOf(fold.range) * (body + step) + 1)
  }

  const callCost = (call: Extract<Expr, { kind: 'call' }>): number => {
    const args = [...(call.target ? [call.target] : []), ...call.args]
    if (call.name === '_?_:_') return cost(args[0]!) + Math.max(cost(args[1]!), cost(args[2]!))
    if (call.name === '_&&_' || call.name === '_||_') return sum(args)
    const own = overloads.get(call)?.[0]
    const skipped = own && !own.isMember && call.target ? args.slice(1) : args
    return bounded(sum(skipped) + overloadCost(own?.cost ?? 'one', skipped, call.name, types))
  }
  return bounded(cost(expr))
}

function bounded(cost: number): number {
  return Math.min(cost, UNBOUNDED)
}

function overloadCost(kind: Cost, args: readonly Expr[], name: string, types: Checked['types']): number {
  const [a = 1, b = 1] = args.map((arg) => sizeOfExpr(arg, types))
  switch (kind) {
    case 'scan': {
      // A comparison ends with the shorter side; a prefix is as long as the prefix.
      if (name === '_==_' || name === '_!=_') return isSized(args[0], types) ? Math.ceil(Math.min(a, b) * PER_CHARACTER) : 1
      const scanned = name === 'startsWith' || name === 'endsWith' ? b : /^_[<>]/.test(name) ? Math.min(a, b) : a
      return Math.ceil(scanned * PER_CHARACTER)
    }
    case 'scanBoth':
      return Math.ceil((a + b) * PER_CHARACTER)
    case 'product':
      return Math.ceil(a * PER_CHARACTER) * Math.ceil(b * PER_CHARACTER)
    case 'regex':
      return Math.ceil((a + 1) * PER_CHARACTER) * Math.ceil(b * PER_REGEX_CHARACTER)
    case 'elements':
      return name === '@in' ? Math.max(1, b) : a
    case 'elementsSquared':
      return a * b
    default:
      return 1
  }
}

function isSized(expr: Expr | undefined, types: Checked['types']): boolean {
  const kind = expr && types.get(expr)?.kind
  return kind === 'string' || kind === 'bytes' || kind === 'list' || kind === 'map' || kind === 'dyn'
}

/** How large a value may be: its type says, or it is of no size at all. */
function sizeOfExpr(expr: Expr, types: Checked['types']): number {
  const type: Type | undefined = types.get(expr)
  if (!type) return 1
  if (type.max !== undefined) return type.max
  if (expr.kind === 'call') {
    const sizes = () => expr.args.map((arg) => sizeOfExpr(arg, types))
    if (expr.name === '_+_') return sizes().reduce((all, size) => all + size, 0)
    if (expr.name === 'string') return Math.max(SCALAR_TEXT, ...sizes())
    if (expr.name === '_?_:_') return Math.max(...sizes().slice(1))
  }
  return ['string', 'bytes', 'list', 'map', 'dyn'].includes(type.kind) ? UNBOUNDED : 1
}
