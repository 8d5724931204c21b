import { expect, test } from 'vitest'
import { planPodGc } from '../../../src/controllers/nodes/plan-pod-gc.ts'
import { pod } from '../table.ts'

const names = (pods: { metadata: { name?: string | undefined } }[]) => pods.map(({ metadata }) => metadata.name)

test('finished pods beyond the limit go, oldest first; lost and unbound ones at once', () => {
  const pods = [
    pod({ name: 'young', phase: 'Succeeded', node: 'n', age: '1m' }),
    pod({ name: 'old', phase: 'Failed', node: 'n', age: '3h' }),
    pod({ name: 'middle', phase: 'Succeeded', node: 'n', age: '2h' }),
    pod({ name: 'running', ready: '1h', node: 'n' }),
    pod({ name: 'lost', ready: '1h', node: 'gone' }),
    pod({ name: 'unbound', deleted: true }),
    pod({ name: 'waiting' }),
  ]
  const plan = planPodGc(pods, 1, (node) => node === 'gone')
  expect(names(plan.surplus)).toEqual(['old', 'middle'])
  expect(names(plan.orphaned)).toEqual(['lost'])
  expect(names(plan.unbound)).toEqual(['unbound'])
})
