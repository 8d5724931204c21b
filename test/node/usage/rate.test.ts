/** Rates of CPU from looks at a counter. */
import { describe, expect, it } from 'vitest'
import { nextLook, usageOf } from '../../../src/node/usage/rate.ts'

const NOW = 1_000_000_000
const stats = (cpuSeconds: number, ageMs = 3_600_000) => ({
  startedAtMs: NOW - ageMs,
  cpuNanoSeconds: cpuSeconds * 1e9,
  memoryBytes: 4096,
})
const look = (agoMs: number, cpuSeconds: number) => ({ atMs: NOW - agoMs, cpuNanoSeconds: cpuSeconds * 1e9 })

describe('usage', () => {
  it('is the mean since the last look', () => {
    expect(usageOf(stats(107.5), NOW, look(15_000, 100))).toEqual({
      timestampMs: NOW,
      windowMs: 15_000,
      cpuNanoCores: 500_000_000,
      cpuNanoSeconds: 107.5e9,
      memoryBytes: 4096,
    })
  })

  it('is not known from one look, from one a moment ago or from one long ago', () => {
    expect(usageOf(stats(100), NOW, undefined)).toBeUndefined()
    expect(usageOf(stats(100), NOW, look(999, 99))).toBeUndefined()
    expect(usageOf(stats(100), NOW, look(60_001, 99))).toBeUndefined()
  })

  it('of what is young is the mean since its start', () => {
    expect(usageOf(stats(1, 2000), NOW, undefined)).toMatchObject({ windowMs: 2000, cpuNanoCores: 500_000_000 })
    expect(usageOf(stats(1, 500), NOW, undefined)).toBeUndefined()
  })

  it('is never below zero', () => {
    expect(usageOf(stats(99), NOW, look(2000, 100))?.cpuNanoCores).toBe(0)
  })

  it('is what the runtime says, where it knows', () => {
    const known = { ...stats(0), cpuNanoCores: 250_000_000 }
    expect(usageOf(known, NOW, undefined)).toMatchObject({ cpuNanoCores: 250_000_000, windowMs: 1000 })
  })
})

it('keeps a look until it is ten seconds old, so that asking often does not make windows short', () => {
  const kept = look(9000, 1)
  expect(nextLook(stats(5), NOW, kept)).toBe(kept)
  expect(nextLook(stats(5), NOW, look(10_000, 1))).toEqual({ atMs: NOW, cpuNanoSeconds: 5e9 })
  expect(nextLook(stats(5), NOW, undefined)).toEqual({ atMs: NOW, cpuNanoSeconds: 5e9 })
})
