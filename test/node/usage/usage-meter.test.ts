/** The meter over simulated containers, as ones whose rate is known and as ones that only count. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { NodeUsage } from '../../../src/api/usage.ts'
import type { Runtime } from '../../../src/node/runtime/runtime.ts'
import { createSimulatedRuntime } from '../../../src/node/runtime/simulated/simulated.ts'
import { SandboxView } from '../../../src/node/sources/sandbox-view.ts'
import { UsageMeter } from '../../../src/node/usage/usage-meter.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'

const signal = new AbortController().signal
const MANY_MS = 120_000

let clock: ManualClock
let runtime: Runtime
beforeEach(async () => {
  clock = createManualClock()
  runtime = createSimulatedRuntime({ clock })
  for (const uid of ['a', 'b']) await runPod(uid)
})

async function runPod(uid: string): Promise<void> {
  const annotations = { 'simulated.skiff.dev/cpu': '300m' }
  const sandbox = await runtime.createSandbox({
    ...{ uid, attempt: 0, name: `pod-${uid}`, namespace: 'default', hostname: uid, labels: {}, annotations },
    ...{ hostNetwork: false, logDirectory: '' },
  })
  const requested = { cpuMillis: 500, memoryBytes: 64 * 2 ** 20 }
  await runtime.startContainer(sandbox.id, {
    ...{ name: 'main', attempt: 0, imageId: 'x', image: 'x:1', env: [], mounts: [], labels: {} },
    ...{ stdin: false, stdinOnce: false, tty: false, resources: { requested } },
  })
}

/** As a runtime of processes: it knows how much time they had, and no rate. */
function counting(): Runtime {
  return Object.assign(Object.create(runtime), {
    stats: async (id: string) => {
      const stats = await runtime.stats(id)
      return { ...stats, containers: stats.containers.map(({ cpuNanoCores: _, ...rest }) => rest) }
    },
    hostStats: async () => {
      const { cpuNanoCores: _, ...rest } = await runtime.hostStats()
      return rest
    },
  })
}

const meterOf = (of: Runtime) => new UsageMeter({ runtime: of, sandboxes: new SandboxView(of), clock })
const rates = ({ pods }: NodeUsage) => pods.map(({ name, containers }) => [name, ...containers.map((one) => one.cpuNanoCores)])

describe('the meter', () => {
  it('answers at once what the runtime knows, of all pods or of some', async () => {
    const meter = meterOf(runtime)
    const usage = await meter.usage(undefined, signal)
    expect(rates(usage)).toEqual([
      ['pod-a', 300_000_000],
      ['pod-b', 300_000_000],
    ])
    expect(usage.pods[0]?.containers[0]?.memoryBytes).toBe(32 * 2 ** 20)
    expect(usage.node).toMatchObject({ cpuNanoCores: 600_000_000, memoryBytes: 64 * 2 ** 20 })
    expect(rates(await meter.usage(new Set(['b', 'none']), signal))).toEqual([['pod-b', 300_000_000]])
    expect((await meter.usage(new Set(), signal)).pods).toEqual([])
  })

  it('waits a second where there is nothing to compare with, and not the next time', async () => {
    const meter = meterOf(counting())
    await clock.advance(MANY_MS)
    const first = meter.usage(undefined, signal)
    let isThere = false
    void first.then(() => {
      isThere = true
    })
    await clock.advance(500)
    expect(isThere).toBe(false)
    await clock.advance(1000)
    expect(rates(await first)).toEqual([
      ['pod-a', 300_000_000],
      ['pod-b', 300_000_000],
    ])
    await clock.advance(5000)
    const [pod] = (await meter.usage(undefined, signal)).pods
    expect(pod?.containers[0]).toMatchObject({ cpuNanoCores: 300_000_000, windowMs: 6500 })
  })

  it('does not wait for containers that are young, nor for the machine when pods are asked for', async () => {
    const meter = meterOf(counting())
    await clock.advance(MANY_MS)
    await runPod('c')
    await clock.advance(3000)
    const usage = await meter.usage(new Set(['c']), signal)
    expect(usage.pods[0]?.containers[0]).toMatchObject({ cpuNanoCores: 300_000_000, windowMs: 3000 })
  })

  it('forgets what nobody asked about for a minute', async () => {
    const meter = meterOf(counting())
    await clock.advance(MANY_MS)
    const first = meter.usage(undefined, signal)
    await clock.advance(2000)
    await first
    await clock.advance(MANY_MS)
    const later = meter.usage(undefined, signal)
    await clock.advance(2000)
    expect((await later).pods[0]?.containers[0]?.windowMs).toBeLessThan(2000)
  })

  it('ends with who asks', async () => {
    await clock.advance(MANY_MS)
    const gone = new AbortController()
    const asked = meterOf(counting()).usage(undefined, gone.signal)
    const settled = expect(asked).rejects.toThrow('gone')
    await clock.advance(100)
    gone.abort(new Error('gone'))
    await settled
  })
})
