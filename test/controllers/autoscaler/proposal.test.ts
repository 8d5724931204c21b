/** How many replicas a metric asks for: the cases of Kubernetes' own replica calculator. */
import { describe, expect, it } from 'vitest'
import type { Pod } from '../../../src/api/types.ts'
import { byAverage, byShare, byUtilization, byValue, type Situation } from '../../../src/controllers/autoscaler/proposal.ts'
import type { PodMetrics } from '../../../src/controllers/autoscaler/readiness.ts'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

interface PodWish {
  /** Of each of its containers; undefined: none is given. */
  request?: string | undefined
  phase?: string
  ready?: boolean
  /** Seconds since its start, and since its readiness last changed. */
  age?: number
  changed?: number
  deleted?: boolean
}

function pod(name: string, wish: PodWish = {}): Pod {
  const { request = '1', phase = 'Running', ready = true, age = 3600, changed = 3500, deleted } = wish
  const resources = 'request' in wish && wish.request === undefined ? {} : { requests: { cpu: request } }
  return {
    metadata: { name, ...(deleted && { deletionTimestamp: ago(1) }) },
    spec: { containers: ['c1', 'c2'].map((container) => ({ name: container, resources })) },
    status: {
      phase,
      startTime: ago(age),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: ago(changed) }],
    },
  }
}

/** Thousandths by pod: what all its containers use. */
function metrics(values: readonly (number | undefined)[], agoSeconds = 0): PodMetrics {
  const found = values.flatMap((value, index) =>
    value === undefined ? [] : [[`p${index}`, { value, timestampMs: NOW - agoSeconds * 1000, windowMs: 60_000 }] as const],
  )
  return new Map(found)
}

function situation(wishes: readonly PodWish[], more: Partial<Situation> = {}): Situation {
  const pods = wishes.map((wish, index) => pod(`p${index}`, wish))
  return { currentReplicas: pods.length, pods, tolerance: { up: 0.1, down: 0.1 }, nowMs: NOW, ...more }
}

const many = (count: number, wish: PodWish = {}): PodWish[] => Array.from({ length: count }, () => wish)
const cpu = (percent: number, container?: string) => ({ percent, resource: 'cpu', container })
/** Each pod requests 2 cores. */
const utilization = (wishes: readonly PodWish[], percent: number, values: readonly (number | undefined)[]) =>
  byUtilization(situation(wishes), cpu(percent), metrics(values))

