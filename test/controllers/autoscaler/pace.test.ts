/** How fast an autoscaler lets its target grow and shrink. */
import { describe, expect, it } from 'vitest'
import type { HorizontalPodAutoscalerSpec, HPAScalingRules } from '../../../src/api/types.ts'
import { type History, pace } from '../../../src/controllers/autoscaler/pace.ts'

const NOW = 1_000_000_000
const NOTHING: History = { recommendations: [], ups: [], downs: [] }
const at = (...entries: readonly (readonly [agoSeconds: number, replicas: number])[]) =>
  entries.map(([agoSeconds, replicas]) => ({ replicas, atMs: NOW - agoSeconds * 1000 }))

function spec(more: Partial<HorizontalPodAutoscalerSpec> = {}): HorizontalPodAutoscalerSpec {
  return { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas: 1, maxReplicas: 100, ...more }
}

/** With the defaults that the API fills in. */
function behaving(up: HPAScalingRules = {}, down: HPAScalingRules = {}): HorizontalPodAutoscalerSpec {
  const twice = [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ]
  const all = [{ type: 'Percent', value: 100, periodSeconds: 15 }]
  return spec({
    behavior: {
      scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: twice, ...up },
      scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: all, ...down },
    },
  })
}

const said = (paced: ReturnType<typeof pace>) => `${paced.replicas} ${paced.able.reason} ${paced.limited.reason}`

describe('without a wish', () => {
  it('a target grows to what is asked for, at most twice, or to four', () => {
    expect(said(pace(spec(), 3, 5, NOTHING, NOW))).toBe('5 ReadyForNewScale DesiredWithinRange')
    expect(said(pace(spec(), 3, 9, NOTHING, NOW))).toBe('6 ReadyForNewScale ScaleUpLimit')
    expect(said(pace(spec(), 1, 9, NOTHING, NOW))).toBe('4 ReadyForNewScale ScaleUpLimit')
    expect(pace(spec(), 1, 9, NOTHING, NOW).limited.isLimited).toBe(true)
  })

  it('it stays between its bounds', () => {
    expect(said(pace(spec({ maxReplicas: 5 }), 4, 9, NOTHING, NOW))).toBe('5 ReadyForNewScale TooManyReplicas')
    expect(said(pace(spec({ minReplicas: 2 }), 3, 0, NOTHING, NOW))).toBe('2 ReadyForNewScale TooFewReplicas')
  })

  it('it shrinks to the highest recommendation of five minutes', () => {
    const recent = { ...NOTHING, recommendations: at([301, 9], [299, 4], [10, 3]) }
    expect(said(pace(spec(), 5, 2, recent, NOW))).toBe('4 ScaleDownStabilized DesiredWithinRange')
    const old = { ...NOTHING, recommendations: at([400, 9]) }
    expect(said(pace(spec(), 5, 2, old, NOW))).toBe('2 ReadyForNewScale DesiredWithinRange')
  })
})

describe('stabilization windows', () => {
  it('hold growth at the lowest recommendation', () => {
    const slow = behaving({ stabilizationWindowSeconds: 60 })
    const recent = { ...NOTHING, recommendations: at([59, 5], [30, 8]) }
    expect(said(pace(slow, 4, 8, recent, NOW))).toBe('5 ScaleUpStabilized DesiredWithinRange')
    const old = { ...NOTHING, recommendations: at([61, 5], [30, 8]) }
    expect(said(pace(slow, 4, 8, old, NOW))).toBe('8 ReadyForNewScale DesiredWithinRange')
  })

  it('hold shrinking at the highest', () => {
    const slow = behaving({}, { stabilizationWindowSeconds: 60 })
    const recent = { ...NOTHING, recommendations: at([59, 6], [30, 3]) }
    expect(said(pace(slow, 10, 2, recent, NOW))).toBe('6 ScaleDownStabilized DesiredWithinRange')
  })

  it('keep the number where recommendations go up and down', () => {
    const both = behaving({ stabilizationWindowSeconds: 60 }, { stabilizationWindowSeconds: 60 })
    const recent = { ...NOTHING, recommendations: at([50, 2], [40, 9]) }
    expect(pace(both, 5, 7, recent, NOW).replicas).toBe(5)
    expect(pace(both, 5, 3, recent, NOW).replicas).toBe(5)
  })

  it('of shrinking are five minutes, when growth alone is spoken of', () => {
    const { behavior } = behaving()
    delete behavior!.scaleDown!.stabilizationWindowSeconds
    const recent = { ...NOTHING, recommendations: at([299, 6]) }
    expect(pace(spec({ behavior }), 10, 2, recent, NOW).replicas).toBe(6)
  })
})

