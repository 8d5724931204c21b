/** Parses an expression: operators by precedence, and macros into loops. Syntax errors are worded as cel-go's parser words them. */
import { CompileError, type Expr, type MapEntry, type StructField, type UInt } from './ast.ts'
import { expandMacro } from './macros.ts'
import { type Token, tokenize } from './tokens.ts'

const OPERATORS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['<', '<=', '>', '>=', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
]
const OPERAND = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
const RESERVED = new Set([
  ...['as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace'],
  ...['return', 'var', 'void', 'while'],
])
const MAX_DEPTH = 250

/** Throws CompileError. */
export function parse(source: string): Expr {
  return new Parser(source).parse()
}

class Parser {
  readonly #source: string
  readonly #tokens: readonly Token[]
  #position = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
    this.#tokens = tokenize(source)
  }

  parse(): Expr {
    const expr = this.#expression()
    const left = this.#peek()
    if (left.type !== 'end') {
      const last = this.#tokens[this.#position + 1]?.type === 'end'
      this.#fail(left, `${last ? 'extraneous' : 'mismatched'} input '${left.text}' expecting <EOF>`)
    }
    return expr
  }

  #peek(): Token {
    return this.#tokens[this.#position]!
  }

  #take(): Token {
    const token = this.#peek()
    if (token.type !== 'end') this.#position += 1
    return token
  }

  #is(text: string): boolean {
    const token = this.#peek()
    return token.type !== 'string' && token.type !== 'end' && token.text === text
  }

  #accept(text: string): Token | undefined {
    return this.#is(text) ? this.#take() : undefined
  }

  #expect(text: string): Token {
    return this.#accept(text) ?? this.#fail(this.#peek(), `missing '${text}' at '${this.#peek().text}'`)
  }

  #fail({ at }: { at: number }, message: string): never {
    throw new CompileError(this.#source, [{ at, message: `Syntax error: ${message}` }])
  }

  #expression(): Expr {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH)
      throw new CompileError(this.#source, [{ at: 0, message: `expression recursion limit exceeded: ${MAX_DEPTH}` }])
    const condition = this.#binary(0)
    const question = this.#accept('?')
    let expr = condition
    if (question) {
      const yes = this.#binary(0)
      this.#expect(':')
      const no = this.#expression()
      expr = call('_?_:_', question.at, [condition, yes, no])
    }
    this.#depth -= 1
    return expr
  }

  #binary(level: number): Expr {
    const operators = OPERATORS[level]
    if (!operators) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const token = this.#peek()
      if (token.type === 'end' || token.type === 'string' || !operators.includes(token.text)) return left
      this.#take()
      const right = this.#binary(level + 1)
      left = call(token.text === 'in' ? '@in' : `_${token.text}_`, token.at, [left, right])
    }
  }

  #unary(): Expr {
    const token = this.#peek()
    if (!this.#is('!') && !this.#is('-')) return this.#member()
    this.#take()
    if (token.text === '-' && this.#peek().type === 'number') {
      const { value } = this.#peek()
      if (typeof value === 'bigint' || typeof value === 'number') {
        this.#take()
        return this.#suffixes({ kind: 'literal', at: token.at, value: -value })
      }
    }
    return call(`${token.text}_`, token.at, [this.#unary()])
  }

  #member(): Expr {
    return this.#suffixes(this.#primary())
  }

  #suffixes(start: Expr): Expr {
    let expr = start
    for (;;) {
      const token = this.#peek()
      if (this.#accept('.')) expr = this.#dotted(expr, token)
      else if (this.#accept('[')) {
        const optional = this.#accept('?') !== undefined
        const index = this.#expression()
        this.#expect(']')
        expr = call(optional ? '_[?_]' : '_[_]', token.at, [expr, index])
      } else if (this.#is('{') && typeName(expr) !== undefined) expr = this.#struct(typeName(expr)!)
      else return expr
    }
  }

  #dotted(operand: Expr, dot: Token): Expr {
    const optional = this.#accept('?') !== undefined
    const name = this.#take()
    if (name.type !== 'ident') {
      this.#fail(
        name,
        `${name.type === 'end' ? 'no viable alternative at input' : 'mismatched input'} '${name.type === 'end' ? '.' : name.text}'${name.type === 'end' ? '' : ' expecting IDENTIFIER'}`,
      )
    }
    const open = optional ? undefined : this.#accept('(')
    const field = name.text.replaceAll('`', '')
    if (!open) return { kind: 'select', at: dot.at, operand, field, test: false, optional }
    const args = this.#list(')').map(({ expr }) => expr)
    return this.#expand({ kind: 'call', at: open.at, name: field, target: operand, args })
  }

  #expand(expr: Extract<Expr, { kind: 'call' }>): Expr {
    return expandMacro(expr, (at, message) => {
      throw new CompileError(this.#source, [{ at, message }])
    })
  }

  #list(close: string): { expr: Expr; optional: boolean }[] {
    const items: { expr: Expr; optional: boolean }[] = []
    while (!this.#is(close)) {
      const optional = close === ']' && this.#accept('?') !== undefined
      items.push({ expr: this.#expression(), optional })
      if (!this.#accept(',')) break
      if (close === ')' && this.#is(close)) this.#fail(this.#peek(), `mismatched input ')' expecting ${OPERAND}`)
    }
    this.#expect(close)
    return items
  }

  #primary(): Expr {
    const token = this.#take()
    const { at, text } = token
    if (token.type === 'number' || token.type === 'string' || token.type === 'bytes')
      return { kind: 'literal', at, value: token.value as bigint | number | string | Uint8Array | UInt }
    if (token.type === 'ident') return this.#identifier(token)
    switch (text) {
      case '(': {
        const inner = this.#expression()
        this.#expect(')')
        return inner
      }
      case '[': {
        const items = this.#list(']')
        const optional = items.flatMap((item, index) => (item.optional ? [index] : []))
        return { kind: 'list', at, items: items.map(({ expr }) => expr), optional }
      }
      case '{':
        return { kind: 'map', at, entries: this.#entries() }
      case '.': {
        const name = this.#take()
        if (name.type === 'ident') return this.#identifier(name)
      }
    }
    const extra = token.type !== 'end' && this.#peek().type !== 'end'
    return this.#fail(token, `${extra ? 'extraneous' : 'mismatched'} input '${text}' expecting ${OPERAND}`)
  }

  #identifier({ text, at }: Token): Expr {
    if (text === 'true' || text === 'false') return { kind: 'literal', at, value: text === 'true' }
    if (text === 'null') return { kind: 'literal', at, value: null }
    if (text === 'in') this.#fail({ at }, `mismatched input 'in' expecting ${OPERAND}`)
    if (RESERVED.has(text)) throw new CompileError(this.#source, [{ at, message: `reserved identifier: ${text}` }])
    const open = this.#accept('(')
    if (!open) return { kind: 'ident', at, name: text }
    const args = this.#list(')').map(({ expr }) => expr)
    return this.#expand({ kind: 'call', at: open.at, name: text, target: undefined, args })
  }

  #entries(): MapEntry[] {
    const entries: MapEntry[] = []
    while (!this.#is('}')) {
      const optional = this.#accept('?') !== undefined
      const key = this.#expression()
      this.#expect(':')
      entries.push({ key, value: this.#expression(), optional })
      if (!this.#accept(',')) break
    }
    this.#expect('}')
    return entries
  }

  #struct(name: string): Expr {
    const { at } = this.#expect('{')
    const fields: StructField[] = []
    while (!this.#is('}')) {
      const optional = this.#accept('?') !== undefined
      const field = this.#take()
      if (field.type !== 'ident') this.#fail(field, `mismatched input '${field.text}' expecting IDENTIFIER`)
      const colon = this.#expect(':')
      fields.push({ name: field.text.replaceAll('`', ''), value: this.#expression(), at: colon.at, optional })
      if (!this.#accept(',')) break
    }
    this.#expect('}')
    return { kind: 'struct', at, name, fields }
  }
}

/** The dotted name that an expression is, when it is one that could be a type's. */
function typeName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test || expr.optional) return undefined
  const before = typeName(expr.operand)
  return before === undefined ? undefined : `${before}.${expr.field}`
}

function call(name: string, at: number, args: readonly Expr[]): Expr {
  return { kind: 'call', at, name, target: undefined, args }
}
