import { expect, test } from 'vitest'
import { type Action, type Observed, planRoll, resolveAmount, type Side } from '../../src/rollout/plan.ts'

/**
 * `replicas/pods/available`, with `!` when not settled, `-` when not separate, `?` when not marked, `+` when the roll has not
 * begun there, `=2` for the count it wrote last.
 */
function side(name: string, text: string): Side {
  const [counts = '', written] = text.split('=')
  const [replicas = 0, pods = 0, available = 0] = counts
    .replaceAll(/[!?+-]/g, '')
    .split('/')
    .map(Number)
  const begun = !counts.includes('+')
  const flags = { settled: !counts.includes('!'), separate: !counts.includes('-'), marked: begun && !counts.includes('?'), begun }
  return { name, replicas, written: written === undefined ? replicas : Number(written), pods, available, ...flags }
}

function plan(
  old: string,
  next: string | undefined,
  desired = 3,
  maxSurge = 1,
  maxUnavailable = 0,
  more: Partial<Observed> = {},
): string {
  const observed: Observed = {
    desired,
    maxSurge,
    maxUnavailable,
    canary: undefined,
    leaving: [side('old', old)],
    staying: next === undefined ? undefined : side('new', next),
    surplus: [],
    pet: undefined,
    ...more,
  }
  return planRoll(observed).map(show).join(', ')
}

function show(action: Action): string {
  switch (action.do) {
    case 'scale':
      return `${action.name}=${action.replicas}`
    case 'rescale':
      return `rescale to ${action.desired}`
    case 'adopt':
      return `adopt ${action.from} as ${action.to}`
    default:
      return 'name' in action ? `${action.do} ${action.name}` : action.do
  }
}

test.each([
  ['creates the new one, with all that is known of the roll, first', '3/3/3-+', undefined, 'create'],
  ['begins at one that existed', '3/3/3-+', '0/0/0-+', 'begin new'],
  ['then labels the old one', '3/3/3-+', '0/0/0?', 'separate old'],
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
  const old = side('old', `${desired}/${desired}/${desired}`)
  const next = side('new', '0/0/0')
  for (let step = 0; step < 100; step++) {
    const actions = planRoll({
      ...{ desired, maxSurge, maxUnavailable, canary: undefined, surplus: [], pet: undefined },
      ...{ leaving: [old], staying: next },
    })
    if (actions[0]?.do === 'finish') return 'finished'
    for (const action of actions)
      if (action.do === 'scale')
        Object.assign(action.name === 'old' ? old : next, { replicas: action.replicas, written: action.replicas })
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
