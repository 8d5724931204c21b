import { describe, expect, it } from 'vitest'
import { decodeProtobuf, encodeProtobuf, openEnvelope } from '../../../src/api/protobuf/envelope.ts'
import { ProtobufError } from '../../../src/api/protobuf/wire.ts'
import { builtinSchema, kindSchema } from '../../../src/api/schema/builtin.ts'
import { schemaData } from '../../../src/api/schema/data.ts'
import { decode } from '../../../src/api/schema/decode.ts'
import type { Schema, StructSchema } from '../../../src/api/schema/schema.ts'

/** Bodies as kubectl 1.32 sends them. */
const CREATE_DEPLOYMENT =
  'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EroBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEogBCAISDAoKCgNhcHASA3dlYhpuChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEk4SMAoFbmdpbngSB25naW54OjEqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA=='
const CREATE_TOKEN = 'azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIaChAKABIAGgAiACoAMgA4AEIAEgAaBAoAEgAaACIA'

describe('bodies of kubectl', () => {
  it('become the objects that JSON would have been', () => {
    const body = decodeProtobuf(Buffer.from(CREATE_DEPLOYMENT, 'base64'))
    const { value, problems } = decode(builtinSchema('apps/v1.Deployment'), body, { strict: true })
    expect(problems).toEqual([])
    expect(value).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        strategy: {},
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'nginx', image: 'nginx:1', ports: [{ containerPort: 80 }], resources: {} }] },
        },
      },
      status: {},
    })
  })

  it('say their kind before they are decoded', () => {
    expect(openEnvelope(Buffer.from(CREATE_TOKEN, 'base64'))).toMatchObject({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
    })
    const { value } = decode(
      kindSchema('authentication.k8s.io', 'v1', 'TokenRequest')!,
      decodeProtobuf(Buffer.from(CREATE_TOKEN, 'base64')),
    )
    expect(value.spec).toEqual({ audiences: null, expirationSeconds: null, boundObjectRef: null })
  })
})

/** A small deterministic generator: the same objects at every run. */
function generator(seed: number): { below: (limit: number) => number } {
  let state = seed
  return {
    below: (limit) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
      return Math.floor((state / 0x80000000) * limit)
    },
  }
}

type Random = ReturnType<typeof generator>
const WORDS = ['', 'a', 'web-1', 'ünïcode ☂', '__proto__', 'line\nbreak']
const NUMBERS = [0, 1, -1, 80, 2_147_483_647, -2_147_483_648]

function invent(schema: Schema, random: Random, depth: number): unknown {
  const pick = <T>(values: readonly T[]): T => values[random.below(values.length)]!
  switch (schema.kind) {
    case 'struct': {
      const object: Record<string, unknown> = {}
      if (depth > 6) return object
      // Kind and version of objects within have no place in protobuf.
      for (const field of schema.fields.values())
        if (field.number > 0 && random.below(3) === 0) object[field.name] = invent(field.schema, random, depth + 1)
      return object
    }
    case 'list':
      return Array.from({ length: depth > 6 ? 0 : random.below(3) }, () => invent(schema.element, random, depth + 1))
    case 'map':
      return Object.fromEntries(
        WORDS.filter(() => random.below(3) === 0).map((key) => [key, invent(schema.element, random, depth + 1)]),
      )
    case 'string':
      return pick(WORDS)
    case 'bool':
      return random.below(2) === 0
    case 'int32':
      return pick(NUMBERS)
    case 'int64':
      return pick([...NUMBERS, 2 ** 40, -(2 ** 40), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
    case 'float64':
      return pick([0, 1.5, -2e100])
    case 'bytes':
      return pick(['', 'AAECAw==', 'YQ=='])
    case 'time':
      return pick(['2024-02-29T12:00:00Z', '1969-12-31T23:59:59Z'])
    case 'microtime':
      return pick(['2024-02-29T12:00:00.000001Z', '1969-12-31T23:59:59.999999Z'])
    case 'duration':
      return pick(['0s', '15.104s', '1h2m0s', '-1.5ms'])
    case 'quantity':
      return pick(['0', '100m', '1Gi', '-5'])
    case 'intstr':
      return pick([0, 80, -3, '50%', 'http'])
    case 'raw':
    case 'json':
    case 'fields':
      return pick<unknown>([{}, { a: [1, null, 'x'] }])
    case 'schemaOrArray':
      return pick<unknown>([{ type: 'string' }, [{ type: 'object' }, {}]])
    case 'schemaOrBool':
      return pick<unknown>([true, false, { type: 'string' }])
    case 'schemaOrStrings':
      return pick<unknown>([{ type: 'string' }, ['a', 'b']])
  }
}

describe('every type', () => {
  const topLevel = Object.entries(schemaData()).flatMap(([owner, data]) =>
    Object.keys(data.types).flatMap((type) => {
      const schema = builtinSchema(`${owner}.${type}`)
      const isKind = schema.fields.has('kind') && schema.fields.has('apiVersion') && schema.messages.length > 0
      return isKind && kindSchema(data.group, data.version, type) === schema
        ? [[`${data.group}/${data.version} ${type}`, data, schema] as const]
        : []
    }),
  )

  it('is there', () => expect(topLevel.length).toBeGreaterThan(120))

  it.each(topLevel)('%s survives encoding and decoding', (name, data, schema: StructSchema) => {
    const random = generator(name.length)
    for (let round = 0; round < 20; round++) {
      const apiVersion = data.group ? `${data.group}/${data.version}` : data.version
      const invented = { ...(invent(schema, random, 0) as object), apiVersion, kind: schema.name }
      const object = decode<{ apiVersion: string; kind: string }>(schema, invented, { strict: true }).value
      const before = JSON.stringify(object)
      const body = encodeProtobuf(object as never)
      expect(decode(schema, decodeProtobuf(body), { strict: true })).toEqual({ value: JSON.parse(before), problems: [] })
    }
  })
})

describe('malformed bytes', () => {
  const good = Buffer.from(CREATE_DEPLOYMENT, 'base64')

  it.each([
    ['no magic', Buffer.from('{"kind":"Pod"}'), 'does not begin as Kubernetes protobuf does'],
    ['nothing', Buffer.alloc(0), 'does not begin as Kubernetes protobuf does'],
    ['no kind', Buffer.from('k8s\0'), 'no protobuf form of an object without a kind'],
    ['a length beyond the end', Buffer.from([0x6b, 0x38, 0x73, 0, 0x12, 0x7f, 1]), '127 bytes wanted, 1 left'],
    ['field number zero', Buffer.from([0x6b, 0x38, 0x73, 0, 0x02, 0x00]), 'illegal field number 0'],
    ['an endless number', Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(12, 0xff)]), 'longer than ten bytes'],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeProtobuf(bytes)).toThrow(message)
    expect(() => decodeProtobuf(bytes)).toThrow(ProtobufError)
  })

  it('cut or flipped anywhere, are refused or decoded, and never anything else', () => {
    for (let at = 0; at < good.length; at++) {
      const flipped = Buffer.from(good)
      flipped[at] = flipped[at]! ^ 0x15
      for (const bytes of [good.subarray(0, at), flipped]) {
        try {
          decodeProtobuf(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtobufError)
        }
      }
    }
  })

  it('nested without end are refused', () => {
    let schema: Record<string, unknown> = {}
    for (let depth = 0; depth < 700; depth++) schema = { not: schema }
    const versions = [{ name: 'v1', schema: { openAPIV3Schema: schema } }]
    const body = encodeProtobuf({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', spec: { versions } })
    expect(() => decodeProtobuf(body)).toThrow('nested too deep')
  })
})
