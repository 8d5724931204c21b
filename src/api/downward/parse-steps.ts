/** Reads the steps of a JSONPath, each with where it begins: fields, indexes, slices, unions, `*`, `..` and filters. */
import type { Step } from '../json-path.ts'
import type { PlacedStep } from './source.ts'
import type { TextReader } from './text-reader.ts'

const BRACKET = ["'NAME'", 'INDEX', 'FROM:TO', '*', '?(@.FIELD=="VALUE")']
const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'] as const

/** At least one step; an optional `$` or dot before the first. Throws FieldPathError. */
export function parseSteps(reader: TextReader): PlacedStep[] {
  reader.skipSpace()
  if (reader.take('$') && reader.next !== '.' && reader.next !== '[') throw reader.error('a field must follow $', ['.FIELD'])
  if (reader.next !== '.' && reader.next !== '[') {
    const { at } = reader
    const first: PlacedStep = { ...fieldStep(reader), at }
    return [first, ...furtherSteps(reader)]
  }
  return furtherSteps(reader)
}

function furtherSteps(reader: TextReader): PlacedStep[] {
  const steps: PlacedStep[] = []
  while (reader.next === '.' || reader.next === '[') {
    const { at } = reader
    if (reader.take('..')) {
      steps.push({ step: 'descend', at })
      if (reader.next !== '[') steps.push({ at: reader.at, ...fieldStep(reader) })
    } else if (reader.take('.')) steps.push({ at: at + 1, ...fieldStep(reader) })
    else {
      reader.take('[')
      steps.push({ at: at + 1, ...bracket(reader) })
    }
  }
  return steps
}

function fieldStep(reader: TextReader): Step {
  if (reader.take('*')) return { step: 'every' }
  const name = reader.match(/(?:\\.|[^\s.[\]|?(){}'"*,@$=!<>\\])+/y)
  if (!name) throw reader.error('a field name is missing', ['FIELD', '*'])
  return { step: 'field', name: name.replaceAll(/\\(.)/g, '$1') }
}

function bracket(reader: TextReader): Step {
  reader.skipSpace()
  const step = inBracket(reader)
  reader.skipSpace()
  if (!reader.take(']')) throw reader.error('the bracket is not closed', [']'])
  return step
}

function inBracket(reader: TextReader): Step {
  if (reader.take('*')) return { step: 'every' }
  if (reader.take('?')) return filter(reader)
  const name = reader.quoted()
  if (name !== undefined) return named(reader, name)
  const slice = reader.match(/-?\d*\s*:\s*-?\d*(?:\s*:\s*\d+)?/y)
  if (slice !== undefined) {
    const [from = '', to = '', by = ''] = slice.split(':').map((part) => part.trim())
    const bound = (part: string) => (part === '' ? undefined : Number(part))
    return { step: 'slice', from: bound(from), to: bound(to), by: Math.max(1, Number(by || '1')) }
  }
  const indexes = reader.match(/-?\d+(?:\s*,\s*-?\d+)*/y)
  if (indexes === undefined) throw reader.error('this is nothing that can stand in brackets', BRACKET)
  return { step: 'indexes', indexes: indexes.split(',').map(Number) }
}

function named(reader: TextReader, first: string): Step {
  const names = [first]
  for (reader.skipSpace(); reader.take(','); reader.skipSpace()) {
    reader.skipSpace()
    const name = reader.quoted()
    if (name === undefined) throw reader.error('a name in quotes is missing', ["'NAME'"])
    names.push(name)
  }
  return names.length === 1 ? { step: 'field', name: first } : { step: 'names', names }
}

function filter(reader: TextReader): Step {
  if (!reader.take('(')) throw reader.error('a filter stands in parentheses', ['(@.FIELD=="VALUE")'])
  reader.skipSpace()
  const left = relative(reader)
  if (!left) throw reader.error('a filter begins with a field of the element', ['@.FIELD'])
  reader.skipSpace()
  const operator = OPERATORS.find((known) => reader.take(known))
  let right: PlacedStep[] | { value: unknown } | undefined
  if (operator) {
    reader.skipSpace()
    right = relative(reader) ?? literal(reader)
    reader.skipSpace()
  }
  if (!reader.take(')')) throw reader.error('the filter is not understood', operator ? [')'] : [...OPERATORS, ')'])
  return { step: 'filter', left, operator, right }
}

function relative(reader: TextReader): PlacedStep[] | undefined {
  return reader.take('@') ? furtherSteps(reader) : undefined
}

function literal(reader: TextReader): { value: unknown } {
  const text = reader.quoted()
  if (text !== undefined) return { value: text }
  const number = reader.match(/-?\d+(?:\.\d+)?/y)
  if (number !== undefined) return { value: Number(number) }
  const word = reader.match(/true|false/y)
  if (word !== undefined) return { value: word === 'true' }
  throw reader.error('a value is missing', ['"TEXT"', 'NUMBER', 'true', 'false', '@.FIELD'])
}
