import { expect, test } from 'vitest'
import { equal, listChanges } from '../../src/api/equal.ts'
import {
  duplicate,
  forbidden,
  immutable,
  invalid,
  notFound,
  notSupported,
  quote,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from '../../src/api/field-errors.ts'

test.each([
  [required('a'), 'FieldValueRequired', 'Required value'],
  [required('a', 'why'), 'FieldValueRequired', 'Required value: why'],
  [invalid('a', 'x"y', 'no'), 'FieldValueInvalid', 'Invalid value: "x\\"y": no'],
  [invalid('a', 5, 'no'), 'FieldValueInvalid', 'Invalid value: 5: no'],
  [invalid('a', undefined, 'no'), 'FieldValueInvalid', 'Invalid value: null: no'],
  [invalid('a', { b: '<' }, 'no'), 'FieldValueInvalid', 'Invalid value: {"b":"\\u003c"}: no'],
  [notSupported('a', 'x', ['y', 'z']), 'FieldValueNotSupported', 'Unsupported value: "x": supported values: "y", "z"'],
  [forbidden('a', 'no'), 'FieldValueForbidden', 'Forbidden: no'],
  [duplicate('a', 'x'), 'FieldValueDuplicate', 'Duplicate value: "x"'],
  [notFound('a', 'x'), 'FieldValueNotFound', 'Not found: "x"'],
  [tooLong('a', 1), 'FieldValueTooLong', 'Too long: may not be more than 1 byte'],
  [tooMany('a', 5, 3), 'FieldValueTooMany', 'Too many: 5: must have at most 3 items'],
  [typeInvalid('a', 'x', 'no'), 'FieldValueTypeInvalid', 'Invalid value: "x": no'],
  [immutable('a', 'x'), 'FieldValueInvalid', 'Invalid value: "x": field is immutable'],
])('%j', (error, type, message) => expect(error).toEqual({ field: 'a', type, message }))

test('strings are quoted as Go does', () => {
  expect(quote('a\nb\t\u0000\u0007ü☃')).toBe('"a\\nb\\t\\x00\\aü☃"')
})

test('equality as objects mean it', () => {
  expect(equal({ a: [], b: null, c: {} }, {})).toBe(true)
  expect(equal({ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 })).toBe(true)
  expect(equal({ a: [1, 2] }, { a: [2, 1] })).toBe(false)
  expect(equal({ a: 0 }, {})).toBe(false)
  expect(equal([1], { 0: 1 })).toBe(false)
})

test('changes are listed by path', () => {
  expect(listChanges('spec', { a: 1, b: [{ c: 'x' }], d: 1 }, { a: 1, b: [{ c: 'y' }] })).toBe(
    '@@ spec.b[0].c @@\n-"x"\n+"y"\n@@ spec.d @@\n-1\n',
  )
})
