/** What the planner of stages has to remember: whose turn it is since when, and who has been ready once. */
import { findContainer, specOf } from '../plan/containers.ts'
import { isAwaited } from '../plan/stages.ts'
import type { Action } from '../plan/types.ts'
import type { PodState } from './pod-state.ts'

/** A run's turn begins with its image, once. */
export function noteTurn({ memory, context }: PodState, { container, attempt }: Extract<Action, { do: 'PullImage' }>): void {
  const known = memory.containers[container] ?? {}
  memory.containers[container] = known
  if (known.turn?.attempt !== attempt) known.turn = { attempt, sinceMs: context.clock.now() }
}

/** The stage in which a container becomes ready is over when it has been, whatever its probes say later. */
export function keepReadiness({ memory, sandboxes, pod }: PodState): void {
  for (const state of sandboxes[0]?.containers ?? []) {
    const known = memory.containers[state.name]
    if (!known || known.wasReady === state.attempt || known.starting || state.state !== 'Running') continue
    const container = findContainer(specOf(pod), state.name)
    if (!container || isAwaited({ memory }, state)) continue
    const probed = container.startupProbe ?? container.readinessProbe
    if (memory.health[state.id]?.ready ?? !probed) known.wasReady = state.attempt
  }
}
