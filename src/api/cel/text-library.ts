/** Functions over text and lists, as Kubernetes adds them: strings, regular expressions, lists, sets, formatting. */

import { UInt } from './ast.ts'
import { type Overload, overload, scoped } from './functions.ts'
import { regexOf } from './regex.ts'
import { int } from './standard.ts'
import { durationText, timestampText } from './time.ts'
import { compare, Duration, EvaluationError, equals, isMap, Timestamp, typeNameOf, type Value } from './values.ts'

/** Positions count characters, not the halves that some of them are stored in. */
const characters = (text: string) => [...text]

function charAt(text: string, index: bigint): string {
  const all = characters(text)
  if (index < 0n || index > all.length) throw new EvaluationError(`index out of range: ${index}`)
  return all[Number(index)] ?? ''
}

function indexOf(text: string, part: string, from = 0n): bigint {
  const all = characters(text)
  if (from < 0n || from > all.length) throw new EvaluationError(`index out of range: ${from}`)
  const start = all.slice(0, Number(from)).join('').length
  const at = text.indexOf(part, start)
  return at < 0 ? -1n : BigInt(characters(text.slice(0, at)).length)
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const all = characters(text)
  if (from !== undefined && (from < 0n || from > all.length)) throw new EvaluationError(`index out of range: ${from}`)
  const at = text.lastIndexOf(part, from === undefined ? undefined : all.slice(0, Number(from)).join('').length)
  return at < 0 ? -1n : BigInt(characters(text.slice(0, at)).length)
}

function substring(text: string, from: bigint, to?: bigint): string {
  const all = characters(text)
  const end = to ?? BigInt(all.length)
  if (from < 0n || from > end || end > all.length)
    throw new EvaluationError(`index out of range: ${from > end || from < 0n ? from : end}`)
  return all.slice(Number(from), Number(end)).join('')
}

function replace(text: string, old: string, next: string, limit = -1n): string {
  if (limit < 0n) return text.replaceAll(old, () => next)
  let rest = text
  let done = ''
  for (let left = limit; left > 0n; left--) {
    const at = rest.indexOf(old)
    if (at < 0) break
    done += rest.slice(0, at) + next
    rest = rest.slice(at + old.length)
  }
  return done + rest
}

function split(text: string, separator: string, limit = -1n): Value[] {
  if (limit === 0n) return []
  const parts = text.split(separator)
  if (limit < 0n || parts.length <= limit) return parts
  const last = Number(limit) - 1
  return [...parts.slice(0, last), parts.slice(last).join(separator)]
}

const ascii = (text: string, change: (letters: string) => string) => text.replace(/[A-Za-z]+/g, change)

const QUOTES: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}
const quote = (text: string) => `"${[...text].map((letter) => QUOTES[letter] ?? letter).join('')}"`

function formatted(pattern: string, args: readonly Value[]): string {
  let next = 0
  return pattern.replace(/%(?:%|(?:\.(\d+))?([a-zA-Z]))/g, (all, precision: string | undefined, verb: string | undefined) => {
    if (all === '%%') return '%'
    const value = args[next++]
    if (value === undefined) throw new EvaluationError(`index ${next - 1} out of range`)
    return formatOne(value, verb ?? '', precision === undefined ? 6 : Number(precision))
  })
}

