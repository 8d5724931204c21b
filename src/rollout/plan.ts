/**
 * What a roll does next, decided from what is seen. Pure: knows counts and names, not objects or clients.
 * Promised: with all sides settled no action takes the available pods below `desired - maxUnavailable`, nor the sum of all
 * counts above `desired + maxSurge`.
 */
import { type PetObserved, planSwitch, type SwitchAction } from './plan-switch.ts'

/** One controller as the plan sees it. */
export interface Side {
  name: string
  /** The count asked for. */
  replicas: number
  /** The count this roll wrote last; another one comes from outside. */
  written: number | undefined
  /** Pods that exist and are not terminating. */
  pods: number
  available: number
  /** The server's controller has acted on the latest count and there are no more pods than asked for. */
  settled: boolean
  /** The template label is on the template, the pods and, where it can change, the selector. */
  separate: boolean
  /** Its annotations say that it is part of this roll, in this direction. */
  begun: boolean
  /** They say as well that it is Rolling, with this count in the end. */
  marked: boolean
}

export interface Observed {
  desired: number
  maxSurge: number
  maxUnavailable: number
  /** Goes no further than so many new pods. */
  canary: number | undefined
  /** Those that go, in the order in which they do. */
  leaving: readonly Side[]
  staying: Side | undefined
  /** Controllers that are to go once all is done: what was tried and given up, and history beyond what is kept. */
  surplus: readonly string[]
  /** Of a roll that keeps its name. */
  pet: PetObserved | undefined
}

export type Action =
  | { do: 'create' }
  | { do: 'begin'; name: string }
  | { do: 'separate'; name: string }
  | { do: 'mark' }
  /** Takes over a count that was asked for from outside. */
  | { do: 'rescale'; name: string; desired: number }
  | { do: 'scale'; name: string; replicas: number }
  /** The canary runs. */
  | { do: 'pause' }
  | { do: 'delete'; name: string }
  | { do: 'finish' }
  | SwitchAction

/** The next actions, in order; none: wait for a change. */
export function planRoll(observed: Observed): Action[] {
  const { pet, surplus } = observed
  const before = pet && planSwitch(pet, 'before')
  if (before) return before
  const actions = planReplacement(observed)
  if (actions !== 'complete') return actions
  const after = pet && planSwitch(pet, 'after')
  if (after) return after
  return [...surplus.map((name) => ({ do: 'delete', name }) as const), { do: 'finish' }]
}

/** From the pods of the leaving to those of the staying. */
function planReplacement(observed: Observed): Action[] | 'complete' {
  const { leaving, staying, desired, canary, pet } = observed
  // Where a pet's name is being given back there is nothing left to replace.
  if (pet && pet.direction !== 'forward' && (pet.restored || pet.clone?.held)) return 'complete'
  if (!staying) return [{ do: 'create' }]
  if (!staying.begun) return [{ do: 'begin', name: staying.name }]
  const mixed = [...leaving, staying].find(({ separate }) => !separate)
  if (mixed) return [{ do: 'separate', name: mixed.name }]
  if ([...leaving, staying].some(({ marked }) => !marked)) return [{ do: 'mark' }]
  const scaled = [...leaving, staying].find(({ written, replicas }) => written !== undefined && written !== replicas)
  if (scaled) return [{ do: 'rescale', name: scaled.name, desired: inProportion(desired, scaled) }]
  const goal = Math.min(desired, canary ?? desired)
  const actions = [...grow(observed, staying, goal), ...shrink(observed, staying, desired - goal)]
  if (actions.length > 0) return actions
  const isThere = staying.replicas === goal && staying.settled && staying.available >= goal
  const left = leaving.reduce((sum, { replicas }) => sum + replicas, 0)
  if (!isThere || left !== desired - goal || leaving.some(({ settled }) => !settled)) return []
  return goal < desired ? [{ do: 'pause' }] : 'complete'
}

/** Twice as many on one side are asked for as twice as many in all; there is no proportion to none. */
function inProportion(desired: number, { written = 0, replicas }: Side): number {
  return written === 0 ? desired + replicas : Math.round((desired * replicas) / written)
}

function grow({ desired, maxSurge, leaving }: Observed, staying: Side, goal: number): Action[] {
  if (staying.replicas >= goal) return []
  const others = leaving.reduce((sum, { replicas, pods }) => sum + Math.max(replicas, pods), 0)
  const room = desired + maxSurge - others - staying.replicas
  if (room <= 0) return []
  return [{ do: 'scale', name: staying.name, replicas: Math.min(goal, staying.replicas + room) }]
}

/**
 * Available old pods go as far as the budget allows; unavailable ones serve nobody and may go too, but no more of them than new
 * pods that do work can replace. `floor` old ones stay.
 */
function shrink({ desired, maxUnavailable, leaving }: Observed, staying: Side, floor: number): Action[] {
  if (!staying.settled || leaving.some(({ settled }) => !settled)) return []
  const sum = (pick: (side: Side) => number) => leaving.reduce((total, side) => total + pick(side), 0)
  const [replicas, available] = [sum((side) => side.replicas), sum((side) => side.available)]
  if (replicas === 0) {
    return staying.replicas > desired ? [{ do: 'scale', name: staying.name, replicas: desired }] : []
  }
  const minAvailable = Math.max(0, desired - maxUnavailable)
  const healthy = Math.min(available, Math.max(0, available + staying.available - minAvailable))
  const newUnavailable = staying.replicas - staying.available
  const spare = Math.max(0, replicas + staying.replicas - minAvailable - newUnavailable)
  const unhealthy = Math.min(replicas - available, spare)
  let drop = Math.min(replicas - floor, healthy + Math.max(0, unhealthy))
  const actions: Action[] = []
  for (const side of leaving) {
    const here = Math.min(side.replicas, drop)
    if (here <= 0) continue
    actions.push({ do: 'scale', name: side.name, replicas: side.replicas - here })
    drop -= here
  }
  return actions
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
