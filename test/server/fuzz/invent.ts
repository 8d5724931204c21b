/** Invents objects by their schemas: mostly of the right types, with values that a validator has to look at, and now and then wild. */
import type { Schema, StructSchema } from '../../../src/api/schema/schema.ts'
import type { Random } from '../../api/random.ts'

const WORDS = [
  '',
  'a',
  'web-1',
  'Bad_Name',
  '*',
  'example.com/x',
  'ünïcode ☂',
  '__proto__',
  'constructor',
  '..',
  '10.0.0.1',
  '1Gi',
  '50%',
]
const NUMBERS = [0, 1, -1, 80, 65536, 2_147_483_647, -2_147_483_648]
const WILD: readonly unknown[] = [null, [], {}, '', 'x', 1e30, -0.5, true, [null], { a: { b: [] } }, '\u0000', 2 ** 53]
const MAX_DEPTH = 7

export interface Inventing {
  random: Random
  /** How probable it is that a value has nothing to do with its schema. */
  wild: number
  /** How probable it is that an optional field is there. */
  filled: number
}

export function invent(schema: Schema, how: Inventing, depth = 0): unknown {
  const { random } = how
  if (random.chance(how.wild)) return random.pick(WILD)
  switch (schema.kind) {
    case 'struct':
      return inventStruct(schema, how, depth)
    case 'list':
      return Array.from({ length: depth > MAX_DEPTH ? 0 : random.below(4) }, () => invent(schema.element, how, depth + 1))
    case 'map':
      return Object.fromEntries(
        WORDS.filter(() => random.chance(0.15)).map((key) => [key, invent(schema.element, how, depth + 1)]),
      )
    case 'string':
      return schema.enum && random.chance(0.7) ? random.pick(schema.enum) : random.pick(WORDS)
    case 'bool':
      return random.chance(0.5)
    case 'int32':
    case 'int64':
      return random.pick(NUMBERS)
    case 'float64':
      return random.pick([0, 1.5, -2e100])
    case 'bytes':
      return random.pick(['', 'AAECAw==', 'YQ==', '!'])
    case 'time':
    case 'microtime':
      return random.pick(['2024-02-29T12:00:00Z', '1969-12-31T23:59:59.999999Z', 'yesterday'])
    case 'quantity':
      return random.pick(['0', '100m', '1Gi', '-5', '1e3', 'lots', 3])
    case 'intstr':
      return random.pick([0, 80, -3, '50%', 'http'])
    default:
      return random.pick<unknown>([{}, true, ['a', 'b'], { type: 'string' }, { a: [1, null, 'x'] }])
  }
}

function inventStruct(schema: StructSchema, how: Inventing, depth: number): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  if (depth > MAX_DEPTH) return object
  for (const field of schema.fields.values()) {
    if (how.random.chance(field.required ? 0.95 : how.filled)) object[field.name] = invent(field.schema, how, depth + 1)
  }
  if (how.random.chance(how.wild)) object.bogus = how.random.pick(WILD)
  return object
}

/** The same with something changed, taken away or put in the wrong place. */
export function mutate(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.1)) return random.pick(WILD)
  const copy = structuredClone(value) as Record<string, unknown>
  const keys = Object.keys(copy)
  if (keys.length === 0) return random.pick(WILD)
  const key = random.pick(keys)
  if (random.chance(0.2)) {
    if (Array.isArray(copy)) copy.splice(Number(key), 1)
    else delete copy[key]
  } else copy[key] = mutate(copy[key], random)
  return copy
}
