/** Finds the types of an expression's parts, and what does not fit together. Messages are those of cel-go's checker. */
import { CompileError, type Expr, type Fold, type Issue, UInt } from './ast.ts'
import type { Functions, Overload } from './functions.ts'
import {
  type Bindings,
  BOOL,
  DYN,
  ERROR,
  fits,
  INT,
  isDyn,
  listOf,
  mapOf,
  resolve,
  STRING,
  showType,
  simple,
  type Type,
} from './types.ts'

export interface Environment {
  readonly variables: ReadonlyMap<string, Type>
  readonly functions: Functions
  /** Types that may be written `Name{field: value}`; undefined for a name that is none. */
  readonly structs?: (name: string) => Type | undefined
}

export interface Checked {
  readonly type: Type
  readonly types: ReadonlyMap<Expr, Type>
  /** Which overloads a call may turn out to be. */
  readonly overloads: ReadonlyMap<Expr, readonly Overload[]>
}

/** Throws CompileError with everything that was found. */
export function check(expr: Expr, source: string, environment: Environment): Checked {
  const checker = new Checker(environment)
  const type = checker.check(expr, environment.variables)
  if (checker.issues.length > 0)
    throw new CompileError(
      source,
      checker.issues.sort((a, b) => a.at - b.at),
    )
  return { type, types: checker.types, overloads: checker.overloads }
}

type Scope = ReadonlyMap<string, Type>
const TYPE_NAMES = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type'])

class Checker {
  readonly issues: Issue[] = []
  readonly types = new Map<Expr, Type>()
  readonly overloads = new Map<Expr, readonly Overload[]>()
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  check(expr: Expr, scope: Scope): Type {
    const type = this.#typeOf(expr, scope)
    this.types.set(expr, type)
    return type
  }

