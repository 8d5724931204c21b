/** Taking a container down: its preStop hook, then the runtime's stop, both within one grace period. */
import type { Container } from '../../api/types.ts'
import { findContainer, specOf } from '../plan/containers.ts'
import { MINIMUM_GRACE_MS } from '../plan/ending.ts'
import type { Action } from '../plan/types.ts'
import { runHook } from './hooks.ts'
import type { PodState } from './pod-state.ts'
import { probeTarget } from './probe-target.ts'

type Stop = Extract<Action, { do: 'StopContainer' }>

/** The signal ends the waiting for a hook, e.g. when a shorter grace was asked for; the stop itself is then another call's. */
export async function stopContainer(state: PodState, stop: Stop, signal: AbortSignal): Promise<void> {
  const { clock, runtime, event } = state.context
  const container = findContainer(specOf(state.pod), stop.container)
  const deadline = clock.now() + stop.graceMs
  event(state.pod, { type: 'Normal', reason: 'Killing', message: killing(stop), container: stop.container })
  const known = state.memory.containers[stop.container]
  if (known && stop.why === 'Redefined') known.redefined = stop.id
  if (known && stop.stage) known.timedOut = { id: stop.id, stage: stop.stage }
  const cancel = limitStop(state, stop, deadline)
  try {
    if (container?.lifecycle?.preStop) await preStop(state, container, stop, signal)
    if (signal.aborted) return
    await runtime.stopContainer(stop.id, Math.max(MINIMUM_GRACE_MS, deadline - clock.now()))
  } finally {
    cancel()
  }
}

/**
 * The stop stage's own limit, which ends a container before its grace is over unless it asks for more time. Returns the
 * canceller.
 */
function limitStop(state: PodState, { container, id }: Stop, deadline: number): () => void {
  const { clock, runtime, log } = state.context
  const limit = state.memory.timeouts?.[container]?.stop
  if (limit === undefined) return () => {}
  let cancel = () => {}
  const wait = (untilMs: number) => {
    if (untilMs >= deadline) return
    cancel = clock.after(Math.max(0, untilMs - clock.now()), () => {
      const known = state.memory.containers[container]
      const extendedUntilMs = known?.notify?.extendedUntilMs ?? 0
      if (extendedUntilMs > clock.now()) {
        wait(extendedUntilMs)
        return
      }
      if (known) known.timedOut ??= { id, stage: 'stop' }
      runtime.stopContainer(id, 0).catch((error: Error) => log.warn('container not killed', { container, error: error.message }))
    })
  }
  wait(clock.now() + limit)
  return () => cancel()
}

async function preStop(state: PodState, container: Container, stop: Stop, signal: AbortSignal): Promise<void> {
  const { clock, event, log } = state.context
  const hook = container.lifecycle?.preStop
  if (!hook) return
  const over = new AbortController()
  const cancel = clock.after(stop.graceMs, () => over.abort(new Error('the grace period is over')))
  try {
    await runHook(hook, probeTarget(state, container, stop.id), clock, AbortSignal.any([signal, over.signal]))
  } catch (error) {
    if (signal.aborted) return
    log.warn('preStop hook failed', { container: container.name, error: (error as Error).message })
    if (over.signal.aborted) return
    event(state.pod, { type: 'Warning', reason: 'FailedPreStopHook', message: 'PreStopHook failed', container: container.name })
  } finally {
    cancel()
  }
}

function killing({ container, why, stage }: Stop): string {
  switch (why) {
    case 'Liveness':
    case 'Startup':
      return `Container ${container} failed ${why.toLowerCase()} probe, will be restarted`
    case 'Redefined':
      return `Container ${container} definition changed, will be restarted`
    case 'PostStart':
      return 'FailedPostStartHook'
    case 'StageTimeout':
      return `Container ${container} took too long for its stage ${stage}, will be stopped`
    case 'Ending':
      return `Stopping container ${container}`
  }
}
