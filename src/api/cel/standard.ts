/** The functions and operators that every expression has. */
import { UInt } from './ast.ts'
import { type Overload, overload, scoped } from './functions.ts'
import { matches } from './regex.ts'
import { durationText, parseDuration, parseTimestamp, timeFunctions, timestampText } from './time.ts'
import {
  compare,
  Duration,
  EvaluationError,
  equals,
  has,
  isMap,
  keyOf,
  NONE,
  Optional,
  Timestamp,
  TypeValue,
  typeNameOf,
  type Value,
} from './values.ts'

const MIN_INT = -(2n ** 63n)
const MAX_INT = 2n ** 63n - 1n
const MAX_UINT = 2n ** 64n - 1n

export function int(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw new EvaluationError('integer overflow')
  return value
}

function uint(value: bigint): UInt {
  if (value < 0n || value > MAX_UINT) throw new EvaluationError('unsigned integer overflow')
  return new UInt(value)
}

function nonZero(value: bigint, what: string): bigint {
  if (value === 0n) throw new EvaluationError(what)
  return value
}

const arithmetic: Overload[] = [
  overload('_+_(int, int): int', (a: bigint, b: bigint) => int(a + b)),
  overload('_-_(int, int): int', (a: bigint, b: bigint) => int(a - b)),
  overload('_*_(int, int): int', (a: bigint, b: bigint) => int(a * b)),
  overload('_/_(int, int): int', (a: bigint, b: bigint) => int(a / nonZero(b, 'division by zero'))),
  overload('_%_(int, int): int', (a: bigint, b: bigint) => int(a % nonZero(b, 'modulus by zero'))),
  overload('-_(int): int', (a: bigint) => int(-a)),
  overload('_+_(uint, uint): uint', (a: UInt, b: UInt) => uint(a.value + b.value)),
  overload('_-_(uint, uint): uint', (a: UInt, b: UInt) => uint(a.value - b.value)),
  overload('_*_(uint, uint): uint', (a: UInt, b: UInt) => uint(a.value * b.value)),
  overload('_/_(uint, uint): uint', (a: UInt, b: UInt) => uint(a.value / nonZero(b.value, 'division by zero'))),
  overload('_%_(uint, uint): uint', (a: UInt, b: UInt) => uint(a.value % nonZero(b.value, 'modulus by zero'))),
  overload('_+_(double, double): double', (a: number, b: number) => a + b),
  overload('_-_(double, double): double', (a: number, b: number) => a - b),
  overload('_*_(double, double): double', (a: number, b: number) => a * b),
  overload('_/_(double, double): double', (a: number, b: number) => a / b),
  overload('-_(double): double', (a: number) => -a),
  overload('_+_(string, string): string', (a: string, b: string) => a + b, 'scanBoth'),
  overload('_+_(bytes, bytes): bytes', (a: Uint8Array, b: Uint8Array) => new Uint8Array([...a, ...b]), 'scanBoth'),
  overload('_+_(list<A>, list<A>): list<A>', (a: Value[], b: Value[]) => [...a, ...b]),
  overload('_+_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => new Timestamp(a.nanos + b.nanos)),
  overload('_+_(duration, timestamp): timestamp', (a: Duration, b: Timestamp) => new Timestamp(a.nanos + b.nanos)),
  overload('_+_(duration, duration): duration', (a: Duration, b: Duration) => new Duration(a.nanos + b.nanos)),
  overload('_-_(timestamp, timestamp): duration', (a: Timestamp, b: Timestamp) => new Duration(a.nanos - b.nanos)),
  overload('_-_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => new Timestamp(a.nanos - b.nanos)),
  overload('_-_(duration, duration): duration', (a: Duration, b: Duration) => new Duration(a.nanos - b.nanos)),
]

const ORDERED = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration']
const MIXED = [
  ...[
    ['int', 'uint'],
    ['int', 'double'],
    ['uint', 'int'],
    ['uint', 'double'],
    ['double', 'int'],
    ['double', 'uint'],
  ],
]
const RELATIONS: readonly [string, (order: number) => boolean][] = [
  ['_<_', (order) => order < 0],
  ['_<=_', (order) => order <= 0],
  ['_>_', (order) => order > 0],
  ['_>=_', (order) => order >= 0],
]

const relations: Overload[] = RELATIONS.flatMap(([name, holds]) =>
  [...ORDERED.map((type) => [type, type]), ...MIXED].map(([left, right]) =>
    overload(
      `${name}(${left}, ${right}): bool`,
      (a: Value, b: Value) => holds(compare(a, b)),
      left === 'string' ? 'scan' : 'one',
    ),
  ),
)

const logic: Overload[] = [
  overload('_&&_(bool, bool): bool', (a: boolean, b: boolean) => a && b),
  overload('_||_(bool, bool): bool', (a: boolean, b: boolean) => a || b),
  overload('!_(bool): bool', (a: boolean) => !a),
  overload('_?_:_(bool, A, A): A', (a: boolean, b: Value, c: Value) => (a ? b : c)),
  overload('_==_(A, A): bool', (a: Value, b: Value) => equals(a, b), 'scan'),
  overload('_!=_(A, A): bool', (a: Value, b: Value) => !equals(a, b), 'scan'),
  overload('@in(A, list<A>): bool', (a: Value, b: Value[]) => b.some((item) => equals(a, item)), 'elements'),
  overload('@in(A, map<A, B>): bool', (a: Value, b: ReadonlyMap<Value, Value>) => has(b, a)),
]

function itemAt(list: readonly Value[], index: bigint): Value {
  const item = list[Number(index)]
  if (index < 0n || item === undefined) throw new EvaluationError(`index out of bounds: ${index}`)
  return item
}

function memberAt(map: ReadonlyMap<Value, Value>, key: Value): Value {
  const value = map.get(keyOf(key))
  if (value === undefined) throw new EvaluationError(`no such key: ${String(key instanceof UInt ? key.value : key)}`)
  return value
}

const maybe = (value: Value | undefined) => (value === undefined ? NONE : new Optional(value))

const access: Overload[] = [
  overload('_[_](list<A>, int): A', itemAt),
  overload('_[_](map<A, B>, A): B', memberAt),
  overload('_[?_](list<A>, int): optional<A>', (list: Value[], index: bigint) =>
    maybe(index < 0n ? undefined : list[Number(index)]),
  ),
  overload('_[?_](map<A, B>, A): optional<B>', (map: ReadonlyMap<Value, Value>, key: Value) => maybe(map.get(keyOf(key)))),
  overload('_[?_](optional<list<A>>, int): optional<A>', (list: Optional, index: bigint) =>
    maybe((list.value as Value[] | undefined)?.[Number(index)]),
  ),
  overload('_[?_](optional<map<A, B>>, A): optional<B>', (map: Optional, key: Value) =>
    maybe((map.value as ReadonlyMap<Value, Value> | undefined)?.get(keyOf(key))),
  ),
  overload('_[_](optional<list<A>>, int): optional<A>', (list: Optional, index: bigint) =>
    maybe((list.value as Value[] | undefined)?.[Number(index)]),
  ),
  overload('_[_](optional<map<A, B>>, A): optional<B>', (map: Optional, key: Value) =>
    maybe((map.value as ReadonlyMap<Value, Value> | undefined)?.get(keyOf(key))),
  ),
  scoped('optional.of(A): optional<A>', (value: Value) => new Optional(value)),
  scoped('optional.none(): optional<A>', () => NONE),
  scoped('optional.ofNonZeroValue(A): optional<A>', (value: Value) => (isZero(value) ? NONE : new Optional(value))),
  overload('optional<A>.hasValue(): bool', ({ value }: Optional) => value !== undefined),
  overload('optional<A>.orValue(A): A', ({ value }: Optional, otherwise: Value) => value ?? (value === null ? null : otherwise)),
  overload('optional<A>.or(optional<A>): optional<A>', (one: Optional, other: Optional) =>
    one.value === undefined ? other : one,
  ),
  overload('optional<A>.value(): A', ({ value }: Optional) => {
    if (value === undefined) throw new EvaluationError('optional.none() dereference')
    return value
  }),
]

function isZero(value: Value): boolean {
  if (value === null || value === '' || value === 0n || value === 0 || value === false) return true
  return (Array.isArray(value) && value.length === 0) || (isMap(value) && value.size === 0)
}

const size = (value: Value): bigint =>
  BigInt(typeof value === 'string' ? [...value].length : isMap(value) ? value.size : (value as Value[]).length)
const SIZED = ['string', 'bytes', 'list<A>', 'map<A, B>']

const texts: Overload[] = [
  ...SIZED.flatMap((type) => [overload(`size(${type}): int`, size), overload(`${type}.size(): int`, size)]),
  overload('string.contains(string): bool', (text: string, part: string) => text.includes(part), 'product'),
  overload('string.startsWith(string): bool', (text: string, part: string) => text.startsWith(part), 'scan'),
  overload('string.endsWith(string): bool', (text: string, part: string) => text.endsWith(part), 'scan'),
  overload('string.matches(string): bool', matches, 'regex'),
  overload('matches(string, string): bool', matches, 'regex'),
]

function parseInteger(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new EvaluationError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return int(BigInt(text))
}

function fromDouble(value: number): bigint {
  if (!Number.isFinite(value)) throw new EvaluationError('integer overflow')
  return int(BigInt(Math.trunc(value)))
}

function doubleText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value)
  return Number.isNaN(value) ? 'NaN' : String(value).replace('Infinity', 'Inf')
}

