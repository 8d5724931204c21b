import { describe, expect, it } from 'vitest'
import { DecodeError, decode, decodeJson } from '../../../src/api/schema/decode.ts'
import { applyDefaults } from '../../../src/api/schema/defaults.ts'
import { child, elementKeys, isAtomic, schemaAt } from '../../../src/api/schema/lookup.ts'
import { compileStructural } from '../../../src/api/schema/structural.ts'

const things = compileStructural({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        a: { type: 'string' },
        keep: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        emb: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
        nul: { type: 'string', nullable: true },
        opts: { type: 'object', default: {}, properties: { deep: { type: 'boolean', default: true } } },
        ports: {
          type: 'array',
          items: { type: 'object', properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } } },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
        },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        free: { 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  },
})

describe('pruning', () => {
  it('drops and names what the schema does not have', () => {
    const text = '{"spec":{"a":"x","drop":1,"keep":{"any":[1,{"b":null}]},"ports":[{"port":1,"x":2}],"a":"y"},"extra":true}'
    expect(decodeJson(things, text, { strict: true })).toEqual({
      value: { spec: { a: 'y', keep: { any: [1, { b: null }] }, ports: [{ port: 1 }] } },
      problems: [
        'duplicate field "spec.a"',
        'unknown field "extra"',
        'unknown field "spec.drop"',
        'unknown field "spec.ports[0].x"',
      ],
    })
  })

  it('drops nulls where null is not allowed, and keeps wrong types for validation', () => {
    expect(decode(things, { spec: { nul: null, a: null, labels: 'no', ports: {}, free: [1] } }).value).toEqual({
      spec: { nul: null, labels: 'no', ports: {}, free: [1] },
    })
  })

  it('decodes metadata, also that of embedded objects', () => {
    const emb = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', bogus: 1 }, other: 1 }
    expect(decode(things, { metadata: { name: 'n', labels: {}, odd: 1 }, spec: { emb } }, { strict: true })).toEqual({
      value: { metadata: { name: 'n' }, spec: { emb: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, other: 1 } } },
      problems: ['unknown field "metadata.odd"', 'unknown field "spec.emb.metadata.bogus"'],
    })
    expect(() => decode(things, { metadata: { labels: { a: 1 } } })).toThrow(DecodeError)
    expect(() => decode(things, [])).toThrow(DecodeError)
  })

  it('keeps all where the definition says so', () => {
    const any = { spec: { x: { y: null } } }
    expect(decode(compileStructural(undefined), structuredClone(any)).value).toEqual(any)
    expect(decode(compileStructural({ type: 'object' }, { preserveUnknownFields: true }), structuredClone(any)).value).toEqual(
      any,
    )
    expect(decode(compileStructural({ type: 'object' }), structuredClone(any)).value).toEqual({})
  })
})

it('fills in defaults, those within defaults too', () => {
  const value = { spec: { ports: [{ port: 1 }] } }
  applyDefaults(things, value)
  expect(value).toEqual({ spec: { opts: { deep: true }, ports: [{ port: 1, protocol: 'TCP' }] } })
  const other = { spec: {} as { opts?: { deep: boolean } } }
  applyDefaults(things, other)
  other.spec.opts!.deep = false
  expect(things.fields.get('spec')!.schema).toMatchObject({ kind: 'struct' })
  const third = { spec: {} }
  applyDefaults(things, third)
  expect(third).toEqual({ spec: { opts: { deep: true } } })
})

it('answers what merges ask', () => {
  expect(elementKeys(schemaAt(things, ['spec', 'ports'])!)).toEqual(['port', 'protocol'])
  expect(isAtomic(schemaAt(things, ['spec', 'labels'])!, undefined)).toBe(false)
  expect(child(things, 'metadata')?.schema).toMatchObject({ name: 'ObjectMeta' })
  expect(child(schemaAt(things, ['spec', 'keep'])!, 'anything')).toBeUndefined()
})
