import { expect, test } from 'vitest'
import { type Action, type Observed, planRoll, resolveAmount, type Side } from '../../src/rollout/plan.ts'

/** `replicas/pods/available`, with `!` when not settled, `-` when not separate, `?` when not marked. */
function side(text: string): Side {
  const [replicas = 0, pods = 0, available = 0] = text.replaceAll(/[!?-]/g, '').split('/').map(Number)
  const flags = { settled: !text.includes('!'), separate: !text.includes('-'), marked: !text.includes('?') }
  return { replicas, pods, ready: available, available, ...flags }
}

function plan(old: string, next: string | undefined, desired = 3, maxSurge = 1, maxUnavailable = 0): string {
  const observed: Observed = {
    desired,
    maxSurge,
    maxUnavailable,
    old: side(old),
    new: next === undefined ? undefined : side(next),
  }
  return planRoll(observed).map(show).join(', ')
}

function show(action: Action): string {
  switch (action.do) {
    case 'separate':
      return `separate ${action.side}`
    case 'scale':
      return `${action.side}=${action.replicas}`
    default:
      return action.do
  }
}

test.each([
  ['labels the old one first', '3/3/3-', undefined, 'separate old'],
  ['then creates the new one', '3/3/3', undefined, 'create'],
  ['labels a new one that existed', '3/3/3', '0/0/0-', 'separate new'],
  ['marks both', '3/3/3?', '0/0/0?', 'mark'],
  ['grows by the surge', '3/3/3', '0/0/0', 'new=1'],
  ['waits while the new pod is not available', '3/3/3', '1/1/0', ''],
  ['shrinks when it is', '3/3/3', '1/1/1', 'old=2'],
  ['waits until the old pod is gone', '2/3/3!', '1/1/1', ''],
  ['grows again', '2/2/2', '1/1/1', 'new=2'],
  ['ends the old one', '1/1/1', '3/3/3', 'old=0'],
  ['waits for the last old pod', '0/1/1!', '3/3/3', ''],
  ['finishes', '0/0/0', '3/3/3', 'finish'],
  ['does not finish before all are available', '0/0/0', '3/3/2', ''],
  ['drops a broken old pod that new ones can replace', '3/3/0', '1/1/1', 'old=2'],
  ['takes back a broken new side', '1/1/0', '3/3/3', 'old=0'],
])('%s', (_name, old, next, expected) => {
  expect(plan(old, next)).toBe(expected)
})

test('unavailability makes room where there is no surge', () => {
  expect(plan('3/3/3', '0/0/0', 3, 0, 1)).toBe('old=2')
  expect(plan('2/2/2', '0/0/0', 3, 0, 1)).toBe('new=1')
  expect(plan('2/2/2', '1/1/0', 3, 0, 1)).toBe('')
})

test('from any reachable state a roll ends, within its limits', () => {
  for (let desired = 0; desired <= 5; desired++)
    for (const [surge, unavailable] of [
      [1, 0],
      [0, 1],
      [2, 1],
    ] as const)
      expect(simulate(desired, surge, unavailable)).toBe('finished')
})

/** Plays a server whose pods become available one at a time, and checks the limits at every step. */
function simulate(desired: number, maxSurge: number, maxUnavailable: number): string {
  const old = side(`${desired}/${desired}/${desired}`)
  const next = side('0/0/0')
  for (let step = 0; step < 100; step++) {
    const actions = planRoll({ desired, maxSurge, maxUnavailable, old, new: next })
    if (actions[0]?.do === 'finish') return 'finished'
    for (const action of actions) if (action.do === 'scale') (action.side === 'old' ? old : next).replicas = action.replicas
    old.pods = old.replicas
    old.available = old.replicas
    next.pods = next.replicas
    expect(old.pods + next.pods).toBeLessThanOrEqual(desired + maxSurge)
    expect(old.available + next.available).toBeGreaterThanOrEqual(desired - maxUnavailable)
    next.available = Math.min(next.pods, next.available + 1)
  }
  return 'stuck'
}

test('amounts are counts or percentages', () => {
  expect(resolveAmount('25%', 3, 'up')).toBe(1)
  expect(resolveAmount('25%', 3, 'down')).toBe(0)
  expect(resolveAmount('2', 3, 'up')).toBe(2)
  expect(() => resolveAmount('some', 3, 'up')).toThrow('neither a count nor a percentage')
})
