/**
 * The stages of a container's life and whether one takes too long; what it said by sd_notify counts as its own word for where
 * it is. Pure.
 */
import { type Stage, stageTimeoutReason } from '../../api/extensions/stage-timeouts.ts'
import type { Container } from '../../api/types.ts'
import type { NotifyState } from '../notify/state.ts'
import type { ContainerState } from '../runtime/runtime.ts'
import { formatDelay } from './restart-backoff.ts'
import type { PlanInput, Role } from './types.ts'

/** What this run of the container said; `undefined` when it does not notify. */
export function notifyOf({ memory }: Pick<PlanInput, 'memory'>, { name, attempt }: ContainerState): NotifyState | undefined {
  const notify = memory.containers[name]?.notify
  return notify?.attempt === attempt ? notify : undefined
}

/** It runs, and has not said yet that it is ready. */
export function isAwaited(input: Pick<PlanInput, 'memory'>, state: ContainerState): boolean {
  const notify = notifyOf(input, state)
  return notify !== undefined && notify.readyAtMs === undefined
}

export interface Overdue {
  stage: Stage
  /** The stage is over then; the past means now. */
  atMs: number
}

/** The limit that a running container meets next. */
export function runningLimit(input: PlanInput, container: Container, role: Role, state: ContainerState): Overdue | undefined {
  const notify = notifyOf(input, state)
  if (notify?.dead) return { stage: 'watchdog', atMs: 0 }
  const timeouts = input.memory.timeouts?.[container.name]
  const startedAtMs = state.startedAtMs ?? input.nowMs
  if (role === 'init') {
    const limit = input.memory.preStarts?.[container.name]?.timeoutMs
    return limit === undefined ? undefined : { stage: 'preStart', atMs: startedAtMs + limit }
  }
  if (timeouts?.ready === undefined || role === 'ephemeral' || input.memory.containers[container.name]?.starting) return undefined
  const isReady = notify ? notify.readyAtMs !== undefined : input.memory.containers[container.name]?.wasReady === state.attempt
  if (isReady) return undefined
  const atMs = Math.max(startedAtMs + timeouts.ready, notify?.extendedUntilMs ?? 0)
  // A startup probe has a limit of its own, which a shorter one of the stage does not cut off.
  return { stage: 'ready', atMs: notify ? atMs : Math.max(atMs, startedAtMs + startupBudgetMs(container)) }
}

/** How long a startup probe may go on failing. */
function startupBudgetMs({ startupProbe }: Container): number {
  if (!startupProbe) return 0
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3, timeoutSeconds = 1 } = startupProbe
  return (initialDelaySeconds + periodSeconds * failureThreshold + timeoutSeconds) * 1000
}

/** When a container whose turn it is has to run. */
export function startLimitMs({ memory }: Pick<PlanInput, 'memory'>, name: string, attempt: number): number | undefined {
  const { turn } = memory.containers[name] ?? {}
  const limit = memory.timeouts?.[name]?.start
  return limit === undefined || turn?.attempt !== attempt ? undefined : turn.sinceMs + limit
}

/** What the pod's end is told with when a container whose turn it is does not come to run. */
export function startTimedOut({ memory, nowMs }: PlanInput): { reason: string; message: string } | undefined {
  for (const [name, { turn, last, failure }] of Object.entries(memory.containers)) {
    if (!turn || (last && last.attempt >= turn.attempt)) continue
    const atMs = startLimitMs({ memory }, name, turn.attempt)
    if (atMs === undefined || nowMs < atMs) continue
    const detail = failure ? ` (${failure.reason}: ${failure.message})` : ''
    const limit = formatDelay(memory.timeouts?.[name]?.start ?? 0)
    return { reason: stageTimeoutReason('start'), message: `container ${name} did not start within ${limit}${detail}` }
  }
  return undefined
}
