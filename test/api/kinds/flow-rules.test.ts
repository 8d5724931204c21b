import { describe, expect, test } from 'vitest'
import { create } from './write.ts'

const subjects = [{ kind: 'User', user: { name: 'jane' } }]
const resourceRules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] }]
const schema = (change: object) => ({
  metadata: { name: 'mine' },
  spec: { priorityLevelConfiguration: { name: 'global-default' }, rules: [{ subjects, resourceRules }], ...change },
})
const level = (spec: object) => ({ metadata: { name: 'mine' }, spec: { type: 'Limited', ...spec } })

describe('flow schemas', () => {
  test('that say who and what are good', () => {
    const { object, causes } = create('flowschemas', schema({}))
    expect(causes).toEqual([])
    expect(object.spec.matchingPrecedence).toBe(1000)
  })

  test('that do not are refused', () => {
    const bad = { kind: 'User', group: { name: 'g' } }
    const rules = [{ subjects: [bad], resourceRules: [{ verbs: ['fly'], apiGroups: ['*', 'x'], resources: ['pods'] }] }, {}]
    expect(create('flowschemas', schema({ matchingPrecedence: 1, priorityLevelConfiguration: {}, rules })).causes).toEqual([
      "Forbidden | spec.rules[0].subjects[0].group | Forbidden: group is forbidden when subject kind is not 'Group'",
      "Invalid | spec.matchingPrecedence | Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
      'Invalid | spec.rules[0].resourceRules[0].apiGroups | Invalid value: ["*","x"]: if \'*\' is present, must not specify other api groups',
      'NotSupported | spec.rules[0].resourceRules[0].verbs | Unsupported value: ["fly"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
      'Required | spec.priorityLevelConfiguration.name | Required value: must reference a priority level',
      'Required | spec.rules[0].resourceRules[0].namespaces | Required value: resource rules that are not cluster scoped must supply at least one namespace',
      "Required | spec.rules[0].subjects[0].user | Required value: user is required when subject kind is 'User'",
      'Required | spec.rules[1] | Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
      'Required | spec.rules[1].subjects | Required value: subjects must contain at least one value',
    ])
  })
})

describe('priority levels', () => {
  test('queue or reject', () => {
    const limited = { limitResponse: { type: 'Queue', queuing: {} } }
    const { object, causes } = create('prioritylevelconfigurations', level({ limited }))
    expect(causes).toEqual([])
    expect(object.spec.limited).toEqual({
      nominalConcurrencyShares: 30,
      lendablePercent: 0,
      limitResponse: { type: 'Queue', queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
    })
  })

  test.each([
    ['Exempt', undefined, "type must be 'Exempt' if and only if name is 'exempt'"],
    ['Limited', undefined, 'must not be empty when type is Limited'],
    ['Limited', { limitResponse: { type: 'Reject', queuing: {} } }, 'must be nil if limited.limitResponse.type is not Limited'],
    ['Limited', { limitResponse: { type: 'Queue', queuing: { queues: 4 } } }, 'should not be greater than queues (4)'],
    ['Limited', { limitResponse: { type: 'Queue', queuing: { queues: 512, handSize: 8 } } }, 'required entropy bits'],
  ])('%s with %j is refused', (type, limited, text) => {
    expect(create('prioritylevelconfigurations', level({ type, ...(limited && { limited }) })).causes.join()).toContain(text)
  })
})