  #report(at: number, message: string): Type {
    this.issues.push({ at, message })
    return ERROR
  }

  #typeOf(expr: Expr, scope: Scope): Type {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value)
      case 'ident':
        return this.#identifier(expr, scope)
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

  #identifier({ name, at }: Extract<Expr, { kind: 'ident' }>, scope: Scope): Type {
    const found = scope.get(name)
    if (found) return found
    if (TYPE_NAMES.has(name)) return { kind: 'type', of: DYN }
    return this.#report(at, `undeclared reference to '${name}' (in container '')`)
  }

  #select(expr: Extract<Expr, { kind: 'select' }>, scope: Scope): Type {
    const dotted = dottedVariable(expr, scope)
    if (dotted !== undefined) return scope.get(dotted)!
    const operand = this.check(expr.operand, scope)
    const wasOptional = operand.kind === 'optional'
    const field = this.#field(wasOptional ? operand.value : operand, expr)
    if (expr.test) return BOOL
    return expr.optional || wasOptional ? optional(field) : field
  }

  #field(type: Type, { field, at }: { field: string; at: number }): Type {
    if (isDyn(type)) return DYN
    if (type.kind === 'map') return type.value
    if (type.kind === 'object') {
      const found = type.fields.get(field)
      return found ?? (type.open ? DYN : this.#report(at, `undefined field '${field}'`))
    }
    return this.#report(at, `type '${showType(type)}' does not support field selection`)
  }

  #call(expr: Extract<Expr, { kind: 'call' }>, scope: Scope): Type {
    const { functions } = this.#environment
    const qualified = expr.target && scopedName(expr.target, expr.name, scope)
    const isScoped = qualified !== undefined && functions.has(qualified)
    const args = [...(expr.target && !isScoped ? [expr.target] : []), ...expr.args].map((arg) => {
      // What is put into a text may be of all sorts.
      if (expr.name !== 'format' || arg.kind !== 'list') return this.check(arg, scope)
      const type = this.#list(arg, scope, true)
      this.types.set(arg, type)
      return type
    })
    const isMember = expr.target !== undefined && !isScoped
    const name = isScoped ? qualified : expr.name
    const declared = functions.get(name)?.filter((one) => one.isMember === isMember) ?? []
    if (declared.length === 0) return this.#report(expr.at, `undeclared reference to '${name}' (in container '')`)
    return this.#resolve(expr, name, declared, args, isMember)
  }

  #resolve(expr: Expr, name: string, declared: readonly Overload[], args: readonly Type[], isMember: boolean): Type {
    const found: { overload: Overload; result: Type }[] = []
    for (const overload of declared) {
      const bindings: Bindings = new Map()
      if (overload.args.length !== args.length || !args.every((arg, index) => fits(overload.args[index]!, arg, bindings)))
        continue
      found.push({ overload, result: resolve(overload.result, bindings) })
    }
    const [first] = found
    if (!first) {
      if (args.some(({ kind }) => kind === 'error')) return ERROR
      const shown = args.map(showType)
      const applied = isMember ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`
      return this.#report(expr.at, `found no matching overload for '${name}' applied to '${applied}'`)
    }
    this.overloads.set(
      expr,
      found.map(({ overload }) => overload),
    )
    return found.every(({ result }) => showType(result) === showType(first.result)) ? first.result : DYN
  }

  #list({ items, optional: optionals }: Extract<Expr, { kind: 'list' }>, scope: Scope, mixed = false): Type {
    if (mixed) {
      for (const item of items) this.check(item, scope)
      return listOf(DYN, items.length)
    }
    let element: Type | undefined
    for (const [index, item] of items.entries()) {
      const given = this.check(item, scope)
      const type = optionals.includes(index) && given.kind === 'optional' ? given.value : given
      element = this.#join(element, type, item.at)
    }
    return listOf(element ?? DYN, items.length)
  }

  #map({ entries }: Extract<Expr, { kind: 'map' }>, scope: Scope): Type {
    let [key, value]: [Type | undefined, Type | undefined] = [undefined, undefined]
    for (const entry of entries) {
      key = this.#join(key, this.check(entry.key, scope), entry.key.at)
      const given = this.check(entry.value, scope)
      value = this.#join(value, entry.optional && given.kind === 'optional' ? given.value : given, entry.value.at)
    }
    return mapOf(key ?? DYN, value ?? DYN, entries.length)
  }

  /** The elements of a literal are of one type. */
  #join(before: Type | undefined, next: Type, at: number): Type {
    if (!before || before.kind === 'null') return next
    if (fits(before, next, new Map())) return isDyn(next) ? next : before
    return this.#report(at, `expected type '${showType(before)}' but found '${showType(next)}'`)
  }

  #struct({ name, fields, at }: Extract<Expr, { kind: 'struct' }>, scope: Scope): Type {
    const type = this.#environment.structs?.(name)
    const given = fields.map(({ value }) => this.check(value, scope))
    if (type?.kind !== 'object') return this.#report(at, `undeclared reference to '${name}' (in container '')`)
    for (const [index, field] of fields.entries()) {
      const wanted = type.fields.get(field.name) ?? (type.open ? DYN : this.#report(field.at, `undefined field '${field.name}'`))
      const own = given[index]!
      const actual = field.optional && own.kind === 'optional' ? own.value : own
      if (!fits(wanted, actual, new Map()))
        this.#report(
          field.at,
          `expected type of field '${field.name}' is '${showType(wanted)}' but provided type is '${showType(actual)}'`,
        )
    }
    return type
  }

  #fold(expr: Fold, scope: Scope): Type {
    const range = this.check(expr.range, scope)
    if (expr.macro === 'bind') {
      const value = range
      return this.check(expr.body, new Map([...scope, [expr.variables[0]!, value]]))
    }
    const [first, second] = this.#variablesOf(range, expr)
    const two = expr.variables.length === 2
    const inner = new Map(scope)
    inner.set(expr.variables[0]!, two ? first : range.kind === 'map' ? first : second)
    if (two) inner.set(expr.variables[1]!, second)
    if (expr.filter) this.#expectBool(this.check(expr.filter, inner), expr.filter)
    const body = this.check(expr.body, inner)
    const { max } = range
    switch (expr.macro) {
      case 'all':
      case 'exists':
      case 'exists_one':
        this.#expectBool(body, expr.body)
        return BOOL
      case 'filter':
        this.#expectBool(body, expr.body)
        return listOf(range.kind === 'map' ? first : second, max)
      case 'map':
      case 'transformList':
        return listOf(body, max)
      case 'transformMap':
        return mapOf(first, body, max)
      default:
        return body.kind === 'map' ? body : mapOf(DYN, DYN, max)
    }
  }

  /** The key (or index) and the value that a loop over this sees. */
  #variablesOf(range: Type, expr: Fold): [Type, Type] {
    if (isDyn(range)) return [DYN, DYN]
    if (range.kind === 'list') return [INT, range.element]
    if (range.kind === 'map') return [range.key, range.value]
    const why = `expression of type '${showType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`
    const type = this.#report(expr.range.at, why)
    return [type, type]
  }

  #expectBool(type: Type, { at }: Expr): void {
    if (isDyn(type) || type.kind === 'bool') return
    this.#report(at, `expected type 'bool' but found '${showType(type)}'`)
  }
}

const optional = (value: Type): Type => (value.kind === 'optional' ? value : { kind: 'optional', value })

/** The name of a variable whose name has a dot, `authorizer.requestResource`. */
export function dottedVariable(
  { operand, field, test }: Extract<Expr, { kind: 'select' }>,
  scope: { has(name: string): boolean },
): string | undefined {
  const name = !test && operand.kind === 'ident' ? `${operand.name}.${field}` : undefined
  return name !== undefined && scope.has(name) ? name : undefined
}

/** `math.greatest`, when `math` is no variable. */
export function scopedName(target: Expr, name: string, scope: ReadonlyMap<string, unknown>): string | undefined {
  return target.kind === 'ident' && !scope.has(target.name) ? `${target.name}.${name}` : undefined
}

function literalType(value: Extract<Expr, { kind: 'literal' }>['value']): Type {
  if (value === null) return simple('null')
  if (value instanceof UInt) return simple('uint')
  if (value instanceof Uint8Array) return { kind: 'bytes', max: value.length }
  if (typeof value === 'string') return { ...STRING, max: Buffer.byteLength(value) } as Type
  return simple(typeof value === 'bigint' ? 'int' : typeof value === 'number' ? 'double' : 'bool')
}
