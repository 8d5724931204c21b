/**
 * Turns a checked expression into functions of its variables. Every step is counted: an expression that takes more than its budget is
 * cut off. `&&`, `||` and the loops over them get over an error where the other side decides.
 */
import type { Expr, Fold } from './ast.ts'
import type { Checked } from './checker.ts'
import { dottedVariable, scopedName } from './checker.ts'
import type { Functions, Overload } from './functions.ts'
import type { Type } from './types.ts'
import {
  Duration,
  EvaluationError,
  isMap,
  keyOf,
  NONE,
  Opaque,
  Optional,
  Timestamp,
  TypeValue,
  typeNameOf,
  type Value,
} from './values.ts'

/** Variables by name, and how many steps are left. */
export interface Frame {
  readonly variables: ReadonlyMap<string, Value | (() => Value)>
  readonly budget: Budget
}

export class Budget {
  left: number
  constructor(steps: number) {
    this.left = steps
  }
  /** Throws an OverBudget. */
  spend(steps: number): void {
    this.left -= steps
    if (this.left < 0) throw new OverBudget('operation cancelled: actual cost limit exceeded')
  }
}

export class OverBudget extends Error {
  override name = 'OverBudget'
}

export type Evaluate = (frame: Frame) => Value

export function compileExpr(expr: Expr, checked: Checked, functions: Functions, declared: ReadonlyMap<string, Type>): Evaluate {
  return new Compiler(checked, functions).compile(expr, new Set(declared.keys()))
}

const TYPE_VALUES = new Map(
  ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type'].map((name) => [
    name,
    new TypeValue(name),
  ]),
)

class Compiler {
  readonly #checked: Checked
  readonly #functions: Functions

  constructor(checked: Checked, functions: Functions) {
    this.#checked = checked
    this.#functions = functions
  }

  compile(expr: Expr, scope: ReadonlySet<string>): Evaluate {
    switch (expr.kind) {
      case 'literal':
        return () => expr.value
      case 'ident':
        return identifier(expr.name)
      case 'select':
        return this.#select(expr, scope)
      case 'call':
        return this.#call(expr, scope)
      case 'list':
        return this.#list(expr, scope)
      case 'map':
        return this.#map(expr, scope)
      case 'struct':
        return this.#struct(expr, scope)
      case 'fold':
        return this.#fold(expr, scope)
    }
  }

  #select(expr: Extract<Expr, { kind: 'select' }>, scope: ReadonlySet<string>): Evaluate {
    const dotted = dottedVariable(expr, scope)
    if (dotted !== undefined) return identifier(dotted)
    const { operand, field, test, optional } = expr
    const of = this.compile(operand, scope)
    return (frame) => {
      const value = of(frame)
      frame.budget.spend(1)
      if (value instanceof Optional) {
        const inner = value.value === undefined ? undefined : memberOf(value.value, field)
        return test ? inner !== undefined : inner === undefined ? NONE : new Optional(inner)
      }
      const found = memberOf(value, field)
      if (test) return found !== undefined
      if (optional) return found === undefined ? NONE : new Optional(found)
      if (found === undefined) throw new EvaluationError(isMap(value) ? `no such key: ${field}` : 'no such overload')
      return found
    }
  }

  #call(expr: Extract<Expr, { kind: 'call' }>, scope: ReadonlySet<string>): Evaluate {
    const { name, target } = expr
    if (name === '_&&_' || name === '_||_') return this.#logical(expr, scope, name === '_||_')
    const qualified = target && scopedName(target, name, { has: (one: string) => scope.has(one) } as ReadonlyMap<string, unknown>)
    const isScoped = qualified !== undefined && this.#functions.has(qualified)
    const args = [...(target && !isScoped ? [target] : []), ...expr.args].map((arg) => this.compile(arg, scope))
    if (name === '_?_:_') {
      const [condition, yes, no] = args as [Evaluate, Evaluate, Evaluate]
      return (frame) => (condition(frame) === true ? yes(frame) : no(frame))
    }
    const overloads = this.#checked.overloads.get(expr) ?? []
    return (frame) => {
      const values = args.map((arg) => arg(frame))
      frame.budget.spend(1 + valueCost(overloads[0], values))
      return dispatch(overloads, values)
    }
  }

  /** The side that decides is enough, whatever becomes of the other. */
  #logical({ args }: Extract<Expr, { kind: 'call' }>, scope: ReadonlySet<string>, decisive: boolean): Evaluate {
    const [left, right] = args.map((arg) => this.compile(arg, scope)) as [Evaluate, Evaluate]
    return (frame) => {
      frame.budget.spend(1)
      let failure: unknown
      try {
        if (left(frame) === decisive) return decisive
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error
        failure = error
      }
      if (right(frame) === decisive) return decisive
      if (failure) throw failure
      return !decisive
    }
  }

  #list({ items, optional }: Extract<Expr, { kind: 'list' }>, scope: ReadonlySet<string>): Evaluate {
    const compiled = items.map((item) => this.compile(item, scope))
    return (frame) => {
      frame.budget.spend(10)
      return compiled.flatMap((item, index): Value[] => {
        const value = item(frame)
        if (!optional.includes(index) || !(value instanceof Optional)) return [value]
        return value.value === undefined ? [] : [value.value]
      })
    }
  }

  #map({ entries }: Extract<Expr, { kind: 'map' }>, scope: ReadonlySet<string>): Evaluate {
    const compiled = entries.map(
      ({ key, value, optional }) => [this.compile(key, scope), this.compile(value, scope), optional] as const,
    )
    return (frame) => {
      frame.budget.spend(30)
      const made = new Map<Value, Value>()
      for (const [key, value, optional] of compiled) put(made, keyOf(key(frame)), value(frame), optional)
      return made
    }
  }

  #struct({ fields }: Extract<Expr, { kind: 'struct' }>, scope: ReadonlySet<string>): Evaluate {
    const compiled = fields.map(({ name, value, optional }) => [name, this.compile(value, scope), optional] as const)
    return (frame) => {
      frame.budget.spend(40)
      const made = new Map<Value, Value>()
      for (const [name, value, optional] of compiled) put(made, name, value(frame), optional)
      return made
    }
  }

  #fold(fold: Fold, scope: ReadonlySet<string>): Evaluate {
    const range = this.compile(fold.range, scope)
    const inner = new Set([...scope, ...fold.variables])
    const body = this.compile(fold.body, inner)
    const filter = fold.filter && this.compile(fold.filter, inner)
    return (frame) => runFold(fold, range(frame), frame, body, filter)
  }
}

