/** Durations, in the words of Go. */
import { expect, it } from 'vitest'
import { formatGoDuration, parseGoDuration } from '../../src/api/duration.ts'

it.each([
  [0n, '0s'],
  [1n, '1ns'],
  [1500n, '1.5µs'],
  [20_000_000n, '20ms'],
  [15_104_000_000n, '15.104s'],
  [60_500_000_000n, '1m0.5s'],
  [3_600_000_000_000n, '1h0m0s'],
  [-3_661_000_000_000n, '-1h1m1s'],
])('%s nanoseconds are %s, and back', (nanos, text) => {
  expect(formatGoDuration(nanos)).toBe(text)
  expect(parseGoDuration(text)).toBe(nanos)
})

it('takes what Go takes, and nothing else', () => {
  expect(parseGoDuration('0')).toBe(0n)
  expect(parseGoDuration('+1.5h')).toBe(5_400_000_000_000n)
  for (const text of ['', '5', 's', '1x', '1 s', '--1s']) expect(parseGoDuration(text)).toBeUndefined()
})
