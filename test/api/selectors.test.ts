import { describe, expect, test } from 'vitest'
import { builtinDefinitions } from '../../src/api/definitions.ts'
import {
  formatFieldSelector,
  formatLabelSelector,
  formatLabels,
  labelSelector,
  matchesFields,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
  setSelector,
  unknownFieldMessage,
} from '../../src/api/selectors.ts'
import { createRandom, type Random } from './random.ts'

describe('label selectors as text', () => {
  test.each([
    ['app=web', { app: 'web' }, true],
    ['app==web', { app: 'web' }, true],
    ['app=web', { app: 'db' }, false],
    ['app!=web', {}, true],
    ['app in (web, db)', { app: 'db' }, true],
    ['app in (web,db)', {}, false],
    ['app notin (web)', {}, true],
    ['app notin (web)', { app: 'web' }, false],
    ['app', { app: '' }, true],
    ['!app', { app: '' }, false],
    ['n>1', { n: '10' }, true],
    ['n<1', { n: '0' }, true],
    ['n>1', { n: 'x' }, false],
    ['n>1', {}, false],
    ['app=', { app: '' }, true],
    ['app in ()', { app: '' }, true],
    ['a,b=c,!d', { a: '1', b: 'c' }, true],
    ['in in (in,notin)', { in: 'notin' }, true],
    ['example.com/role=x', { 'example.com/role': 'x' }, true],
    ['', { any: 'thing' }, true],
    ['toString', {}, false],
  ])('%s on %j: %s', (text, labels: Record<string, string>, matches) => {
    expect(parseLabelSelector(text).matches(labels)).toBe(matches)
  })

  test.each([
    ['app in web', "unable to parse requirement: found 'web' expected: '('"],
    ['=x', "found '=', expected: !, identifier, or 'end of string'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['a=b,', "found '', expected: identifier after ','"],
    ['a in (b', "unable to parse requirement: found '', expected: ',', or identifier"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ])('%s: %s', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(new SelectorError(message))
  })

  test('keys and values must be label keys and values', () => {
    expect(() => parseLabelSelector('app=$$')).toThrow(
      /^unable to parse requirement: values\[0\]\[app\]: Invalid value: "\$\$": a valid label/,
    )
    expect(() => parseLabelSelector('a/b/c=1')).toThrow(
      /^unable to parse requirement: <nil>: Invalid value: "a\/b\/c": a valid label key/,
    )
    expect(() => parseLabelSelector('n>x')).toThrow(/the value must be an integer/)
  })
})

describe('metav1.LabelSelector', () => {
  test('absent matches nothing, empty matches everything', () => {
    expect(labelSelector(undefined).matches({})).toBe(false)
    expect(labelSelector({}).matches({ a: 'b' })).toBe(true)
  })
  test('labels and expressions must all hold', () => {
    const selector = labelSelector({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'NotIn', values: ['back'] },
        { key: 'canary', operator: 'DoesNotExist' },
      ],
    })
    expect(selector.matches({ app: 'web', tier: 'front' })).toBe(true)
    expect(selector.matches({ app: 'web', tier: 'back' })).toBe(false)
    expect(selector.matches({ app: 'web', canary: '' })).toBe(false)
    expect(String(selector)).toBe('app=web,!canary,tier notin (back)')
  })
  test('an unknown operator is refused', () => {
    expect(() => labelSelector({ matchExpressions: [{ key: 'a', operator: 'Like' }] })).toThrow(SelectorError)
    expect(formatLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Like' }] })).toBe('<error>')
  })
  test('tables print them', () => {
    expect(formatLabelSelector(undefined)).toBe('<none>')
    expect(formatLabelSelector({ matchLabels: { b: '2', a: '1' } })).toBe('a=1,b=2')
    expect(formatLabels({ b: '2', a: '1' })).toBe('a=1,b=2')
    expect(formatLabels({})).toBe('<none>')
    expect(setSelector({ a: '1' }).matches({ a: '1', b: '2' })).toBe(true)
  })
})

const KEYS = ['a', 'b', 'in', 'example.com/x']
const VALUES = ['', '1', '2', 'in', 'x-y']

function randomSelector(random: Random) {
  const expressions = Array.from({ length: random.below(4) }, () => {
    const operator = random.pick(['In', 'NotIn', 'Exists', 'DoesNotExist'])
    const values = operator.endsWith('In')
      ? [...new Set(Array.from({ length: 1 + random.below(3) }, () => random.pick(VALUES)))]
      : []
    return { key: random.pick(KEYS), operator, values }
  })
  return { matchLabels: random.chance(0.5) ? { [random.pick(KEYS)]: random.pick(VALUES) } : {}, matchExpressions: expressions }
}

test('a selector and its text select the same, whatever it is', () => {
  const random = createRandom(11)
  for (let i = 0; i < 1000; i++) {
    const selector = labelSelector(randomSelector(random))
    const parsed = parseLabelSelector(String(selector))
    expect(String(parsed)).toBe(String(selector))
    const labels: Record<string, string> = {}
    for (const key of KEYS) if (random.chance(0.5)) labels[key] = random.pick(VALUES)
    expect(parsed.matches(labels), `${selector} on ${JSON.stringify(labels)}`).toBe(selector.matches(labels))
  }
})

describe('field selectors', () => {
  test('terms are conjunctions of equalities', () => {
    const terms = parseFieldSelector('status.phase!=Running,metadata.name==a')
    expect(terms).toEqual([
      { field: 'metadata.name', operator: '=', value: 'a' },
      { field: 'status.phase', operator: '!=', value: 'Running' },
    ])
    const fields: Record<string, string> = { 'metadata.name': 'a', 'status.phase': 'Pending' }
    expect(matchesFields(terms, (field) => fields[field] ?? '')).toBe(true)
    expect(matchesFields(terms, () => 'Running')).toBe(false)
  })
  test('nothing selects everything', () => expect(parseFieldSelector('')).toEqual([]))
  test.each([
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['a=b,c>1', "invalid selector: 'a=b,c>1'; can't understand 'c>1'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
  ])('%s: %s', (text, message) => expect(() => parseFieldSelector(text)).toThrow(new SelectorError(message)))

  test('any value survives being escaped', () => {
    const random = createRandom(3)
    for (let i = 0; i < 500; i++) {
      const value = Array.from({ length: random.below(6) }, () => random.pick(['a', ',', '=', '\\', '!', ' '])).join('')
      const terms = [{ field: 'x', operator: '=' as const, value }]
      expect(parseFieldSelector(formatFieldSelector(terms)), JSON.stringify(value)).toEqual(terms)
    }
  })

  test('an unknown field is refused in the words of its kind', () => {
    const message = (plural: string) => unknownFieldMessage(builtinDefinitions.find((d) => d.plural === plural)!, 'spec.x')
    expect(message('pods')).toBe('field label not supported: spec.x')
    expect(message('configmaps')).toBe('"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"')
    expect(message('jobs')).toBe('field label "spec.x" not supported for Job')
  })
})