function identifier(name: string): Evaluate {
  return (frame) => {
    frame.budget.spend(1)
    const value = frame.variables.get(name)
    if (value === undefined) {
      const type = TYPE_VALUES.get(name)
      if (type) return type
      throw new EvaluationError(`no such attribute(s): ${name}`)
    }
    return typeof value === 'function' ? value() : value
  }
}

function put(map: Map<Value, Value>, key: Value, value: Value, optional: boolean): void {
  if (!optional || !(value instanceof Optional)) map.set(key, value)
  else if (value.value !== undefined) map.set(key, value.value)
}

/** A member of a map or an object; undefined when it is not there. */
function memberOf(value: Value, field: string): Value | undefined {
  if (isMap(value)) return value.get(field)
  throw new EvaluationError('no such overload')
}

/** The overload whose types the values have: the only one, or the first of several that takes them. */
function dispatch(overloads: readonly Overload[], values: readonly Value[]): Value {
  for (const overload of overloads)
    if (overload.args.every((type, index) => isOf(values[index]!, type))) return overload.run(values)
  throw new EvaluationError('no such overload')
}

function isOf(value: Value, type: Type): boolean {
  switch (type.kind) {
    case 'param':
    case 'dyn':
    case 'error':
      return true
    case 'list':
      return Array.isArray(value)
    case 'map':
    case 'object':
      return isMap(value)
    case 'optional':
      return value instanceof Optional
    case 'opaque':
      return value instanceof Opaque && value.type === type.name
    case 'type':
      return value instanceof TypeValue
    case 'timestamp':
      return value instanceof Timestamp
    case 'duration':
      return value instanceof Duration
    case 'null':
      return value === null
    default:
      return typeNameOf(value) === type.kind
  }
}

const sizeOf = (value: Value | undefined): number =>
  typeof value === 'string' || Array.isArray(value) ? (value as string).length : isMap(value) ? value.size : 1

function valueCost(overload: Overload | undefined, [a, b]: readonly Value[]): number {
  switch (overload?.cost) {
    case 'scan':
      return Math.ceil(sizeOf(a) / 10)
    case 'scanBoth':
      return Math.ceil((sizeOf(a) + sizeOf(b)) / 10)
    case 'product':
    case 'regex':
      return Math.ceil((sizeOf(a) / 10) * Math.max(1, sizeOf(b) / 10))
    case 'elements':
      return sizeOf(a)
    case 'elementsSquared':
      return sizeOf(a) ** 2
    default:
      return 0
  }
}

function pairsOf(range: Value, fold: Fold): (readonly [Value, Value])[] {
  const two = fold.variables.length === 2
  if (Array.isArray(range)) return (range as readonly Value[]).map((item, index) => (two ? [BigInt(index), item] : [item, item]))
  if (isMap(range)) return [...range].map(([key, value]) => (two ? [key, value] : [key, key]))
  throw new EvaluationError('no such overload')
}

function runFold(fold: Fold, range: Value, frame: Frame, body: Evaluate, filter: Evaluate | undefined): Value {
  const { macro, variables } = fold
  const [first, second] = variables
  const within = (a: Value, b: Value): Frame => ({
    variables: new Map([...frame.variables, [first!, a], ...(second === undefined ? [] : [[second, b] as const])]),
    budget: frame.budget,
  })
  if (macro === 'bind') return body(within(range, range))
  const pairs = pairsOf(range, fold)
  if (macro === 'all' || macro === 'exists') return decide(pairs, macro === 'exists', (a, b) => body(within(a, b)))
  const kept: Value[] = []
  const made = new Map<Value, Value>()
  let count = 0
  for (const [a, b] of pairs) {
    const inner = within(a, b)
    frame.budget.spend(2)
    if (filter && filter(inner) !== true) continue
    const value = body(inner)
    if (macro === 'exists_one') count += value === true ? 1 : 0
    else if (macro === 'filter') kept.push(...(value === true ? [a] : []))
    else if (macro === 'transformMap') made.set(a, value)
    else if (macro === 'transformMapEntry') for (const [key, member] of value as ReadonlyMap<Value, Value>) made.set(key, member)
    else kept.push(value)
  }
  if (macro === 'exists_one') return count === 1
  return macro === 'transformMap' || macro === 'transformMapEntry' ? made : kept
}

function decide(pairs: (readonly [Value, Value])[], decisive: boolean, test: (a: Value, b: Value) => Value): boolean {
  let failure: unknown
  for (const [a, b] of pairs) {
    try {
      if (test(a, b) === decisive) return decisive
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      failure = error
    }
  }
  if (failure) throw failure
  return !decisive
}
