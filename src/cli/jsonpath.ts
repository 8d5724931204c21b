/**
 * Kubernetes' JSONPath templates: text, `{.path}`, `{range .items[*]}…{end}`, `{"\n"}`. What paths are is in `api/json-path-text.ts`.
 */
import { evaluateSteps, type Step } from '../api/json-path.ts'
import { PathError, parsePath, unquote } from '../api/json-path-text.ts'
import { CommandError } from './io.ts'

export type TemplatePart =
  | { part: 'text'; text: string }
  | { part: 'path'; steps: Step[]; fromRoot: boolean }
  | { part: 'range'; steps: Step[]; body: TemplatePart[] }

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
    const range: TemplatePart = { part: 'range', steps: stepsOf(action.slice(6).trim()), body: [] }
    current.push(range)
    open.push(range.body)
  } else if (action.startsWith('"') || action.startsWith("'")) {
    current.push({ part: 'text', text: unquote(action) })
  } else current.push({ part: 'path', steps: stepsOf(action), fromRoot: action.startsWith('$') })
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

/** A path as flags take it: with or without braces and the dot before it. */
export function relaxedPath(text: string): string {
  const bare = text.replace(/^\{|\}$/g, '')
  return bare.startsWith('.') || bare.startsWith('[') || bare.startsWith('$') ? bare : `.${bare}`
}

/** Every value that the path leads to. Throws CommandError. */
export function evaluatePath(path: string, value: unknown): unknown[] {
  return evaluateSteps(stepsOf(path), value)
}

function stepsOf(path: string): Step[] {
  try {
    return parsePath(path)
  } catch (error) {
    if (error instanceof PathError) throw new CommandError(`jsonpath: ${error.message}`)
    throw error
  }
}