function formatOne(value: Value, verb: string, precision: number): string {
  const number = value instanceof UInt ? value.value : value
  switch (verb) {
    case 's':
      return textOf(value)
    case 'd':
      if (typeof number === 'bigint') return String(number)
      break
    case 'f':
      if (typeof number === 'number') return number.toFixed(precision)
      break
    case 'e':
      if (typeof number === 'number') return number.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2')
      break
    case 'b':
      if (typeof number === 'bigint') return number.toString(2)
      if (typeof number === 'boolean') return number ? '1' : '0'
      break
    case 'x':
    case 'X': {
      const hex =
        typeof number === 'bigint'
          ? number.toString(16)
          : typeof number === 'string'
            ? Buffer.from(number).toString('hex')
            : undefined
      if (hex !== undefined) return verb === 'X' ? hex.toUpperCase() : hex
      break
    }
    case 'o':
      if (typeof number === 'bigint') return number.toString(8)
      break
    default:
      throw new EvaluationError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
  throw new EvaluationError(`error during formatting: ${verb} clause cannot be used on ${typeNameOf(value)}`)
}

function textOf(value: Value): string {
  if (value === null) return 'null'
  if (value instanceof UInt) return String(value.value)
  if (value instanceof Timestamp) return timestampText(value)
  if (value instanceof Duration) return durationText(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(textOf).join(', ')}]`
  if (isMap(value))
    return `{${[...value]
      .map(([key, member]) => `${textOf(key)}: ${textOf(member)}`)
      .sort()
      .join(', ')}}`
  return String(value)
}

const strings: readonly Overload[] = [
  overload('string.charAt(int): string', charAt),
  overload('string.indexOf(string): int', indexOf, 'product'),
  overload('string.indexOf(string, int): int', indexOf, 'product'),
  overload('string.lastIndexOf(string): int', lastIndexOf, 'product'),
  overload('string.lastIndexOf(string, int): int', lastIndexOf, 'product'),
  overload('string.substring(int): string', substring, 'scan'),
  overload('string.substring(int, int): string', substring, 'scan'),
  overload('string.replace(string, string): string', replace, 'scan'),
  overload('string.replace(string, string, int): string', replace, 'scan'),
  overload('string.split(string): list<string>', split, 'scan'),
  overload('string.split(string, int): list<string>', split, 'scan'),
  overload('string.trim(): string', (text: string) => text.trim(), 'scan'),
  overload('string.lowerAscii(): string', (text: string) => ascii(text, (letters) => letters.toLowerCase()), 'scan'),
  overload('string.upperAscii(): string', (text: string) => ascii(text, (letters) => letters.toUpperCase()), 'scan'),
  overload('string.reverse(): string', (text: string) => characters(text).reverse().join(''), 'scan'),
  overload('string.format(list<dyn>): string', formatted, 'scan'),
  overload('list<string>.join(): string', (list: string[]) => list.join(''), 'elements'),
  overload('list<string>.join(string): string', (list: string[], separator: string) => list.join(separator), 'elements'),
  scoped('strings.quote(string): string', quote, 'scan'),
]

function findAll(text: string, pattern: string, limit = -1n): Value[] {
  const matcher = regexOf(pattern).matcher(text)
  const found: Value[] = []
  while ((limit < 0n || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '')
  return found
}

const regexes: readonly Overload[] = [
  overload(
    'string.find(string): string',
    (text: string, pattern: string) => (findAll(text, pattern, 1n)[0] ?? '') as string,
    'regex',
  ),
  overload('string.findAll(string): list<string>', findAll, 'regex'),
  overload('string.findAll(string, int): list<string>', findAll, 'regex'),
]

function extreme(list: readonly Value[], sign: number, name: string): Value {
  if (list.length === 0) throw new EvaluationError(`${name} called on empty list`)
  return list.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best))
}

function sumOf(list: readonly Value[]): Value {
  if (list[0] instanceof Duration) return new Duration((list as Duration[]).reduce((all, { nanos }) => all + nanos, 0n))
  if (list[0] instanceof UInt) return new UInt((list as UInt[]).reduce((all, { value }) => all + value, 0n))
  return typeof list[0] === 'number'
    ? (list as number[]).reduce((all, item) => all + item, 0)
    : int((list as bigint[]).reduce((all, item) => all + item, 0n))
}

const place = (list: readonly Value[], item: Value, find: 'findIndex' | 'findLastIndex') =>
  BigInt(
    find === 'findIndex'
      ? list.findIndex((one) => equals(one, item))
      : list.length - 1 - [...list].reverse().findIndex((one) => equals(one, item)),
  )
const isSorted = (list: readonly Value[]) => list.every((item, index) => index === 0 || compare(list[index - 1]!, item) <= 0)

const lists: readonly Overload[] = [
  ...['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'].flatMap((type) => [
    overload(`list<${type}>.isSorted(): bool`, isSorted, 'elements'),
    overload(`list<${type}>.min(): ${type}`, (list: Value[]) => extreme(list, -1, 'min'), 'elements'),
    overload(`list<${type}>.max(): ${type}`, (list: Value[]) => extreme(list, 1, 'max'), 'elements'),
  ]),
  ...['int', 'uint', 'double', 'duration'].map((type) => overload(`list<${type}>.sum(): ${type}`, sumOf, 'elements')),
  overload('list<A>.indexOf(A): int', (list: Value[], item: Value) => place(list, item, 'findIndex'), 'elements'),
  overload(
    'list<A>.lastIndexOf(A): int',
    (list: Value[], item: Value) => (list.some((one) => equals(one, item)) ? place(list, item, 'findLastIndex') : -1n),
    'elements',
  ),
]

const contains = (list: readonly Value[], other: readonly Value[]) => other.every((item) => list.some((one) => equals(one, item)))

const sets: readonly Overload[] = [
  scoped('sets.contains(list<A>, list<A>): bool', contains, 'elementsSquared'),
  scoped(
    'sets.equivalent(list<A>, list<A>): bool',
    (a: Value[], b: Value[]) => contains(a, b) && contains(b, a),
    'elementsSquared',
  ),
  scoped(
    'sets.intersects(list<A>, list<A>): bool',
    (a: Value[], b: Value[]) => b.some((item) => a.some((one) => equals(one, item))),
    'elementsSquared',
  ),
]

const escapeKey = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

export const textLibrary: readonly Overload[] = [
  ...[...strings, ...regexes, ...lists, ...sets],
  scoped('jsonpatch.escapeKey(string): string', escapeKey, 'scan'),
]
