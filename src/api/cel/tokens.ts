/** Cuts an expression into tokens. */
import { CompileError, UInt } from './ast.ts'

export interface Token {
  readonly type: 'number' | 'string' | 'bytes' | 'ident' | 'symbol' | 'end'
  readonly text: string
  readonly at: number
  readonly value?: bigint | number | string | Uint8Array | UInt
}

const SPACE = /(?:[ \t\r\n\f]+|\/\/[^\n]*)*/y
const NUMBER = /0x[0-9a-fA-F]+u?|\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?/y
const IDENT = /[_a-zA-Z][_a-zA-Z0-9]*/y
const ESCAPED_IDENT = /`[a-zA-Z0-9_.\-/ ]+`/y
const TEXT = /([rR]?[bB]?|[bB][rR])("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*')/y
const RAW_TEXT = /([rR][bB]?|[bB][rR])("""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n\r]*"|'[^'\n\r]*')/y
const SYMBOL = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/y
const MAX_INT = 2n ** 63n - 1n

/** Throws CompileError. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(source)
  }
  for (;;) {
    at += match(SPACE)?.[0].length ?? 0
    if (at >= source.length) break
    const token = next(source, at, match)
    tokens.push(token)
    at += token.text.length
  }
  return [...tokens, { type: 'end', text: '<EOF>', at: source.length }]
}

function next(source: string, at: number, match: (pattern: RegExp) => RegExpExecArray | null): Token {
  const text = match(RAW_TEXT) ?? match(TEXT)
  if (text) return textToken(source, at, text[0], (text[1] ?? '').toLowerCase(), text[2] ?? '')
  const number = match(NUMBER)
  if (number) return { type: 'number', text: number[0], at, value: numberOf(source, at, number[0]) }
  const ident = match(IDENT)
  if (ident) return { type: 'ident', text: ident[0], at }
  const escaped = match(ESCAPED_IDENT)
  if (escaped) return { type: 'ident', text: escaped[0], at }
  const symbol = match(SYMBOL)
  if (symbol) return { type: 'symbol', text: symbol[0], at }
  throw new CompileError(source, [{ at, message: `Syntax error: token recognition error at: '${source[at]}'` }])
}

function numberOf(source: string, at: number, text: string): bigint | number | UInt {
  if (/[.eE]/.test(text) && !text.startsWith('0x')) return Number(text)
  const unsigned = /u$/i.test(text)
  const value = BigInt(unsigned ? text.slice(0, -1) : text)
  // The smallest integer is written as the negation of one too large.
  if (!unsigned && value > MAX_INT + 1n) throw new CompileError(source, [{ at, message: 'Syntax error: invalid int literal' }])
  return unsigned ? new UInt(value) : value
}

function textToken(source: string, at: number, text: string, prefix: string, quoted: string): Token {
  const width = /^("""|''')/.test(quoted) ? 3 : 1
  const inner = quoted.slice(width, -width)
  const value = prefix.includes('r') ? inner : unescapeText(source, at, inner)
  if (!prefix.includes('b')) return { type: 'string', text, at, value }
  return { type: 'bytes', text, at, value: new Uint8Array(Buffer.from(value)) }
}

const SIMPLE: Record<string, string> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '?': '?', '"': '"', "'": "'", '`': '`' },
}

function unescapeText(source: string, at: number, text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|[\s\S])/gi, (_, code: string) => {
    const simple = SIMPLE[code]
    if (simple !== undefined) return simple
    if (code.length > 1)
      return String.fromCodePoint(/^[0-3]/.test(code) ? Number.parseInt(code, 8) : Number.parseInt(code.slice(1), 16))
    throw new CompileError(source, [{ at, message: `Syntax error: token recognition error at: '\\${code}'` }])
  })
}
