import { describe, expect, it } from 'vitest'
import { validateCustom } from '../../../src/api/schema/validate.ts'
import type { JSONSchemaProps } from '../../../src/api/types.ts'

const findings = (schema: JSONSchemaProps, value: unknown) =>
  validateCustom({ type: 'object', properties: { spec: schema } }, { spec: value }).map(
    (error) => `${error.type} ${error.field}: ${error.message}`,
  )

describe('custom resources', () => {
  it.each<[JSONSchemaProps, unknown, string[]]>([
    [
      { type: 'integer' },
      'x',
      ['FieldValueTypeInvalid spec: Invalid value: "string": spec in body must be of type integer: "string"'],
    ],
    [{ type: 'number' }, 3, []],
    [
      { type: 'integer' },
      1.5,
      [
        'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer (default format) in spec',
        'FieldValueTypeInvalid spec: Invalid value: "number": spec in body must be of type integer: "number"',
      ],
    ],
    [
      { 'x-kubernetes-int-or-string': true },
      true,
      ['FieldValueTypeInvalid spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'],
    ],
    [
      { type: 'array', items: { type: 'string' } },
      [1],
      ['FieldValueTypeInvalid spec[0]: Invalid value: "integer": spec[0] in body must be of type string: "integer"'],
    ],
    [
      { type: 'integer', minimum: 1 },
      0,
      ['FieldValueInvalid spec: Invalid value: 0: spec in body should be greater than or equal to 1'],
    ],
    [
      { type: 'integer', maximum: 10 },
      11,
      ['FieldValueInvalid spec: Invalid value: 11: spec in body should be less than or equal to 10'],
    ],
    [{ type: 'number', multipleOf: 0.1 }, 0.3, []],
    [
      { type: 'string', enum: ['red', 'blue'] },
      'green',
      ['FieldValueNotSupported spec: Unsupported value: "green": supported values: "red", "blue"'],
    ],
    [{ type: 'string', maxLength: 5 }, 'TOOLONG', ['FieldValueTooLong spec: Too long: may not be more than 5 bytes']],
    [
      { type: 'string', pattern: '^a+$' },
      'b',
      ['FieldValueInvalid spec: Invalid value: "b": spec in body should match \'^a+$\''],
    ],
    [
      { type: 'string', format: 'date-time' },
      'x',
      ['FieldValueTypeInvalid spec: Invalid value: "x": spec in body must be of type date-time: "x"'],
    ],
    [{ type: 'array', maxItems: 2 }, [1, 2, 3], ['FieldValueTooMany spec: Too many: 3: must have at most 2 items']],
    [{ type: 'object', required: ['size'] }, {}, ['FieldValueRequired spec.size: Required value']],
    [
      { type: 'object', 'x-kubernetes-embedded-resource': true },
      {},
      ['FieldValueRequired spec.apiVersion: Required value', 'FieldValueRequired spec.kind: Required value'],
    ],
    [{ type: 'array', 'x-kubernetes-list-type': 'set' }, ['a', 'a'], ['FieldValueDuplicate spec[1]: Duplicate value: "a"']],
    [
      { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      { a: 1, b: 1 },
      [
        'FieldValueInvalid <nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
    [{ type: 'string', nullable: true }, null, []],
    [{ type: 'string', pattern: '(?i)^\\_[a-z]$' }, '_B', []],
    [{ type: 'object', additionalProperties: { type: 'string' } }, { a: 'x' }, []],
  ])('%j takes %j', (schema, value, expected) => {
    expect(findings(schema, value)).toEqual(expected)
  })

  it.each([
    ['ipv4', '10.0.0.1', '10.0.0'],
    ['cidr', '10.0.0.0/8', '10.0.0.0/33'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', '123'],
    ['date', '2024-02-29', '2023-02-29'],
    ['duration', '1h30m', '1x'],
    ['hostname', 'a.example', '-a'],
    ['byte', 'YQ==', 'Y'],
    ['email', 'a@b', 'a'],
    ['uri', 'https://a/b', 'no uri'],
  ])('the format %s', (format, good, bad) => {
    expect(findings({ type: 'string', format }, good)).toEqual([])
    expect(findings({ type: 'string', format }, bad)).toHaveLength(1)
    expect(findings({ type: 'string', format: 'unheard-of' }, bad)).toEqual([])
  })
})
