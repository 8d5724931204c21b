import { expect, test } from 'vitest'
import { deletionConditions } from '../../../src/controllers/namespace/conditions.ts'

const NOTHING = { undiscovered: [], undeleted: [], remaining: new Map(), finalizers: new Map() }

test('a namespace says what keeps it', () => {
  const findings = {
    ...NOTHING,
    remaining: new Map([
      ['pods.', 2],
      ['configmaps.', 1],
    ]),
    finalizers: new Map([['example.com/hold', 1]]),
  }
  const conditions = deletionConditions([], findings, 'now')
  expect(conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual([
    'NamespaceDeletionDiscoveryFailure False ResourcesDiscovered',
    'NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions',
    'NamespaceDeletionContentFailure False ContentDeleted',
    'NamespaceContentRemaining True SomeResourcesRemain',
    'NamespaceFinalizersRemaining True SomeFinalizersRemain',
  ])
  expect(conditions[3]?.message).toBe(
    'Some resources are remaining: configmaps. has 1 resource instances, pods. has 2 resource instances',
  )
  expect(conditions[4]?.message).toContain('example.com/hold in 1 resource instances')
})

test('times move only with the status, and conditions of others stay', () => {
  const before = [{ type: 'Other', status: 'True' }, ...deletionConditions([], NOTHING, 'then')]
  const after = deletionConditions(before, { ...NOTHING, remaining: new Map([['pods.', 1]]) }, 'now')
  expect(Object.fromEntries(after.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]))).toMatchObject({
    Other: undefined,
    NamespaceDeletionContentFailure: 'then',
    NamespaceContentRemaining: 'now',
  })
})
