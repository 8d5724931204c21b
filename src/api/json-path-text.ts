/**
 * Kubernetes' JSONPath as people write it: fields (also quoted, also with escaped dots), indexes, slices, unions, `*`, `..` and filters
 * such as `?(@.type=="Ready")`. Templates around paths are the command line's.
 */
import type { Step } from './json-path.ts'

/** A path that is not understood; the message says where. */
export class PathError extends Error {
  override name = 'PathError'
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r' }

/** What a quoted text stands for. */
export function unquote(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter)
}

/** Throws PathError. */
export function parsePath(path: string): Step[] {
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
      if (!name) throw new PathError(`${JSON.stringify(path)} is not understood at ${JSON.stringify(rest)}`)
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
  throw new PathError(`unclosed [ in ${JSON.stringify(text)}`)
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
  if (names.length === 0) throw new PathError(`[${text}] is not understood`)
  return { step: 'names', names }
}

function parseFilter(text: string): Step {
  const match = /^(@(?:\[[^\]]*\]|[^=!<>\s])*)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/.exec(text)
  if (!match) throw new PathError(`the filter ${JSON.stringify(text)} is not understood`)
  const [, left = '', operator, right] = match
  return { step: 'filter', left: parsePath(left), operator, right: right === undefined ? undefined : parseOperand(right.trim()) }
}

function parseOperand(text: string): Step[] | { value: unknown } {
  if (text.startsWith('@')) return parsePath(text)
  if (/^(".*"|'.*')$/.test(text)) return { value: unquote(text) }
  if (text === 'true' || text === 'false') return { value: text === 'true' }
  if (text !== '' && Number.isFinite(Number(text))) return { value: Number(text) }
  throw new PathError(`the value ${text} is not understood; put strings in quotes`)
}
