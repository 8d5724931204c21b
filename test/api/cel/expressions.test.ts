/** Expressions: what they yield, what is wrong with them in cel-go's words, what they may cost. */
import { describe, expect, it } from 'vitest'
import { Budget } from '../../../src/api/cel/evaluator.ts'
import { kubernetesFunctions as functions } from '../../../src/api/cel/kubernetes.ts'
import { compileProgram } from '../../../src/api/cel/program.ts'
import { DYN, type Type } from '../../../src/api/cel/types.ts'
import { fromJson, toJson, type Value } from '../../../src/api/cel/values.ts'

const TYPES = new Map<string, Type>([
  ['n', { kind: 'int' }],
  ['s', { kind: 'string', max: 10 }],
  ['self', DYN],
  ['list', { kind: 'list', element: { kind: 'string', max: 100 }, max: 1000 }],
  ['object', { kind: 'object', name: 'object', fields: new Map([['name', { kind: 'string' }]]) }],
])
const VALUES = new Map<string, Value>([
  ['n', 5n],
  ['s', 'hello'],
  ['self', fromJson({ a: [1, 2, 3], m: { x: 'y' }, half: 0.5, none: null })],
  ['list', ['a', 'b']],
  ['object', fromJson({ name: 'web' })],
])
const compile = (source: string) => compileProgram(source, { functions, variables: TYPES })
const value = (source: string) => toJson(compile(source).run(VALUES, new Budget(100_000)))
const problem = (source: string) => {
  try {
    return value(source)
  } catch (error) {
    return (error as Error).message
  }
}

describe('values', () => {
  it.each([
    ['n + 1 == 6 && s.size() == 5', true],
    ['self.a.all(x, x > 0) && self.a.exists(x, x == 2) && self.a.exists_one(x, x > 2)', true],
    ['self.a.filter(x, x % 2 == 1).map(x, x * 10)', [10, 30]],
    ['self.a.map(x, x > 1, x * 2)', [4, 6]],
    ['has(self.m.x) && !has(self.m.z) && self.none == null', true],
    ['self.?m.?z.orValue("gone") + self.m[?"x"].orValue("")', 'goney'],
    ['{"a": 1, "b": 2}.transformMap(k, v, k != "a", v + 1)', { b: 3 }],
    ['[10, 20].transformList(i, v, i + v)', [10, 21]],
    ['n in [1, 5] && "x" in self.m', true],
    ['1 / 0 == 1 || true', true],
    ['self.half < 1 && dyn(1) == 1.0 && 1 < 1.5 && double(n) / 2.0 == 2.5', true],
    ['s.matches("^h.*o$") && !s.matches("^(a+)+$")', true],
    ['timestamp("2024-02-29T12:30:00Z").getFullYear() + timestamp("2024-02-29T12:30:00+02:00").getHours()', 2034],
    ['duration("1h30m") - duration("30m") == duration("60m")', true],
    ['string(timestamp("2024-01-01T00:00:00Z") + duration("90s"))', '2024-01-01T00:01:30Z'],
    ['n > 3 ? "big" : "small"', 'big'],
    ['r"\\d" != "d" && "\\u0041" == "A"', true],
    ['type(n) == int && type(s) == string', true],
    ["'a-b-c'.split('-').join('+') + 'x'.upperAscii() + 'hello'.substring(1, 3) + ' t '.trim()", 'a+b+cXelt'],
    ["'%s has %d of %.1f'.format(['web', 3, 0.25]) + strings.quote('q')", 'web has 3 of 0.3"q"'],
    ["'abc 123 def'.find('[0-9]+') + 'a1b2'.findAll('[0-9]').join()", '12312'],
    ['[3, 1, 2].max() + [3, 1, 2].sum() - [1, 1].indexOf(1)', 9],
    ['sets.contains([1, 2, 3], [3, 1]) && !sets.intersects([1], [2]) && [1, 2].isSorted()', true],
    ["quantity('1Gi').isGreaterThan(quantity('1000Mi')) && quantity('50k').add(20).asInteger() == 50020", true],
    ["url('https://example.com:80/a?b=c').getHost() + url('/x').getEscapedPath()", 'example.com:80/x'],
    ["ip('10.1.2.3').family() == 4 && cidr('10.0.0.0/8').containsIP('10.1.2.3') && !isIP('10.1')", true],
    ["string(cidr('192.168.1.5/24').masked()) + string(ip('::0001'))", '192.168.1.0/24::1'],
    ["semver('1.10.0').isGreaterThan(semver('1.9.0-rc.1')) && isSemver('v1.2', true) && !isSemver('v1.2')", true],
    ["!format.dns1123Label().validate('web-1').hasValue() && format.named('uuid').value().validate('x').hasValue()", true],
    ["jsonpatch.escapeKey('a/b~c')", 'a~1b~0c'],
    ['optional.of(3).optMap(v, v + 1).value()', 4],
  ])('%s', (source, expected) => {
    expect(value(source)).toEqual(expected)
  })

  it('fail with what Kubernetes says', () => {
    expect(problem('self.z == 1')).toBe('no such key: z')
    expect(problem('self.a[7]')).toBe('index out of bounds: 7')
    expect(problem('n / 0')).toBe('division by zero')
    expect(problem('9223372036854775807 + n')).toBe('integer overflow')
    expect(problem('self.m.x + 1')).toBe('no such overload')
  })

  it('are cut off when they take too long', () => {
    const program = compile('self.a.all(a, self.a.all(b, self.a.all(c, a + b + c > 0)))')
    expect(() => program.run(VALUES, new Budget(50))).toThrow('actual cost limit exceeded')
    expect(program.run(VALUES, new Budget(5_000))).toBe(true)
  })
})

describe('mistakes', () => {
  const OPERAND =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
  it.each([
    ['n +', 3, `Syntax error: mismatched input '<EOF>' expecting ${OPERAND}`],
    ['(n', 2, "Syntax error: missing ')' at '<EOF>'"],
    ['n )', 2, "Syntax error: extraneous input ')' expecting <EOF>"],
    ['missing > 1', 0, "undeclared reference to 'missing' (in container '')"],
    ['object.size > 1', 6, "undefined field 'size'"],
    ['n + "x"', 2, "found no matching overload for '_+_' applied to '(int, string)'"],
    ['s.startsWith(1)', 12, "found no matching overload for 'startsWith' applied to 'string.(int)'"],
    ['s.unheardOf()', 11, "undeclared reference to 'unheardOf' (in container '')"],
    ['n.all(x, true)', 0, "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"],
    ['has(n)', 4, 'invalid argument to has() macro'],
  ])('%s', (source, column, message) => {
    expect(problem(source)).toBe(`ERROR: <input>:1:${column + 1}: ${message}\n | ${source}\n | ${'.'.repeat(column)}^`)
  })
})

describe('estimates', () => {
  it('grow with the sizes that types allow', () => {
    expect(compile('n > 3').cost).toBe(2)
    expect(compile('s == "abc"').cost).toBe(2)
    const [one, two] = ['list.all(x, x == "a")', 'list.all(x, list.all(y, x == y))'].map((source) => compile(source).cost)
    expect(one).toBeGreaterThan(1_000)
    expect(two).toBeGreaterThan(1_000 * one!)
    expect(compile('self.a.all(x, x > 0)').cost).toBeGreaterThan(1e18)
  })
})
