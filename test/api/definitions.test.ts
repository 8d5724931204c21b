/** Every built-in kind: its definition is whole, and nothing a client may send makes its functions fail or loop. */
import { describe, expect, test } from 'vitest'
import type { ResourceDefinition } from '../../src/api/definition.ts'
import { builtinDefinitions } from '../../src/api/definitions.ts'
import type { KubeObject } from '../../src/api/object.ts'
import { builtinSchema } from '../../src/api/schema/builtin.ts'
import { decode } from '../../src/api/schema/decode.ts'
import { applyDefaults } from '../../src/api/schema/defaults.ts'
import type { Schema } from '../../src/api/schema/schema.ts'
import { createRandom, type Random } from './random.ts'

const NOW = '2026-01-02T03:04:05Z'
const idOf = (d: ResourceDefinition) => `${d.group || 'core'}/${d.version} ${d.plural}`
const all = builtinDefinitions.map((definition) => [idOf(definition), definition] as const)

/** A value that the schema allows, of strings that are now right, now wrong. */
function randomValue(schema: Schema, random: Random, depth: number): unknown {
  switch (schema.kind) {
    case 'struct': {
      const object: Record<string, unknown> = {}
      for (const field of schema.fields.values()) {
        if (depth > 9 || !random.chance(field.required ? 0.9 : depth < 3 ? 0.6 : 0.3)) continue
        object[field.name] = randomValue(field.schema, random, depth + 1)
      }
      return object
    }
    case 'map':
      return random.chance(0.3) ? {} : { [word(random)]: randomValue(schema.element, random, depth + 1) }
    case 'list':
      return Array.from({ length: random.below(3) }, () => randomValue(schema.element, random, depth + 1))
    default:
      return randomScalar(schema.kind, schema.enum, random)
  }
}

const WORDS = [
  'a',
  'web',
  'A B',
  '',
  'x.example/y',
  '10.0.0.1',
  'Always',
  'None',
  '*',
  '/x',
  '..',
  'cpu',
  'In',
  'kubernetes.io/tls',
  '@daily',
]
const word = (random: Random) => random.pick(WORDS)

function randomScalar(kind: string, allowed: readonly string[] | undefined, random: Random): unknown {
  switch (kind) {
    case 'bool':
      return random.chance(0.5)
    case 'int32':
    case 'int64':
    case 'float64':
      return random.pick([0, 1, -1, 80, 65536])
    case 'quantity':
      return random.pick(['0', '1', '-1', '500m', '1Gi', '0.0001'])
    case 'intstr':
      return random.pick([0, 1, '25%', 'http', '1000%'])
    case 'time':
      return NOW
    case 'microtime':
      return '2026-01-02T03:04:05.000000Z'
    case 'bytes':
      return 'aGk='
    case 'string':
      return allowed && random.chance(0.7) ? random.pick(allowed) : word(random)
    default:
      return random.pick([{}, { a: 1 }])
  }
}

function randomObject(definition: ResourceDefinition, seed: number): KubeObject {
  const schema = builtinSchema(definition.schema as string)
  const random = createRandom(seed)
  const value = randomValue(schema, random, 0) as KubeObject
  value.metadata = { name: 'n', ...(definition.namespaced && { namespace: 'default' }), uid: 'u' }
  return decodeAs(definition, value)
}

function decodeAs(definition: ResourceDefinition, value: object): KubeObject {
  const schema = builtinSchema(definition.schema as string)
  const object = decode<KubeObject>(schema, value).value
  object.metadata ??= {}
  applyDefaults(schema, object)
  definition.strategy.defaults?.(object)
  return object
}

/** All that a write and a table do with an object. */
function runAll(definition: ResourceDefinition, object: KubeObject, old: KubeObject): void {
  const { strategy } = definition
  strategy.prepareForCreate?.(object, { now: NOW })
  strategy.validate?.(object)
  strategy.warnings?.(object)
  const changed = structuredClone(object)
  strategy.prepareForUpdate?.(changed, old, { now: NOW })
  strategy.validateUpdate?.(changed, old)
  const status = structuredClone(object)
  strategy.prepareForStatusUpdate?.(status, old, { now: NOW })
  strategy.validateStatusUpdate?.(status, old)
  for (const subresource of definition.subresources) {
    const copy = structuredClone(object)
    subresource.strategy?.prepareForUpdate?.(copy, old, { now: NOW })
    subresource.strategy?.validateUpdate?.(copy, old)
  }
  for (const column of definition.columns) column.cell(object, { now: 0 })
  for (const read of Object.values(definition.selectableFields ?? {})) expect(read(object)).toBeTypeOf('string')
  strategy.deletionGraceSeconds?.(object, 5)
}

test('kinds and paths are unique', () => {
  expect(new Set(builtinDefinitions.map(idOf)).size).toBe(builtinDefinitions.length)
  expect(new Set(builtinDefinitions.map((d) => `${d.group}/${d.version}/${d.kind}`)).size).toBe(builtinDefinitions.length)
})

describe.each(all)('%s', (_, definition) => {
  test('has a schema, and subresources that name kinds', () => {
    expect(builtinSchema(definition.schema as string).fields.has('metadata')).toBe(true)
    for (const subresource of definition.subresources) expect(subresource.kind.kind).not.toBe('')
    expect(new Set(definition.columns.map((column) => column.name)).size).toBe(definition.columns.length)
  })

  test('takes an empty object without failing', () => {
    const object = decodeAs(definition, { metadata: { name: 'n' } })
    runAll(definition, object, structuredClone(object))
  })

  test('takes whatever the schema allows, and defaults settle at once', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const object = randomObject(definition, seed)
      const again = structuredClone(object)
      definition.strategy.defaults?.(again)
      expect(again, `seed ${seed}`).toEqual(object)
      runAll(definition, object, randomObject(definition, seed + 1000))
    }
  })

  test('an update that changes nothing is fine when the object is', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const object = randomObject(definition, seed)
      definition.strategy.prepareForCreate?.(object, { now: NOW })
      if ((definition.strategy.validate?.(object) ?? []).length > 0) continue
      const same = structuredClone(object)
      definition.strategy.prepareForUpdate?.(same, object, { now: NOW })
      expect(definition.strategy.validateUpdate?.(same, object) ?? [], `seed ${seed}`).toEqual([])
      expect(same, `seed ${seed}`).toEqual(object)
    }
  })

  test('converts to its stored version and back without loss', () => {
    const { toStorage, fromStorage } = definition
    if (!toStorage || !fromStorage) return
    for (let seed = 1; seed <= 40; seed++) {
      const object = randomObject(definition, seed)
      const stored = toStorage(structuredClone(object))
      expect(fromStorage(stored), `seed ${seed}`).toEqual(fromStorage(toStorage(fromStorage(stored))))
    }
  })
})
