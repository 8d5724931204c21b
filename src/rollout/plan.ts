/**
 * What a roll between two controllers does next, decided from what is seen. Pure: knows counts, not objects or clients.
 * Promised: with both sides settled no action takes the available pods below `desired - maxUnavailable`, nor the sum of both
 * counts above `desired + maxSurge`.
 */

/** One controller as the plan sees it. */
export interface Side {
  /** The count asked for. */
  replicas: number
  /** Pods that exist and are not terminating. */
  pods: number
  ready: number
  available: number
  /** The server's controller has acted on the latest count and there are no more pods than asked for. */
  settled: boolean
  /** The template label is on the template, the pods and, where it can change, the selector. */
  separate: boolean
  /** Annotations say that this roll is Rolling. */
  marked: boolean
}

export interface Observed {
  desired: number
  maxSurge: number
  maxUnavailable: number
  old: Side
  new: Side | undefined
}

export type Action =
  | { do: 'separate'; side: 'old' | 'new' }
  | { do: 'create' }
  | { do: 'mark' }
  | { do: 'scale'; side: 'old' | 'new'; replicas: number }
  | { do: 'finish' }

/** The next actions, in order; none: wait for a change. */
export function planRoll(observed: Observed): Action[] {
  const { desired, old, new: next } = observed
  if (!old.separate) return [{ do: 'separate', side: 'old' }]
  if (!next) return [{ do: 'create' }]
  if (!next.separate) return [{ do: 'separate', side: 'new' }]
  if (!old.marked || !next.marked) return [{ do: 'mark' }]
  const actions = [...grow(observed, next), ...shrink(observed, next)]
  if (actions.length > 0) return actions
  const isComplete = next.replicas === desired && next.settled && next.available >= desired
  return isComplete && old.replicas === 0 && old.settled ? [{ do: 'finish' }] : []
}

function grow({ desired, maxSurge, old }: Observed, next: Side): Action[] {
  if (next.replicas >= desired) return []
  const room = desired + maxSurge - Math.max(old.replicas, old.pods) - next.replicas
  if (room <= 0) return []
  return [{ do: 'scale', side: 'new', replicas: Math.min(desired, next.replicas + room) }]
}

/**
 * Available old pods go as far as the budget allows; unavailable ones serve nobody and may go too, but no more of them than new
 * pods that do work can replace.
 */
function shrink({ desired, maxUnavailable, old }: Observed, next: Side): Action[] {
  if (!old.settled || !next.settled) return []
  if (old.replicas === 0) return next.replicas > desired ? [{ do: 'scale', side: 'new', replicas: desired }] : []
  const minAvailable = Math.max(0, desired - maxUnavailable)
  const healthy = Math.min(old.available, Math.max(0, old.available + next.available - minAvailable))
  const newUnavailable = next.replicas - next.available
  const spare = Math.max(0, old.replicas + next.replicas - minAvailable - newUnavailable)
  const unhealthy = Math.min(old.replicas - old.available, spare)
  const drop = Math.min(old.replicas, healthy + Math.max(0, unhealthy))
  return drop > 0 ? [{ do: 'scale', side: 'old', replicas: old.replicas - drop }] : []
}

/** A count or a percentage of `total`. Throws RangeError for a text that is neither. */
export function resolveAmount(value: number | string, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  const match = /^([0-9]+)(%?)$/.exec(String(value))
  if (!match) throw new RangeError(`${JSON.stringify(value)} is neither a count nor a percentage`)
  if (!match[2]) return Number(match[1])
  const exact = (Number(match[1]) * total) / 100
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact)
}
