/** Expressions of the Common Expression Language as trees. `at` is a position in the source: where messages point. */
export type Expr = { readonly at: number } & (
  | { readonly kind: 'literal'; readonly value: bigint | number | string | boolean | null | Uint8Array | UInt }
  | { readonly kind: 'ident'; readonly name: string }
  | {
      readonly kind: 'select'
      readonly operand: Expr
      readonly field: string
      readonly test: boolean
      readonly optional: boolean
    }
  | { readonly kind: 'call'; readonly name: string; readonly target: Expr | undefined; readonly args: readonly Expr[] }
  | { readonly kind: 'list'; readonly items: readonly Expr[]; readonly optional: readonly number[] }
  | { readonly kind: 'map'; readonly entries: readonly MapEntry[] }
  | { readonly kind: 'struct'; readonly name: string; readonly fields: readonly StructField[] }
  | Fold
)

/** An unsigned integer, which the language keeps apart from signed ones. */
export class UInt {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

export interface MapEntry {
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}

export interface StructField {
  readonly name: string
  readonly value: Expr
  readonly at: number
  readonly optional: boolean
}

/** What the macros over lists and maps become: one loop, with one or two variables. */
export interface Fold {
  readonly kind: 'fold'
  readonly macro: Macro
  readonly range: Expr
  readonly variables: readonly string[]
  /** What is kept, where the macro both selects and makes. */
  readonly filter: Expr | undefined
  readonly body: Expr
}

export type Macro =
  | 'all'
  | 'exists'
  | 'exists_one'
  | 'map'
  | 'filter'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry'
  | 'bind'

/** What is wrong with an expression, and where. */
export interface Issue {
  readonly at: number
  readonly message: string
}

/** An expression that does not parse or does not make sense. The message is laid out as cel-go does it. */
export class CompileError extends Error {
  override name = 'CompileError'
  constructor(source: string, issues: readonly Issue[]) {
    super(issues.map((issue) => layOut(source, issue)).join('\n'))
  }
}

/** `ERROR: <input>:1:5: why`, the line, and a caret below the place. */
function layOut(source: string, { at, message }: Issue): string {
  const before = source.slice(0, at)
  const line = before.split('\n').length
  const column = at - (before.lastIndexOf('\n') + 1)
  const text = source.split('\n')[line - 1] ?? ''
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${text.replaceAll('\t', ' ')}\n | ${'.'.repeat(column)}^`
}
