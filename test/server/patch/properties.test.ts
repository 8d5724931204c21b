/** What must hold of patches and of apply for any object: a diff gives back what it was taken of, and twice is no more than once. */
import { describe, expect, it } from 'vitest'
import { builtinSchema } from '../../../src/api/schema/builtin.ts'
import { child } from '../../../src/api/schema/lookup.ts'
import type { Field, ListSchema, Schema, StructSchema } from '../../../src/api/schema/schema.ts'
import { type Applied, applyConfiguration } from '../../../src/server/apply/apply.ts'
import { EMPTY } from '../../../src/server/fields/field-set.ts'
import type { Manager } from '../../../src/server/fields/managers.ts'
import { equalJson, isRecord } from '../../../src/server/objects/json.ts'
import { mergePatch } from '../../../src/server/patch/merge-patch.ts'
import { strategicMerge } from '../../../src/server/patch/strategic.ts'
import { createRandom, type Random } from '../../api/random.ts'
import { invent } from '../fuzz/invent.ts'
import { strategicDiff } from './strategic-diff.ts'

type JsonObject = Record<string, unknown>

const TYPES = ['core/v1.Pod', 'core/v1.Service', 'core/v1.ConfigMap', 'apps/v1.Deployment', 'networking/v1.Ingress']
const ROUNDS = Number(process.env.SKIFF_FUZZ_ROUNDS ?? 30)

describe.each(TYPES)('of any %s', (type) => {
  const schema = builtinSchema(type)

  it('the strategic patch of a difference gives the object, once and twice', () => {
    const random = createRandom(1)
    for (let round = 0; round < ROUNDS; round++) {
      const [from, to] = twoObjects(schema, random)
      const patch = strategicDiff(from, to, schema)
      const once = strategicMerge(structuredClone(from), structuredClone(patch), schema)
      expect(once).toEqual(to)
      expect(strategicMerge(structuredClone(once), structuredClone(patch), schema)).toEqual(to)
    }
  })

  it('the merge patch of a difference gives the object, once and twice', () => {
    const random = createRandom(2)
    for (let round = 0; round < ROUNDS; round++) {
      const [from, to] = twoObjects(schema, random)
      const patch = mergeDiff(from, to)
      const once = mergePatch(structuredClone(from), patch)
      expect(once).toEqual(to)
      expect(mergePatch(structuredClone(once), patch)).toEqual(to)
    }
  })

  it('apply changes nothing the second time, and nothing for a second applier of the same', () => {
    const random = createRandom(3)
    for (let round = 0; round < ROUNDS; round++) {
      const [live, configuration] = twoObjects(schema, random)
      const apply = (object: JsonObject, managers: readonly Manager[], manager: string, now: string): Applied =>
        applyConfiguration({
          ...{ schema, live: structuredClone(object), configuration: structuredClone(configuration), managers, now },
          ...{ self: { manager, operation: 'Apply', apiVersion: 'v1', subresource: '' }, ignored: EMPTY, force: false },
        })
      const once = apply(live, [], 'first', '2024-01-01T00:00:00Z')
      const twice = apply(once.object, once.managers, 'first', '2024-01-02T00:00:00Z')
      expect(twice.object).toEqual(once.object)
      expect(twice.managers).toEqual(once.managers)
      const other = apply(once.object, once.managers, 'second', '2024-01-03T00:00:00Z')
      expect(other.conflicts).toEqual([])
      expect(other.object).toEqual(once.object)
    }
  })
})

/** Two objects of the type that share a good part. */
function twoObjects(schema: StructSchema, random: Random): [JsonObject, JsonObject] {
  const one = anObject(schema, random)
  const other = anObject(schema, random)
  const from = tidied(one, schema) as JsonObject
  return [from, tidied(random.chance(0.7) ? mixed(one, other, random) : other, schema) as JsonObject]
}

function anObject(schema: StructSchema, random: Random): JsonObject {
  const { metadata, ...rest } = invent(schema, { random, wild: 0, filled: 0.4 }) as JsonObject
  const { managedFields: _, ...kept } = (metadata ?? {}) as JsonObject
  return { ...rest, metadata: { ...kept, name: 'a' } }
}

/** The one with parts of the other, and without some of its own. */
function mixed(one: unknown, other: unknown, random: Random): unknown {
  if (Array.isArray(one) && Array.isArray(other)) return [...one, ...other].filter(() => random.chance(0.7))
  if (!isRecord(one) || !isRecord(other)) return random.chance(0.5) ? one : other
  const mixture: JsonObject = {}
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    if (!Object.hasOwn(one, key) || !Object.hasOwn(other, key)) {
      if (random.chance(0.7)) mixture[key] = Object.hasOwn(one, key) ? one[key] : other[key]
    } else mixture[key] = mixed(one[key], other[key], random)
  }
  return mixture
}

const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0

/** Without what no stored object has: nulls, empty lists, and elements without a key of their own. */
function tidied(value: unknown, schema: Schema, field?: Field): unknown {
  if (Array.isArray(value) && schema.kind === 'list') {
    return distinct(value, schema, field).map((item) => tidied(item, schema.element))
  }
  if (!isRecord(value)) return value
  const kept: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    const known = child(schema, key)
    const tidy = known && tidied(member, known.schema, known.field)
    if (key !== '__proto__' && tidy !== undefined && tidy !== null && !isEmptyList(tidy)) kept[key] = tidy
  }
  return kept
}

function distinct(items: unknown[], schema: ListSchema, field: Field | undefined): unknown[] {
  const keyed = schema.listType !== 'atomic' || field?.patchStrategy === 'merge'
  if (!keyed) return items
  const keys = new Set([...schema.keys, ...(field?.patchMergeKey ? [field.patchMergeKey] : [])])
  const seen = new Set<string>()
  return items.filter((item) => {
    if (!isRecord(item)) return !seen.has(JSON.stringify(item)) && seen.add(JSON.stringify(item))
    const names = [...keys].map((key) => `${key}=${JSON.stringify(item[key])}`)
    if ([...keys].some((key) => item[key] === undefined) || names.some((name) => seen.has(name))) return false
    for (const name of names) seen.add(name)
    return true
  })
}

function mergeDiff(from: JsonObject, to: JsonObject): JsonObject {
  const patch: JsonObject = {}
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch[key] = null
  for (const [key, wanted] of Object.entries(to)) {
    const current = Object.hasOwn(from, key) ? from[key] : undefined
    if (!equalJson(current, wanted)) patch[key] = isRecord(current) && isRecord(wanted) ? mergeDiff(current, wanted) : wanted
  }
  return patch
}
