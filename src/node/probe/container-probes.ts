/**
 * The probes of one running container: startup first, then liveness and readiness beside each other. Keeps the time and
 * counts; how a probe is made, and what follows from its verdict, is the caller's.
 */
import type { Container, Probe } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { ProbeResult } from './target.ts'
import { judge, undecided, type Verdict } from './thresholds.ts'

export type ProbeKind = 'startup' | 'liveness' | 'readiness'

export interface ContainerProbesOptions {
  container: Container
  startedAtMs: number
  clock: Clock
  /** Until when probes wait because the container asked for patience; in the past when it did not. */
  heldUntilMs?: () => number
  /** What was known of this very container before, e.g. by an earlier agent. */
  known: { started: boolean; ready: boolean }
  run(kind: ProbeKind, probe: Probe, signal: AbortSignal): Promise<ProbeResult>
  /** Every result that is no success, for an event. */
  onTrouble(kind: ProbeKind, result: ProbeResult): void
  onVerdict(health: ProbedHealth): void
}

export interface ProbedHealth {
  started: boolean
  ready: boolean
  failed?: 'Liveness' | 'Startup'
}

const DEFAULT_PERIOD_SECONDS = 10

export class ContainerProbes {
  private readonly options: ContainerProbesOptions
  private readonly stopping = new AbortController()
  private readonly cancels = new Map<ProbeKind, () => void>()
  private readonly verdicts: Record<ProbeKind, Verdict>
  private health: ProbedHealth

  constructor(options: ContainerProbesOptions) {
    this.options = options
    const { startupProbe, readinessProbe } = options.container
    const started = !startupProbe || options.known.started
    this.health = { started, ready: started && (!readinessProbe || options.known.ready) }
    this.verdicts = { startup: undecided(), liveness: undecided(true), readiness: undecided(this.health.ready) }
    if (started) this.startSteady()
    else this.schedule('startup')
  }

  get current(): ProbedHealth {
    return this.health
  }

  /** Ends liveness and startup probing: a container that is being stopped is not restarted for being unhealthy. */
  stopRestarting(): void {
    this.cancel('startup')
    this.cancel('liveness')
  }

  stop(): void {
    this.stopping.abort()
    for (const cancel of this.cancels.values()) cancel()
    this.cancels.clear()
  }

  private startSteady(): void {
    this.schedule('liveness')
    this.schedule('readiness')
  }

  private probeOf(kind: ProbeKind): Probe | undefined {
    const { startupProbe, livenessProbe, readinessProbe } = this.options.container
    return kind === 'startup' ? startupProbe : kind === 'liveness' ? livenessProbe : readinessProbe
  }

  /** The first of a kind, as soon as its initial delay allows. */
  private schedule(kind: ProbeKind): void {
    const probe = this.probeOf(kind)
    if (!probe) return
    const at = this.options.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000
    this.after(kind, Math.max(0, at - this.options.clock.now()))
  }

  private after(kind: ProbeKind, delayMs: number): void {
    this.cancels.set(
      kind,
      this.options.clock.after(delayMs, () => void this.tick(kind), { unref: true }),
    )
  }

  private cancel(kind: ProbeKind): void {
    this.cancels.get(kind)?.()
    this.cancels.delete(kind)
  }

  private async tick(kind: ProbeKind): Promise<void> {
    const { clock } = this.options
    const probe = this.probeOf(kind)
    if (!probe || this.stopping.signal.aborted) return
    const startedAt = clock.now()
    const heldUntilMs = this.options.heldUntilMs?.() ?? 0
    if (heldUntilMs > startedAt) return this.after(kind, heldUntilMs - startedAt)
    const result = await this.options.run(kind, probe, this.stopping.signal)
    if (this.stopping.signal.aborted || !this.cancels.has(kind)) return
    const over = this.absorb(kind, probe, result)
    if (over) return this.cancel(kind)
    const periodMs = (probe.periodSeconds ?? DEFAULT_PERIOD_SECONDS) * 1000
    this.after(kind, Math.max(0, startedAt + periodMs - clock.now()))
  }

  /** Answers whether this kind has said all it has to say. */
  private absorb(kind: ProbeKind, probe: Probe, result: ProbeResult): boolean {
    if (result.outcome !== 'Success') this.options.onTrouble(kind, result)
    if (result.outcome === 'Error') return false
    const before = this.verdicts[kind]
    const verdict = judge(before, probe, result.outcome === 'Success')
    this.verdicts[kind] = verdict
    if (verdict.ok === before.ok) return false
    return this.conclude(kind, verdict.ok === true)
  }

  private conclude(kind: ProbeKind, ok: boolean): boolean {
    const { container } = this.options
    switch (kind) {
      case 'startup':
        this.health = ok ? { started: true, ready: !container.readinessProbe } : { ...this.health, failed: 'Startup' }
        if (ok) this.startSteady()
        break
      case 'liveness':
        if (!ok) this.health = { ...this.health, failed: 'Liveness' }
        break
      case 'readiness':
        this.health = { ...this.health, ready: ok }
        break
    }
    this.options.onVerdict(this.health)
    return kind === 'startup' || (kind === 'liveness' && !ok)
  }
}