describe('utilization', () => {
  it('brings the mean to the target', () => {
    expect(utilization(many(3), 30, [600, 1000, 1400])).toEqual({ replicas: 5, utilization: 50, value: 1000 })
    expect(
      utilization(
        many(5),
        50,
        many(5).map(() => 200),
      ),
    ).toMatchObject({ replicas: 1, utilization: 10 })
  })

  it('does nothing within the tolerance', () => {
    expect(utilization(many(3), 100, [2180, 2180, 2180])).toMatchObject({ replicas: 3, utilization: 109 })
    expect(utilization(many(3), 100, [2220, 2220, 2220])).toMatchObject({ replicas: 4, utilization: 111 })
    expect(utilization(many(3), 100, [1820, 1820, 1820])).toMatchObject({ replicas: 3, utilization: 91 })
  })

  it('takes a tolerance of its own in each direction', () => {
    const tight = situation(many(4), { tolerance: { up: 0, down: 0.5 } })
    expect(byUtilization(tight, cpu(50), metrics([1020, 1020, 1020, 1020])).replicas).toBe(5)
    expect(byUtilization(tight, cpu(50), metrics([600, 600, 600, 600])).replicas).toBe(4)
  })

  it('does not count pods that start, but their number, when it grows', () => {
    // With those that start taken for idle, growth is dampened.
    const starting = [{}, { ready: false, age: 60, changed: 60 }, { ready: false, age: 60, changed: 60 }]
    expect(utilization(starting, 30, [1400, 200, 200])).toMatchObject({ replicas: 3, utilization: 70 })
    expect(utilization(starting, 30, [2400, 200, 200])).toMatchObject({ replicas: 4, utilization: 120 })
  })

  it('does not count pods that start when it shrinks', () => {
    const starting = [{}, {}, { ready: false, age: 60, changed: 60 }]
    expect(utilization(starting, 50, [200, 200, 2000])).toMatchObject({ replicas: 1, utilization: 10 })
  })

  it('takes a young pod for one that starts until it was ready for a whole window', () => {
    const young = [{}, { age: 100, changed: 59 }]
    expect(utilization(young, 50, [1000, 2000])).toMatchObject({ utilization: 50 })
    const settled = [{}, { age: 100, changed: 61 }]
    expect(utilization(settled, 50, [1000, 2000])).toMatchObject({ utilization: 75 })
  })

  it('counts an old pod that was ready once, though it is not now', () => {
    expect(utilization([{}, { ready: false, changed: 100 }], 50, [1000, 2000])).toMatchObject({ utilization: 75 })
    expect(utilization([{}, { ready: false, changed: 3595 }], 50, [1000, 2000])).toMatchObject({ utilization: 50 })
  })

  it('takes pods that are pending for idle when it grows', () => {
    const pending = [{}, {}, { phase: 'Pending' }]
    expect(utilization(pending, 50, [2000, 2000, undefined])).toMatchObject({ replicas: 4, utilization: 100 })
  })

  it('ignores pods that failed or are about to go', () => {
    expect(utilization([{}, {}, { phase: 'Failed' }, { deleted: true }], 50, [2000, 2000, 0, 0])).toMatchObject({ replicas: 4 })
  })

  it('takes pods without metrics for idle when it grows, and for busy when it shrinks', () => {
    expect(utilization(many(4), 100, [2400, 2400, 2400, undefined])).toMatchObject({ replicas: 4, utilization: 120 })
    expect(utilization(many(4), 50, [2400, 2400, 2400, undefined])).toMatchObject({ replicas: 8 })
    expect(utilization(many(4), 50, [200, 200, 200, undefined])).toMatchObject({ replicas: 3 })
    expect(utilization(many(2), 50, [1000, undefined])).toMatchObject({ replicas: 2 })
  })

  it('never turns around for what was assumed', () => {
    // Measured: below the target. With the missing pod at full use it would be above.
    expect(utilization(many(2), 50, [800, undefined])).toMatchObject({ replicas: 2 })
    expect(utilization(many(3), 100, [2400, undefined, undefined])).toMatchObject({ replicas: 3 })
  })

  it('looks at one container where it is asked to', () => {
    const one = byUtilization(situation(many(2)), cpu(50, 'c1'), metrics([500, 1000]))
    expect(one).toEqual({ replicas: 3, utilization: 75, value: 750 })
  })

  it('takes the requests of whole pods, and those of sidecars', () => {
    const whole = situation([{ request: undefined }])
    whole.pods[0]!.spec!.resources = { requests: { cpu: '4' } }
    expect(byUtilization(whole, cpu(50), metrics([2000]))).toMatchObject({ utilization: 50 })
    const sidecar = situation([{}])
    sidecar.pods[0]!.spec!.initContainers = [
      { name: 'side', restartPolicy: 'Always', resources: { requests: { cpu: '2' } } },
      { name: 'init', resources: { requests: { cpu: '9' } } },
    ]
    expect(byUtilization(sidecar, cpu(50), metrics([2000]))).toMatchObject({ utilization: 50 })
  })

  it.each([
    ['no pods', () => utilization([], 50, [1]), 'no pods returned by selector while calculating replica count'],
    [
      'no pod that is ready',
      () => utilization([{ phase: 'Pending' }], 50, [1]),
      'did not receive metrics for targeted pods (pods might be unready)',
    ],
    ['no request', () => utilization([{ request: undefined }], 50, [1]), 'missing request for cpu in container c1 of Pod p0'],
    [
      'no such container',
      () => byUtilization(situation(many(1)), cpu(50, 'none'), metrics([1])),
      'container none not found in Pod p0',
    ],
    ['requests of nothing', () => utilization([{ request: '0' }], 50, [1]), 'no metrics returned matched known pods'],
  ])('is not to be had with %s', (_, propose, message) => {
    expect(propose).toThrow(message)
  })
})

describe('an average', () => {
  const average = (wishes: readonly PodWish[], target: number, values: readonly (number | undefined)[]) =>
    byAverage(situation(wishes), target, metrics(values))

  it('brings the mean to the target', () => {
    expect(average(many(3), 15_000, [20_000, 10_000, 30_000])).toEqual({ replicas: 4, value: 20_000 })
    expect(
      average(
        many(5),
        20_000,
        many(5).map(() => 10_000),
      ),
    ).toEqual({ replicas: 3, value: 10_000 })
    expect(average(many(3), 20_000, [20_000, 21_000, 21_000])).toEqual({ replicas: 3, value: 20_666 })
  })

  it('counts pods that are not ready, unless it is of CPU', () => {
    const starting = [{}, { ready: false, age: 60, changed: 60 }]
    expect(average(starting, 1000, [2000, 4000])).toMatchObject({ replicas: 6, value: 3000 })
    expect(byAverage(situation(starting), 1000, metrics([2000, 4000]), 'cpu')).toMatchObject({ replicas: 2, value: 2000 })
  })

  it('takes pods without metrics for idle when it grows, and for right when it shrinks', () => {
    expect(average(many(3), 1000, [4000, 4000, undefined])).toMatchObject({ replicas: 8 })
    expect(average(many(3), 1000, [200, 200, undefined])).toMatchObject({ replicas: 2 })
  })
})

describe('one value', () => {
  it('is for the pods that are ready', () => {
    expect(byValue(situation(many(3)), 15_000, 20_000)).toEqual({ replicas: 4, value: 20_000 })
    expect(byValue(situation([{}, {}, { ready: false }]), 10_000, 20_000).replicas).toBe(4)
    expect(byValue(situation(many(3)), 20_000, 21_000).replicas).toBe(3)
    expect(byValue(situation([], { currentReplicas: 0 }), 10_000, 25_000).replicas).toBe(3)
  })

  it('may be shared by all replicas', () => {
    expect(byShare(3, { up: 0.1, down: 0.1 }, 10_000, 60_000)).toEqual({ replicas: 6, value: 20_000 })
    expect(byShare(3, { up: 0.1, down: 0.1 }, 10_000, 31_000)).toEqual({ replicas: 3, value: 10_334 })
    expect(byShare(0, { up: 0.1, down: 0.1 }, 10_000, 31_000).replicas).toBe(4)
  })
})
