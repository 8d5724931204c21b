import { describe, expect, it } from 'vitest'
import type { Container } from '../../../src/api/types.ts'
import { ContainerProbes, type ProbedHealth, type ProbeKind } from '../../../src/node/probe/container-probes.ts'
import { createManualClock } from '../support/manual-clock.ts'

function probed(
  container: Omit<Container, 'name'>,
  answer: (kind: ProbeKind, second: number) => boolean,
  known = { started: false, ready: false },
  heldUntilSecond = 0,
) {
  const clock = createManualClock()
  const begin = clock.now()
  const log: string[] = []
  const verdicts: ProbedHealth[] = []
  const second = () => (clock.now() - begin) / 1000
  const probes = new ContainerProbes({
    container: { name: 'c', ...container },
    startedAtMs: begin,
    clock,
    known,
    heldUntilMs: () => begin + heldUntilSecond * 1000,
    async run(kind) {
      log.push(`${kind}@${second()}`)
      return answer(kind, second()) ? { outcome: 'Success', message: '' } : { outcome: 'Failure', message: 'no' }
    },
    onTrouble: () => {},
    onVerdict: (health) => verdicts.push(health),
  })
  return { clock, log, verdicts, probes }
}

const every = (seconds: number, more: object = {}) => ({ tcpSocket: { port: 80 }, periodSeconds: seconds, ...more })

describe('probes of a container', () => {
  it('begin after their delay and come at their period', async () => {
    const { clock, log, probes } = probed({ readinessProbe: every(2, { initialDelaySeconds: 3 }) }, () => true)
    expect(probes.current).toEqual({ started: true, ready: false })
    await clock.advance(7_500)
    expect(log).toEqual(['readiness@3', 'readiness@5', 'readiness@7'])
    expect(probes.current.ready).toBe(true)
    probes.stop()
  })

  it('need as many results in a row as the thresholds say', async () => {
    const good = [false, true, false, true, true, false, false, false]
    const { clock, probes, verdicts } = probed(
      { readinessProbe: every(1, { successThreshold: 2, failureThreshold: 3 }) },
      (_, second) => good[second] ?? false,
    )
    await clock.advance(3_500)
    expect(probes.current.ready).toBe(false)
    await clock.advance(1_000)
    expect(probes.current.ready).toBe(true)
    await clock.advance(2_000)
    expect(probes.current.ready).toBe(true)
    await clock.advance(1_000)
    expect(probes.current.ready).toBe(false)
    expect(verdicts).toHaveLength(2)
    probes.stop()
  })

  it('wait while the container asks for patience', async () => {
    const known = { started: true, ready: true }
    const { clock, log, probes } = probed({ livenessProbe: every(2) }, () => false, known, 9)
    await clock.advance(8_000)
    expect(log).toEqual([])
    await clock.advance(2_000)
    expect(log).toEqual(['liveness@9'])
    probes.stop()
  })

  it('wait for the startup probe', async () => {
    const { clock, log, probes } = probed(
      { startupProbe: every(1), livenessProbe: every(5), readinessProbe: every(5) },
      (kind, second) => kind !== 'startup' || second >= 2,
    )
    expect(probes.current).toEqual({ started: false, ready: false })
    await clock.advance(3_000)
    expect(log).toEqual(['startup@0', 'startup@1', 'startup@2', 'liveness@2', 'readiness@2'])
    expect(probes.current).toEqual({ started: true, ready: true })
    probes.stop()
  })

  it('condemn a container once', async () => {
    const { clock, log, probes } = probed({ livenessProbe: every(1, { failureThreshold: 2 }) }, () => false)
    await clock.advance(5_000)
    expect(probes.current.failed).toBe('Liveness')
    expect(log).toEqual(['liveness@0', 'liveness@1'])
    probes.stop()
  })

  it('condemn a container that does not start', async () => {
    const { clock, probes } = probed({ startupProbe: every(1, { failureThreshold: 3 }) }, () => false)
    await clock.advance(5_000)
    expect(probes.current).toEqual({ started: false, ready: false, failed: 'Startup' })
  })

  it('leave a container that was ready ready until they know better', async () => {
    const { clock, probes } = probed({ readinessProbe: every(1, { failureThreshold: 2 }) }, () => false, {
      started: true,
      ready: true,
    })
    expect(probes.current.ready).toBe(true)
    await clock.advance(500)
    expect(probes.current.ready).toBe(true)
    await clock.advance(1_000)
    expect(probes.current.ready).toBe(false)
    probes.stop()
  })

  it('no longer restart a container that is being stopped', async () => {
    const { clock, log, probes } = probed({ livenessProbe: every(1), readinessProbe: every(1) }, () => false)
    probes.stopRestarting()
    await clock.advance(2_500)
    expect(log).toEqual(['readiness@0', 'readiness@1', 'readiness@2'])
    probes.stop()
  })
})
