/**
 * Label and field selectors: the query syntax (`app=web,tier in (a,b),!old`), `metav1.LabelSelector`, matching and printing.
 * Messages of malformed selectors are Kubernetes' own (k8s.io/apimachinery `labels`, `fields`).
 */
import type { ResourceDefinition } from './definition.ts'
import { invalid, render } from './field-errors.ts'
import { labelValue, qualifiedName } from './names.ts'

export type Labels = Readonly<Record<string, string>>
export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  readonly values: readonly string[]
}

/** `metav1.LabelSelector`, as objects carry it. */
export interface LabelSelectorObject {
  matchLabels?: Record<string, string> | undefined
  matchExpressions?: { key: string; operator: string; values?: string[] | undefined }[] | undefined
}

/** A text that is no selector; the message is what the API server answers. */
export class SelectorError extends Error {
  override name = 'SelectorError'
}

/** A conjunction of requirements. No requirement at all matches everything. */
export class LabelSelector {
  readonly requirements: readonly LabelRequirement[]
  constructor(requirements: readonly LabelRequirement[]) {
    this.requirements = requirements
  }
  get isEverything(): boolean {
    return this.requirements.length === 0
  }
  matches(labels: Labels | undefined): boolean {
    for (const requirement of this.requirements) if (!meets(requirement, labels)) return false
    return true
  }
  /** In the query syntax, sorted by key. */
  toString(): string {
    return this.requirements.map(formatRequirement).join(',')
  }
}

/** What matches no object: the meaning of an absent `metav1.LabelSelector`. */
class NothingSelector extends LabelSelector {
  constructor() {
    super([])
  }
  override get isEverything(): boolean {
    return false
  }
  override matches(): boolean {
    return false
  }
}

export const everything = new LabelSelector([])
const nothing = new NothingSelector()

function meets(requirement: LabelRequirement, labels: Labels | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined
  switch (requirement.operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && requirement.values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !requirement.values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'gt':
    case 'lt':
      return compares(requirement, value)
  }
}

function compares(requirement: LabelRequirement, value: string | undefined): boolean {
  const limit = requirement.values[0]
  if (value === undefined || limit === undefined || !isInteger(value) || !isInteger(limit)) return false
  return requirement.operator === 'gt' ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit)
}

const isInteger = (text: string) => /^[+-]?[0-9]+$/.test(text)

