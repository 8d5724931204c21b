import { expect, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { createExpectations } from '../../../src/controllers/parts/expectations.ts'

function manualClock(): Clock & { at: number } {
  const clock = { at: 0, now: () => clock.at, monotonic: () => clock.at, after: () => () => {} }
  return clock
}

test('are met by as many creations as were made', () => {
  const expectations = createExpectations(manualClock())
  expect(expectations.satisfied('a/b')).toBe(true)
  expectations.expectCreations('a/b', 2)
  expect(expectations.creationObserved('a/b')).toBe(false)
  expect(expectations.satisfied('a/b')).toBe(false)
  expect(expectations.creationObserved('a/b')).toBe(true)
  expect(expectations.satisfied('a/b')).toBe(true)
})

test('know deletions by uid: seeing one twice does not stand for another', () => {
  const expectations = createExpectations(manualClock())
  expectations.expectDeletions('a/b', ['1', '2'])
  expect(expectations.deletionObserved('a/b', '1')).toBe(false)
  expect(expectations.deletionObserved('a/b', '1')).toBe(false)
  expect(expectations.deletionObserved('a/b', 'other')).toBe(false)
  expect(expectations.satisfied('a/b')).toBe(false)
  expect(expectations.deletionObserved('a/b', '2')).toBe(true)
})

test('are given up after five minutes', () => {
  const clock = manualClock()
  const expectations = createExpectations(clock)
  expectations.expectCreations('a/b', 1)
  clock.at = 5 * 60_000
  expect(expectations.satisfied('a/b')).toBe(false)
  clock.at += 1
  expect(expectations.satisfied('a/b')).toBe(true)
})

test('are forgotten with their owner', () => {
  const expectations = createExpectations(manualClock())
  expectations.expectCreations('a/b', 1)
  expectations.forget('a/b')
  expect(expectations.satisfied('a/b')).toBe(true)
})