function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false
  throw new EvaluationError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}

function parseDouble(text: string): number {
  if (text.trim() !== text || text === '' || Number.isNaN(Number(text)))
    throw new EvaluationError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

const same = (value: Value) => value

const conversions: Overload[] = [
  overload('int(int): int', same),
  overload('int(uint): int', (value: UInt) => int(value.value)),
  overload('int(double): int', fromDouble),
  overload('int(string): int', parseInteger),
  overload('int(timestamp): int', (value: Timestamp) => value.nanos / 1_000_000_000n),
  overload('uint(uint): uint', same),
  overload('uint(int): uint', uint),
  overload('uint(double): uint', (value: number) => uint(fromDouble(value))),
  overload('uint(string): uint', (text: string) => uint(parseInteger(text))),
  overload('double(double): double', same),
  overload('double(int): double', (value: bigint) => Number(value)),
  overload('double(uint): double', (value: UInt) => Number(value.value)),
  overload('double(string): double', parseDouble),
  overload('bool(bool): bool', same),
  overload('bool(string): bool', parseBool),
  overload('string(string): string', same),
  overload('string(bool): string', (value: boolean) => String(value)),
  overload('string(int): string', (value: bigint) => String(value)),
  overload('string(uint): string', (value: UInt) => String(value.value)),
  overload('string(double): string', doubleText),
  overload('string(bytes): string', (value: Uint8Array) => Buffer.from(value).toString(), 'scan'),
  overload('string(timestamp): string', timestampText),
  overload('string(duration): string', durationText),
  overload('bytes(bytes): bytes', same),
  overload('bytes(string): bytes', (text: string) => new Uint8Array(Buffer.from(text)), 'scan'),
  overload('timestamp(timestamp): timestamp', same),
  overload('timestamp(string): timestamp', parseTimestamp),
  overload('timestamp(int): timestamp', (seconds: bigint) => new Timestamp(seconds * 1_000_000_000n)),
  overload('duration(duration): duration', same),
  overload('duration(string): duration', parseDuration),
  overload('dyn(A): dyn', same),
  overload('type(A): type<A>', (value: Value) => new TypeValue(typeNameOf(value))),
]

export const standardLibrary: readonly Overload[] = [
  ...[...arithmetic, ...relations, ...logic, ...access, ...texts, ...conversions, ...timeFunctions],
]
