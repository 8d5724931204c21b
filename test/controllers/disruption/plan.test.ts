import { describe, expect, test } from 'vitest'
import type { PodDisruptionBudgetSpec } from '../../../src/api/types.ts'
import { planDisruption } from '../../../src/controllers/disruption/plan.ts'
import { ago, cases, NOW, NOW_MS, pod } from '../table.ts'

interface Case {
  name: string
  budget: PodDisruptionBudgetSpec
  pods: number
  scale?: number
  unready?: string[]
  leaving?: string[]
  granted?: Record<string, string>
  status: object
  reason?: string
  disrupted?: string[]
  nextLookMs?: number
}

describe('what may be disrupted', () => {
  test.each(cases<Case>(import.meta.url, './plan.yaml'))('$name', (given) => {
    const pods = Array.from({ length: given.pods }, (_, i) => {
      const name = `p${i}`
      return pod({
        name,
        ...(!given.unready?.includes(name) && { ready: '1h' }),
        deleted: given.leaving?.includes(name) ?? false,
      })
    })
    const granted = Object.entries(given.granted ?? {}).map(([name, age]) => [name, ago(age)])
    const budget = {
      metadata: { name: 'b', generation: 2 },
      spec: given.budget,
      status: {
        disruptedPods: Object.fromEntries(granted),
        disruptionsAllowed: 0,
        currentHealthy: 0,
        desiredHealthy: 0,
        expectedPods: 0,
      },
    }
    const { status, nextLookMs } = planDisruption({ budget, pods, expectedScale: given.scale ?? 0, nowMs: NOW_MS, now: NOW })
    expect(status).toMatchObject({ observedGeneration: 2, ...given.status })
    if (given.reason) expect(status.conditions?.[0]).toMatchObject({ type: 'DisruptionAllowed', reason: given.reason })
    expect(Object.keys(status.disruptedPods ?? {})).toEqual(given.disrupted ?? [])
    if (given.nextLookMs !== undefined) expect(nextLookMs).toBe(given.nextLookMs)
  })
})
