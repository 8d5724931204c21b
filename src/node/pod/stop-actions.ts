/** Taking a container down: its preStop hook, then the runtime's stop, both within one grace period. */
import type { Container } from '../../api/types.ts'
import { findContainer, specOf } from '../plan/containers.ts'
import { MINIMUM_GRACE_MS } from '../plan/ending.ts'
import type { Action, StopReason } from '../plan/types.ts'
import { runHook } from './hooks.ts'
import type { PodState } from './pod-state.ts'
import { probeTarget } from './probe-target.ts'

type Stop = Extract<Action, { do: 'StopContainer' }>

/** The signal ends the waiting for a hook, e.g. when a shorter grace was asked for; the stop itself is then another call's. */
export async function stopContainer(state: PodState, stop: Stop, signal: AbortSignal): Promise<void> {
  const { clock, runtime, event } = state.context
  const container = findContainer(specOf(state.pod), stop.container)
  const deadline = clock.now() + stop.graceMs
  event(state.pod, { type: 'Normal', reason: 'Killing', message: killing(stop.container, stop.why), container: stop.container })
  if (stop.why === 'Redefined') {
    const known = state.memory.containers[stop.container]
    if (known) known.redefined = stop.id
  }
  if (container?.lifecycle?.preStop) await preStop(state, container, stop, signal)
  if (signal.aborted) return
  await runtime.stopContainer(stop.id, Math.max(MINIMUM_GRACE_MS, deadline - clock.now()))
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

function killing(container: string, why: StopReason): string {
  switch (why) {
    case 'Liveness':
    case 'Startup':
      return `Container ${container} failed ${why.toLowerCase()} probe, will be restarted`
    case 'Redefined':
      return `Container ${container} definition changed, will be restarted`
    case 'PostStart':
      return 'FailedPostStartHook'
    case 'Ending':
      return `Stopping container ${container}`
  }
}
