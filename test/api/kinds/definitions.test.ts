/** Rules of definitions of custom resources, in apiextensions' words. Rules of structural schemas are tested with their server. */
import { describe, expect, test } from 'vitest'
import { create, update } from './write.ts'

const schema = (properties: object = {}, more: object = {}) => ({
  openAPIV3Schema: { type: 'object', properties, ...more },
})
const version = (name: string, more: object = {}) => ({ name, served: true, storage: true, schema: schema(), ...more })
const definition = (more: object) => ({
  metadata: { name: 'ws.g.example' },
  spec: { group: 'g.example', scope: 'Namespaced', names: { plural: 'ws', kind: 'W' }, versions: [version('v1')], ...more },
})
const causesOf = (more: object) => create('customresourcedefinitions', definition(more)).causes
const ofVersion = (more: object) => causesOf({ versions: [version('v1', more)] })
const matching = (pattern: RegExp) => expect.stringMatching(pattern) as unknown as string

describe('definitions', () => {
  test.each<[string, object, string[]]>([
    ['a right one', {}, []],
    [
      'two versions of one name',
      { versions: [version('v1'), version('v1', { storage: false })] },
      [
        matching(
          /^Invalid \| spec\.versions \| Invalid value: \[\{"Name":"v1",.*"Schema":null.*\]: must contain unique version names$/,
        ),
      ],
    ],
    [
      'versions that differ and are all stored',
      { versions: [version('v1'), version('v2', { schema: schema({ a: { type: 'string' } }) })] },
      [matching(/"Properties":\{"a":\{.*must have exactly one version marked as storage version$/)],
    ],
    [
      'a bad group',
      { group: 'G' },
      [
        'Invalid | metadata.name | Invalid value: "ws.g.example": must be spec.names.plural+"."+spec.group',
        matching(/^Invalid \| spec\.group \| Invalid value: "G": a lowercase RFC 1123 subdomain/),
      ],
    ],
  ])('%s', (_, more, causes) => expect(causesOf(more)).toEqual(causes))

  test.each<[string, object, string[]]>([
    [
      'columns of unknown form',
      { additionalPrinterColumns: [{ name: 'n', type: 'string', format: 'f', jsonPath: 'a' }] },
      [
        'Invalid | spec.additionalPrinterColumns[0].JSONPath | Invalid value: "a": must be a simple json path starting with .',
        'Invalid | spec.additionalPrinterColumns[0].format | Invalid value: "f": must be one of byte,date,date-time,double,float,int32,int64,password',
      ],
    ],
    [
      'a scale that is nowhere',
      { subresources: { scale: { specReplicasPath: 'spec.x', statusReplicasPath: '.spec.x' } } },
      [
        'Invalid | spec.subresources.scale.specReplicasPath | Invalid value: "spec.x": must be a simple json path starting with .',
        'Invalid | spec.subresources.scale.statusReplicasPath | Invalid value: ".spec.x": should be a json path under .status',
      ],
    ],
    [
      'fields of lists to select by',
      {
        schema: schema({ l: { type: 'array', items: { type: 'string' } } }),
        selectableFields: [{ jsonPath: '.l[0]' }, { jsonPath: '.l' }],
      },
      [
        'Invalid | spec.selectableFields[0].jsonPath | Invalid value: ".l[0]": is an invalid path: array notation is not allowed',
        'Invalid | spec.selectableFields[1].jsonPath | Invalid value: ".l": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      ],
    ],
    [
      'a warning for what is not deprecated',
      { deprecationWarning: '' },
      ['Invalid | spec.versions[0].deprecationWarning | Invalid value: "": can only be set for deprecated versions'],
    ],
    [
      'a warning that cannot be shown',
      { deprecated: true, deprecationWarning: 'é\t' },
      [
        'Invalid | spec.versions[0].deprecationWarning | Invalid value: "é\\t": must only contain printable UTF-8 characters; non-printable character found at index 2',
      ],
    ],
    [
      'alternatives at the root, with a status',
      { schema: schema({}, { anyOf: [{}] }), subresources: { status: {} } },
      [
        matching(
          /^Invalid \| spec\.validation\.openAPIV3Schema \| .*: only \[Description Type .*\] fields are allowed at the root/,
        ),
      ],
    ],
  ])('%s', (_, more, causes) => expect(ofVersion(more)).toEqual(causes))

  test('keep their group and plural', () => {
    const { causes } = update('customresourcedefinitions', definition({}), (o) => Object.assign(o.spec, { group: 'h.example' }))
    expect(causes).toEqual(['Invalid | spec.group | Invalid value: "h.example": field is immutable'])
  })
})

const LIST = 'spec.validation.openAPIV3Schema.properties[l]'
const list = (more: object) => ofVersion({ schema: schema({ l: { type: 'array', items: { type: 'string' }, ...more } }) })
const keyed = (items: object, ...keys: string[]) =>
  list({ items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys })
const properties = { k: { type: 'string' } }

describe('lists', () => {
  test('of objects are told apart by keys that are there', () => {
    expect(keyed({ type: 'object', properties, required: ['k'] }, 'k')).toEqual([])
    expect(keyed({ type: 'object', properties, required: ['k'] }, 'z', 'k', 'k')).toEqual([
      `Invalid | ${LIST}.x-kubernetes-list-map-keys | Invalid value: ["z","k","k"]: entries must all be names of item properties`,
      `Invalid | ${LIST}.x-kubernetes-list-map-keys | Invalid value: ["z","k","k"]: must not contain duplicate entries`,
    ])
    expect(keyed({ type: 'string' }, 'k')).toEqual([
      `Invalid | ${LIST}.items.type | Invalid value: "string": must be object if parent array's x-kubernetes-list-type is map`,
    ])
    expect(list({ 'x-kubernetes-list-map-keys': ['k'] })).toEqual([
      `Required | ${LIST}.x-kubernetes-list-type | Required value: must be map if x-kubernetes-list-map-keys is non-empty`,
    ])
  })
  test('that are sets have elements without parts', () => {
    expect(list({ 'x-kubernetes-list-type': 'set', items: { type: 'object', properties, nullable: true } })).toEqual([
      `Forbidden | ${LIST}.items.nullable | Forbidden: cannot be nullable when x-kubernetes-list-type is set`,
      `Invalid | ${LIST}.items.x-kubernetes-map-type | Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
    ])
  })
})
