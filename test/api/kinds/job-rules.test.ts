import { expect, test } from 'vitest'
import { container, create } from './write.ts'

const template = { spec: { restartPolicy: 'Never', containers: [container] } }
const indexed = { completionMode: 'Indexed', completions: 5, template }
const exitCodes = (values: number[], operator = 'In') => ({
  podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator, values } }] },
})

const causesOf = (spec: object) => create('jobs', { spec: { template, ...spec } }).causes

test.each<[string, object, string[]]>([
  ['intervals', { rules: [{ succeededIndexes: '0,2-4', succeededCount: 4 }] }, []],
  [
    'nothing to count',
    { rules: [{}] },
    [
      'Required | spec.successPolicy.rules[0] | Required value: at least one of succeededCount or succeededIndexes must be specified',
    ],
  ],
  [
    'an index beyond the last',
    { rules: [{ succeededIndexes: '5' }] },
    [
      'Invalid | spec.successPolicy.rules[0].succeededIndexes | Invalid value: "5": error parsing succeededIndexes: too large index: "5"',
    ],
  ],
  [
    'disorder',
    { rules: [{ succeededIndexes: '3,1' }] },
    [
      'Invalid | spec.successPolicy.rules[0].succeededIndexes | Invalid value: "3,1": error parsing succeededIndexes: non-increasing order, previous: 3, current: 1',
    ],
  ],
  [
    'more than there are',
    { rules: [{ succeededIndexes: '0-1', succeededCount: 3 }] },
    [
      'Invalid | spec.successPolicy.rules[0].succeededCount | Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)',
    ],
  ],
])('success policy: %s', (_, successPolicy, causes) => expect(causesOf({ ...indexed, successPolicy })).toEqual(causes))

test.each<[string, object, string[]]>([
  ['exit codes in order', exitCodes([1, 2]), []],
  [
    'exit codes twice and out of order',
    exitCodes([2, 1, 2]),
    [
      'Duplicate | spec.podFailurePolicy.rules[0].onExitCodes.values[2] | Duplicate value: 2',
      'Invalid | spec.podFailurePolicy.rules[0].onExitCodes.values | Invalid value: [2,1,2]: must be ordered',
    ],
  ],
  [
    'replacements beside a failure policy',
    { ...exitCodes([1]), podReplacementPolicy: 'TerminatingOrFailed' },
    ['NotSupported | spec.podReplacementPolicy | Unsupported value: "TerminatingOrFailed": supported values: "Failed"'],
  ],
  ['another controller', { managedBy: 'example.com/runner' }, []],
  [
    'another controller without a domain',
    { managedBy: 'runner' },
    ['Invalid | spec.managedBy | Invalid value: "runner": must be a domain-prefixed path (such as "acme.io/foo")'],
  ],
])('%s', (_, spec, causes) => expect(causesOf(spec)).toEqual(causes))

const many = { ...indexed, completions: 100_001, backoffLimitPerIndex: 1, parallelism: 1 }

test.each<[string, object, string[]]>([
  [
    'many indexes with a limit each',
    many,
    ['Required | spec.maxFailedIndexes | Required value: must be specified when completions is above 100000'],
  ],
  [
    'many indexes, and many at once',
    { ...many, maxFailedIndexes: 20_000, parallelism: 20_000 },
    [
      'Invalid | spec.maxFailedIndexes | Invalid value: 20000: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
      'Invalid | spec.parallelism | Invalid value: 20000: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
    ],
  ],
  [
    'limits of indexes without any',
    { backoffLimitPerIndex: 1, maxFailedIndexes: 1 },
    [
      'Invalid | spec.backoffLimitPerIndex | Invalid value: 1: requires indexed completion mode',
      'Invalid | spec.maxFailedIndexes | Invalid value: 1: requires indexed completion mode',
    ],
  ],
  [
    'a rule of nothing',
    { podFailurePolicy: { rules: [{}] } },
    [
      'Invalid | spec.podFailurePolicy.rules[0] | Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
      'Required | spec.podFailurePolicy.rules[0].action | Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
    ],
  ],
  [
    "labels that are the server's",
    { template: { ...template, metadata: { labels: { 'job-name': 'other' } } } },
    [expect.stringMatching(/^Invalid \| spec\.template\.metadata\.labels\[job-name\] \| .*: must be 'n'$/) as unknown as string],
  ],
])('%s', (_, spec, expected) => expect(causesOf(spec)).toEqual(expected))

test('the name of an indexed job leaves room for the index', () => {
  const name = 'x'.repeat(63)
  const { causes } = create('jobs', { metadata: { name }, spec: indexed })
  expect(causes).toEqual([
    `Invalid | metadata.name | Invalid value: "${name}": will not able to create pod with invalid DNS label: ${name}-4`,
  ])
})