function formatRequirement(requirement: LabelRequirement): string {
  const { key, operator } = requirement
  const values = [...requirement.values].sort().join(',')
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values})`
    case 'gt':
      return `${key}>${values}`
    case 'lt':
      return `${key}<${values}`
    default:
      return key + operator + values
  }
}

/** The query syntax. Throws SelectorError. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.trim() === '') return everything
  const requirements = new Parser(scan(text)).parse()
  requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return new LabelSelector(requirements)
}

/** A `metav1.LabelSelector`: absent matches nothing, empty everything. Throws SelectorError for an unknown operator. */
export function labelSelector(selector: LabelSelectorObject | undefined | null): LabelSelector {
  if (!selector) return nothing
  const requirements: LabelRequirement[] = []
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}))
    requirements.push({ key, operator: '=', values: [value] })
  for (const expression of selector.matchExpressions ?? []) {
    const operator = EXPRESSION_OPERATORS[expression.operator]
    if (!operator) throw new SelectorError(`${render(expression.operator)} is not a valid label selector operator`)
    requirements.push({ key: expression.key, operator, values: expression.values ?? [] })
  }
  requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return new LabelSelector(requirements)
}

const EXPRESSION_OPERATORS: Record<string, LabelOperator> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

/** A map of labels as Services and ReplicationControllers have it: all must be there. An empty map matches everything. */
export function setSelector(labels: Labels | undefined | null): LabelSelector {
  return labelSelector({ matchLabels: { ...labels } })
}

/** How tables print a `metav1.LabelSelector`: the query syntax, or `<none>`. */
export function formatLabelSelector(selector: LabelSelectorObject | undefined | null): string {
  try {
    return labelSelector(selector ?? {}).toString() || '<none>'
  } catch (error) {
    if (error instanceof SelectorError) return '<error>'
    throw error
  }
}

/** How tables print a map of labels: `a=b,c=d` by key, or `<none>`. */
export function formatLabels(labels: Labels | undefined | null): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.sort().join(',') || '<none>'
}

interface Token {
  readonly kind: 'identifier' | 'operator' | ',' | '(' | ')' | '!' | 'end' | 'error'
  readonly text: string
}

const TOKEN = /\s*(?:(!=|==|[=<>!,()])|([^\s=!(),<>]+))/y

function scan(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [, symbol, word] = match
    if (word !== undefined) tokens.push({ kind: word === 'in' || word === 'notin' ? 'operator' : 'identifier', text: word })
    else if (symbol === ',' || symbol === '(' || symbol === ')' || symbol === '!') tokens.push({ kind: symbol, text: symbol })
    else tokens.push({ kind: 'operator', text: symbol ?? '' })
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

const OPERATORS: Record<string, LabelOperator> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
}
const END: Token = { kind: 'end', text: '' }

/** Recursive descent over the tokens. `in` and `notin` are operators after a key, and ordinary words everywhere else. */
class Parser {
  private position = 0
  private readonly tokens: readonly Token[]
  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    for (;;) {
      const token = this.peek()
      if (token.kind === 'end') return requirements
      if (token.kind !== 'identifier' && token.kind !== '!')
        fail(`found '${token.text}', expected: !, identifier, or 'end of string'`)
      requirements.push(this.requirement())
      const next = this.take()
      if (next.kind === 'end') return requirements
      if (next.kind !== ',') fail(`found '${next.text}', expected: ',' or 'end of string'`)
      const after = this.peek()
      if (after.kind !== 'identifier' && after.kind !== '!') fail(`found '${after.text}', expected: identifier after ','`)
    }
  }

  private requirement(): LabelRequirement {
    try {
      const negated = this.peek().kind === '!'
      if (negated) this.take()
      const key = this.take()
      if (key.kind !== 'identifier') fail(`found '${key.text}', expected: identifier`)
      checkKey(key.text)
      const next = this.peek()
      if (negated) return { key: key.text, operator: '!', values: [] }
      if (next.kind === 'end' || next.kind === ',') return { key: key.text, operator: 'exists', values: [] }
      return this.comparison(key.text)
    } catch (error) {
      if (error instanceof SelectorError) fail(`unable to parse requirement: ${error.message}`)
      throw error
    }
  }

  private comparison(key: string): LabelRequirement {
    const token = this.tokens[this.position++] ?? END
    const operator = token.kind === 'operator' ? OPERATORS[token.text] : undefined
    if (!operator) fail(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`)
    const values = operator === 'in' || operator === 'notin' ? this.list() : [this.exact()]
    if ((operator === 'gt' || operator === 'lt') && !values.every(isInteger)) {
      fail(`values[0]: Invalid value: ${render(values[0])}: for 'Gt', 'Lt' operators, the value must be an integer`)
    }
    for (const [index, value] of values.entries()) checkValue(key, value, index)
    return { key, operator, values }
  }

  private exact(): string {
    const next = this.peek()
    if (next.kind === 'end' || next.kind === ',') return ''
    this.take()
    if (next.kind !== 'identifier') fail(`found '${next.text}', expected: identifier`)
    return next.text
  }

  private list(): string[] {
    const open = this.take()
    if (open.kind !== '(') fail(`found '${open.text}' expected: '('`)
    const first = this.peek()
    if (first.kind !== 'identifier' && first.kind !== ',' && first.kind !== ')') {
      fail(`found '${first.text}', expected: ',', ')' or identifier`)
    }
    const values = new Set<string>()
    let empty = true
    for (;;) {
      const token = this.take()
      if (token.kind === 'identifier') {
        if (!empty) fail(`found '${token.text}', expected: ',' or ')'`)
        values.add(token.text)
        empty = false
      } else if (token.kind === ',' || token.kind === ')') {
        if (empty) values.add('')
        empty = true
        if (token.kind === ')') return [...values].sort()
      } else fail(`found '${token.text}', expected: ',', or identifier`)
    }
  }

  /** The next token, with `in` and `notin` read as words. */
  private peek(): Token {
    const token = this.tokens[this.position] ?? END
    return token.text === 'in' || token.text === 'notin' ? { kind: 'identifier', text: token.text } : token
  }

  private take(): Token {
    const token = this.peek()
    this.position += 1
    return token
  }
}

function fail(message: string): never {
  throw new SelectorError(message)
}

function checkKey(key: string): void {
  const complaints = qualifiedName(key)
  if (complaints.length > 0) fail(`<nil>: ${invalid('', key, complaints.join('; ')).message}`)
}

function checkValue(key: string, value: string, index: number): void {
  const complaints = labelValue(value)
  if (complaints.length > 0) fail(`values[${index}][${key}]: ${invalid('', value, complaints.join('; ')).message}`)
}

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** `metadata.name=a,status.phase!=Running`. A backslash takes the meaning from `,`, `=` and itself. Throws SelectorError. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const requirements: FieldRequirement[] = []
  for (const term of splitTerms(text).sort()) {
    if (term === '') continue
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term)
    if (!match) fail(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, field = '', operator, value = ''] = match
    requirements.push({ field, operator: operator === '!=' ? '!=' : '=', value: withoutEscapes(value) })
  }
  return requirements
}

function splitTerms(text: string): string[] {
  return text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? []
}

function withoutEscapes(value: string): string {
  return value.replace(/\\(.?)|[,=]/gs, (whole, escaped?: string) => {
    if (escaped === undefined) fail(`invalid field selector: unescaped character in value: ${whole.charCodeAt(0)}`)
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=') fail(`invalid field selector: invalid escape sequence: ${whole}`)
    return escaped
  })
}

/** In the query syntax, escaped so that it parses back. */
export function formatFieldSelector(requirements: readonly FieldRequirement[]): string {
  return requirements.map((r) => `${r.field}${r.operator}${r.value.replace(/[\\,=]/g, '\\$&')}`).join(',')
}

/** Whether an object, read through `read`, meets all requirements. */
export function matchesFields(requirements: readonly FieldRequirement[], read: (field: string) => string): boolean {
  for (const { field, operator, value } of requirements) if ((read(field) === value) !== (operator === '=')) return false
  return true
}

/** What the API server says about a field that this kind cannot be selected by. */
export function unknownFieldMessage(definition: ResourceDefinition, field: string): string {
  if (definition.unknownField) return definition.unknownField(field)
  if (definition.selectableFields) return `field label not supported: ${field}`
  return `${render(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
}
