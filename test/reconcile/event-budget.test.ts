import { expect, test } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { createEventBudget } from '../../src/reconcile/event-budget.ts'

test('one component says 25 things about one object at once, then one in five minutes', () => {
  let nowMs = 0
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, after: () => () => {} }
  const budget = createEventBudget(clock)
  const granted = Array.from({ length: 40 }, () => budget.take('one', 'a')).filter(Boolean)
  expect(granted).toHaveLength(25)
  expect(budget.take('other', 'a')).toBe(true)
  expect(budget.take('one', 'b')).toBe(true)
  nowMs += 5 * 60_000
  expect([budget.take('one', 'a'), budget.take('one', 'a')]).toEqual([true, false])
})