describe('policies', () => {
  const pods = (value: number, periodSeconds = 60) => ({ type: 'Pods', value, periodSeconds })
  const percent = (value: number, periodSeconds = 60) => ({ type: 'Percent', value, periodSeconds })

  it('limit growth by pods and by percent, the larger by default', () => {
    expect(said(pace(behaving({ policies: [pods(3)] }), 5, 20, NOTHING, NOW))).toBe('8 ReadyForNewScale ScaleUpLimit')
    expect(pace(behaving({ policies: [percent(50)] }), 5, 20, NOTHING, NOW).replicas).toBe(8)
    expect(pace(behaving({ policies: [pods(3), percent(200)] }), 5, 20, NOTHING, NOW).replicas).toBe(15)
    expect(pace(behaving({ selectPolicy: 'Min', policies: [pods(3), percent(200)] }), 5, 20, NOTHING, NOW).replicas).toBe(8)
  })

  it('limit shrinking, the larger step by default', () => {
    expect(said(pace(behaving({}, { policies: [pods(3)] }), 20, 1, NOTHING, NOW))).toBe('17 ReadyForNewScale ScaleDownLimit')
    expect(pace(behaving({}, { policies: [percent(25)] }), 20, 1, NOTHING, NOW).replicas).toBe(15)
    expect(pace(behaving({}, { policies: [pods(3), percent(25)] }), 20, 1, NOTHING, NOW).replicas).toBe(15)
    const least = behaving({}, { selectPolicy: 'Min', policies: [pods(3), percent(25)] })
    expect(pace(least, 20, 1, NOTHING, NOW).replicas).toBe(17)
  })

  it('count what was changed in their period', () => {
    const grown = { ...NOTHING, ups: at([61, 5], [30, 2]) }
    expect(pace(behaving({ policies: [pods(3)] }), 10, 20, grown, NOW).replicas).toBe(11)
    const shrunk = { ...NOTHING, downs: at([30, 2]) }
    expect(pace(behaving({}, { policies: [pods(3)] }), 10, 1, shrunk, NOW).replicas).toBe(9)
    // What was taken away in the meantime may come back.
    expect(pace(behaving({ policies: [pods(3)] }), 10, 20, shrunk, NOW).replicas).toBe(15)
  })

  it('never turn around: who changed more than is allowed now stays', () => {
    const grown = { ...NOTHING, ups: at([30, 9]) }
    expect(said(pace(behaving({ policies: [pods(3)] }), 10, 20, grown, NOW))).toBe('10 ReadyForNewScale ScaleUpLimit')
    const shrunk = { ...NOTHING, downs: at([30, 9]) }
    expect(said(pace(behaving({}, { policies: [pods(3)] }), 10, 1, shrunk, NOW))).toBe('10 ReadyForNewScale ScaleDownLimit')
  })

  it('may be disabled, one direction each', () => {
    expect(pace(behaving({ selectPolicy: 'Disabled' }), 5, 9, NOTHING, NOW).replicas).toBe(5)
    expect(pace(behaving({}, { selectPolicy: 'Disabled' }), 5, 1, NOTHING, NOW).replicas).toBe(5)
    expect(pace(behaving({}, { selectPolicy: 'Disabled' }), 5, 9, NOTHING, NOW).replicas).toBe(9)
  })

  it('give way to the bounds', () => {
    expect(said(pace({ ...behaving(), maxReplicas: 6 }, 5, 9, NOTHING, NOW))).toBe('6 ReadyForNewScale TooManyReplicas')
    expect(said(pace({ ...behaving(), minReplicas: 4 }, 5, 1, NOTHING, NOW))).toBe('4 ReadyForNewScale TooFewReplicas')
  })
})
