/** What is done about a pod, decided from what it requires. */
import { describe, expect, it } from 'vitest'
import type { Requirement } from '../../../src/api/requires/requirement.ts'
import type { Pod } from '../../../src/api/types.ts'
import { type Judged, planPod } from '../../../src/extend/requires/plan.ts'

const CREATED = '2026-01-01T00:00:00Z'
/** Timeouts count from the end of the second that the wire has. */
const createdMs = Date.parse(CREATED) + 1000

function pod(gated: boolean, condition?: { status: string; reason: string; message?: string }): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', creationTimestamp: CREATED },
    spec: { containers: [], ...(gated && { schedulingGates: [{ name: 'skiff.dev/requires' }] }) },
    ...(condition && { status: { conditions: [{ type: 'skiff.dev/RequirementsMet', ...condition }] } }),
  }
}

function judged(met: boolean, options: Partial<Requirement> = {}): Judged {
  const requirement: Requirement = { text: 'service/db', target: { type: 'object', kind: 'service', name: 'db' }, ...options }
  return { requirement, verdict: { met, why: met ? '' : 'there is none' } }
}

describe('a pod that waits', () => {
  it('is let go when everything is there', () => {
    const plan = planPod(pod(true), [judged(true), judged(true)], createdMs)
    expect(plan).toMatchObject({ lift: true, condition: { status: 'True', reason: 'Met' } })
  })

  it('says what it waits for, once', () => {
    const first = planPod(pod(true), [judged(true), judged(false)], createdMs)
    const message = 'waiting for service/db (there is none)'
    expect(first).toEqual({
      condition: { status: 'False', reason: 'Waiting', message },
      event: { type: 'Normal', reason: 'WaitingForRequirements', message },
    })
    expect(planPod(pod(true, { status: 'False', reason: 'Waiting', message }), [judged(false)], createdMs)).toEqual({})
  })

  it('looks again when a timeout runs out, and not before', () => {
    const plan = planPod(pod(true), [judged(false, { timeoutMs: 5000, onTimeout: 'Fail' })], createdMs + 2000)
    expect(plan).toMatchObject({ lookAgainMs: 3000 })
    expect(plan.fail).toBeUndefined()
  })

  it('fails, goes on or waits longer after it, as asked', () => {
    const after = createdMs + 6000
    const failed = planPod(pod(true), [judged(false, { timeoutMs: 5000, onTimeout: 'Fail' })], after)
    expect(failed.fail?.message).toBe('service/db did not hold within 5 s: there is none')
    const byStage = planPod(pod(true), [judged(false, { timeoutMs: 5000, onTimeout: 'Fail', byStage: true })], after)
    expect(byStage.fail?.reason).toBe('StageTimeout:requires')
    expect(planPod(pod(true), [judged(false, { timeoutMs: 5000, onTimeout: 'Proceed' })], after)).toMatchObject({
      lift: true,
      condition: { reason: 'TimedOutAndProceeded', message: 'goes on without service/db' },
    })
    const late = planPod(pod(true), [judged(false, { timeoutMs: 5000 })], after)
    expect(late.condition?.message).toBe('waiting for service/db (there is none, for more than 5 s)')
    expect(late.lookAgainMs).toBeUndefined()
  })
})

describe('a pod that runs', () => {
  it('is stopped when it loses what it cannot be without', () => {
    expect(planPod(pod(false), [judged(false, { onLoss: 'stop' })], createdMs)).toMatchObject({
      remove: true,
      condition: { reason: 'Lost' },
    })
  })

  it('is started anew when that is back, and only then', () => {
    const lost = planPod(pod(false, { status: 'True', reason: 'Met' }), [judged(false, { onLoss: 'restart' })], createdMs)
    expect(lost).toMatchObject({ condition: { status: 'False', reason: 'Lost' } })
    expect(lost.remove).toBeUndefined()
    const known = { status: 'False', reason: 'Lost', message: 'lost service/db (there is none)' }
    expect(planPod(pod(false, known), [judged(false, { onLoss: 'restart' })], createdMs)).toEqual({})
    expect(planPod(pod(false, known), [judged(true, { onLoss: 'restart' })], createdMs)).toMatchObject({ remove: true })
  })
})
