/**
 * Kubernetes' JSONPath templates: text, `{.path}`, `{range .items[*]}…{end}`, `{"\n"}`. Paths have fields (also quoted, also with
 * escaped dots), indexes, slices, unions, `*`, `..` and filters such as `?(@.type=="Ready")`. Missing fields yield nothing.
 */
import { evaluateSteps, type Step } from '../api/json-path.ts'
import { CommandError } from './io.ts'

export type TemplatePart =
  | { part: 'text'; text: string }
  | { part: 'path'; steps: Step[]; fromRoot: boolean }
  | { part: 'range'; steps: Step[]; body: TemplatePart[] }

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r' }

/** Throws CommandError. */
export function parseTemplate(template: string): TemplatePart[] {
  const root: TemplatePart[] = []
  const open: TemplatePart[][] = [root]
  // A bare path is a template of its own, as kubectl has it.
  const text = template.includes('{') ? template : `{${template}}`
  let at = 0
  while (at < text.length) {
    const brace = text.indexOf('{', at)
    const plain = text.slice(at, brace < 0 ? undefined : brace)
    if (plain) open.at(-1)!.push({ part: 'text', text: plain })
    if (brace < 0) break
    const end = closing(text, brace)
    addAction(text.slice(brace + 1, end).trim(), open)
    at = end + 1
  }
  if (open.length > 1) throw new CommandError('jsonpath: {range} without {end}')
  return root
}

function closing(text: string, from: number): number {
  let quote = ''
  for (let at = from; at < text.length; at++) {
    const letter = text[at]!
    if (quote) {
      if (letter === '\\') at++
      else if (letter === quote) quote = ''
    } else if (letter === '"' || letter === "'") quote = letter
    else if (letter === '}') return at
  }
  throw new CommandError(`jsonpath: unclosed action in ${JSON.stringify(text)}`)
}

function addAction(action: string, open: TemplatePart[][]): void {
  const current = open.at(-1)!
  if (action === 'end') {
    if (open.length === 1) throw new CommandError('jsonpath: {end} without {range}')
    open.pop()
  } else if (action.startsWith('range ')) {
    const range: TemplatePart = { part: 'range', steps: parsePath(action.slice(6).trim()), body: [] }
    current.push(range)
    open.push(range.body)
  } else if (action.startsWith('"') || action.startsWith("'")) {
    current.push({ part: 'text', text: unquote(action) })
  } else current.push({ part: 'path', steps: parsePath(action), fromRoot: action.startsWith('$') })
}

function unquote(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter)
}

export function renderTemplate(parts: readonly TemplatePart[], root: unknown, current: unknown = root): string {
  return parts
    .map((part) => {
      if (part.part === 'text') return part.text
      if (part.part === 'path')
        return evaluateSteps(part.steps, part.fromRoot ? root : current)
          .map(showValue)
          .join(' ')
      return evaluateSteps(part.steps, current)
        .map((item) => renderTemplate(part.body, root, item))
        .join('')
    })
    .join('')
}

export function showValue(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/** Every value that the path leads to. */
export function evaluatePath(path: string, value: unknown): unknown[] {
  return evaluateSteps(parsePath(path), value)
}

function parsePath(path: string): Step[] {
  const steps: Step[] = []
  let rest = path.replace(/^[$@]/, '')
  if (rest !== '' && !rest.startsWith('.') && !rest.startsWith('[')) rest = `.${rest}`
  while (rest !== '') {
    if (rest.startsWith('..')) {
      steps.push({ step: 'descend' })
      rest = rest[2] === '[' ? rest.slice(2) : rest.slice(1)
    } else if (rest.startsWith('[')) {
      const end = closingBracket(rest)
      steps.push(parseBracket(rest.slice(1, end).trim()))
      rest = rest.slice(end + 1)
    } else {
      const name = /^\.((?:\\.|[^.[\\])*)/.exec(rest)
      if (!name) throw new CommandError(`jsonpath: ${JSON.stringify(path)} is not understood at ${JSON.stringify(rest)}`)
      if (name[1] === '*') steps.push({ step: 'every' })
      else if (name[1]) steps.push({ step: 'field', name: name[1].replaceAll(/\\(.)/g, '$1') })
      rest = rest.slice(name[0].length)
    }
  }
  return steps
}

function closingBracket(text: string): number {
  let depth = 0
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!
    if (quote) {
      if (letter === quote) quote = ''
    } else if (letter === '"' || letter === "'") quote = letter
    else if (letter === '[') depth++
    else if (letter === ']' && --depth === 0) return at
  }
  throw new CommandError(`jsonpath: unclosed [ in ${JSON.stringify(text)}`)
}

function parseBracket(text: string): Step {
  if (text === '*') return { step: 'every' }
  if (text.startsWith('?(') && text.endsWith(')')) return parseFilter(text.slice(2, -1).trim())
  if (/^-?\d+(\s*,\s*-?\d+)*$/.test(text)) return { step: 'indexes', indexes: text.split(',').map(Number) }
  const slice = /^(-?\d+)?:(-?\d+)?(?::(\d+))?$/.exec(text)
  if (slice) {
    const [, from, to, by = '1'] = slice
    return {
      step: 'slice',
      from: from === undefined ? undefined : Number(from),
      to: to === undefined ? undefined : Number(to),
      by: Math.max(1, Number(by)),
    }
  }
  const names = [...text.matchAll(/\s*(?:'([^']*)'|"([^"]*)")\s*(?:,|$)/g)].map(([, single, double]) => single ?? double ?? '')
  if (names.length === 0) throw new CommandError(`jsonpath: [${text}] is not understood`)
  return { step: 'names', names }
}

function parseFilter(text: string): Step {
  const match = /^(@(?:\[[^\]]*\]|[^=!<>\s])*)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/.exec(text)
  if (!match) throw new CommandError(`jsonpath: the filter ${JSON.stringify(text)} is not understood`)
  const [, left = '', operator, right] = match
  return { step: 'filter', left: parsePath(left), operator, right: right === undefined ? undefined : parseOperand(right.trim()) }
}

function parseOperand(text: string): Step[] | { value: unknown } {
  if (text.startsWith('@')) return parsePath(text)
  if (/^(".*"|'.*')$/.test(text)) return { value: unquote(text) }
  if (text === 'true' || text === 'false') return { value: text === 'true' }
  if (text !== '' && Number.isFinite(Number(text))) return { value: Number(text) }
  throw new CommandError(`jsonpath: the value ${text} is not understood; put strings in quotes`)
}
