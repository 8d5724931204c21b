import { describe, expect, test } from 'vitest'
import { planReplicas, planStatus, type ReplicasCondition, type ReplicasFailure } from '../../../src/controllers/replicas/plan.ts'
import { cases, NOW, NOW_MS, pod, type ShortPod } from '../table.ts'

interface PlanCase {
  name: string
  replicas: number
  pods: number
  plan: { action: string; count?: number; wanted?: number }
}

describe('what to do', () => {
  test.each(cases<PlanCase>(import.meta.url, './plan.yaml'))('$name', ({ replicas, pods, plan }) => {
    const own = Array.from({ length: pods }, (_, i) => pod({ name: `p${i}`, node: 'n', ready: '1h' }))
    const planned = planReplicas(replicas, own, () => own, NOW_MS)
    expect(planned.action === 'delete' ? { ...planned, pods: undefined, count: planned.pods.length } : planned).toEqual(plan)
  })
})

interface StatusCase {
  name: string
  pods: ShortPod[]
  templateLabels?: Record<string, string>
  minReadySeconds?: number
  failure?: ReplicasFailure
  conditions?: ReplicasCondition[]
  status: object
  nextAvailableMs?: number
}

describe('what to report', () => {
  test.each(cases<StatusCase>(import.meta.url, './status.yaml'))('$name', (given) => {
    const { status, nextAvailableMs } = planStatus({
      pods: given.pods.map(pod),
      terminating: 0,
      templateLabels: given.templateLabels ?? {},
      minReadySeconds: given.minReadySeconds ?? 0,
      generation: 7,
      failure: given.failure,
      conditions: given.conditions ?? [],
      nowMs: NOW_MS,
      now: NOW,
    })
    expect(status).toEqual(given.status)
    expect(nextAvailableMs).toBe(given.nextAvailableMs)
  })
})
