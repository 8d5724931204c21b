import { expect, it } from 'vitest'
import { candidatesOf } from '../../../src/extend/triggers/candidates.ts'
import { readImageTriggers } from '../../../src/extend/triggers/settings.ts'

const policy = (fields: object) => readImageTriggers([fields])[0]!.policy
const TAGS = ['latest', '1.0.0', '1.2.0', 'v1.10.0', '2.0.0', '2.1.0-rc.1', 'main-9', 'main-10', 'main-x', '2026-01-31']

it.each([
  [{ semver: '^1' }, undefined, ['v1.10.0', '1.2.0', '1.0.0'], ''],
  [{ semver: '^1' }, '1.2.0', ['v1.10.0', '1.2.0'], ''],
  [{ semver: '^1' }, 'latest', ['v1.10.0', '1.2.0', '1.0.0'], ''],
  [{ semver: '^1' }, '2.0.0', [], '2.0.0 runs, which is above all that fit'],
  [{ semver: '^7' }, '1.0.0', [], 'no tag is a version in "^7"'],
  [{ newest: 'main-*' }, undefined, ['main-10', 'main-9'], ''],
  [{ newest: 'main-*' }, 'main-10', ['main-10'], ''],
  [{ newest: 'main-*', by: 'name' }, undefined, ['main-x', 'main-9', 'main-10'], ''],
  [{ newest: '20*-31', by: 'name' }, undefined, ['2026-01-31'], ''],
  [{ newest: 'dev-*' }, undefined, [], 'no tag fits "dev-*" with a number'],
  [{ tag: 'stable' }, '9.0.0', ['stable'], ''],
  [{ tag: '1.0.0' }, '1.2.0', [], '1.2.0 runs, which is above 1.0.0'],
])('%j with %s running', (fields, current, tags, why) => {
  expect(candidatesOf(policy(fields), TAGS, current)).toEqual({ tags, why })
})

it('compares numbers of any length', () => {
  const tags = ['b-99999999999999999999', 'b-100000000000000000000', 'b-0007']
  expect(candidatesOf(policy({ newest: 'b-*' }), tags, undefined).tags).toEqual([tags[1], tags[0], tags[2]])
})

it.each([
  [{}, 'a list of triggers is expected'],
  [[{ container: 'c' }], '[0]: one of tag, semver, newest is needed, and only one'],
  [[{ tag: 'a', semver: '1' }], '[0]: one of tag, semver, newest is needed, and only one'],
  [[{ tag: 'a', contaner: 'c' }], '[0]: contaner: no such field; there are container'],
  [[{ semver: 1.2 }], '[0]: semver: a text is expected; put 1.2 in quotes'],
  [[{ semver: '^^1' }], '[0]: "^^1" is no version or part of a range'],
  [[{ newest: 'main' }], '[0]: newest: one asterisk is needed'],
  [[{ tag: 'a', by: 'name' }], '[0]: by: goes with newest only'],
  [[{ tag: 'a', from: 'disk' }], '[0]: from: "disk" is none of registry, nodes'],
  [[{ tag: 'a', every: '1s' }], '[0]: every: at least 5s, not 1s'],
  [[{ tag: 'a', every: 'often' }], '[0]: every: a duration such as 30s, 5m or 1h is expected, not "often"'],
  [[{ tag: 'a', paused: 'yes' }], '[0]: paused: true or false is expected, not "yes"'],
  [[{ tag: 'a', image: 'web:v1' }], '[0]: image: a repository is expected, without tag or digest, not "web:v1"'],
  [[{ tag: 'a', image: 'We b' }], "[0]: couldn't parse image name"],
  [
    [
      { tag: 'a', container: 'c' },
      { tag: 'b', container: 'c' },
    ],
    'c stands twice',
  ],
  [[{ tag: 'a' }, { tag: 'b', container: 'c' }], 'with several triggers each names its container'],
])('refuses %j', (document, message) => {
  expect(() => readImageTriggers(document)).toThrow(message)
})
