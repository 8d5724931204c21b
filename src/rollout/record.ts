/**
 * The state of a roll as both controllers carry it. Both say the same of the roll and each its own count, so that any client can
 * go on, or back, from either of them.
 */
import type { Phase } from './progress.ts'
import type { Controller } from './replica-kinds.ts'

export const PARTNER = 'skiff.dev/partner'
export const ROLL_ID = 'skiff.dev/roll-id'
const ORIGINAL_REPLICAS = 'skiff.dev/original-replicas'
const DESIRED_REPLICAS = 'skiff.dev/desired-replicas'
export const PHASE = 'skiff.dev/phase'
/** `back` while a roll is being undone, and after. */
export const DIRECTION = 'skiff.dev/direction'
/** The name that generated names are made from. */
export const BASE = 'skiff.dev/base'

export interface RollRecord {
  partner: string
  rollId: string
  /** The count asked for before the roll; the same on both. */
  originalReplicas: number
  /** The count this controller has at the end of the roll: 0 on the side that goes. */
  desiredReplicas: number
  phase: Phase
  direction: 'forward' | 'back'
}

const PHASES: readonly string[] = ['Preparing', 'Rolling', 'Paused', 'Complete', 'Aborted'] satisfies Phase[]

/** What the annotations say; undefined when there are none or they do not make sense. */
export function readRecord(controller: Controller): RollRecord | undefined {
  const annotations = controller.metadata.annotations ?? {}
  const { [PARTNER]: partner, [ROLL_ID]: rollId, [PHASE]: phase } = annotations
  const originalReplicas = count(annotations[ORIGINAL_REPLICAS])
  const desiredReplicas = count(annotations[DESIRED_REPLICAS])
  if (!partner || !rollId || originalReplicas === undefined || desiredReplicas === undefined) return undefined
  if (!phase || !PHASES.includes(phase)) return undefined
  const direction = annotations[DIRECTION] === 'back' ? 'back' : 'forward'
  return { partner, rollId, originalReplicas, desiredReplicas, phase: phase as Phase, direction }
}

export function annotationsOf(record: RollRecord): Record<string, string> {
  return {
    [PARTNER]: record.partner,
    [ROLL_ID]: record.rollId,
    [ORIGINAL_REPLICAS]: String(record.originalReplicas),
    [DESIRED_REPLICAS]: String(record.desiredReplicas),
    [PHASE]: record.phase,
    [DIRECTION]: record.direction,
  }
}

export function isUnderWay(record: RollRecord | undefined): record is RollRecord {
  return record?.phase === 'Preparing' || record?.phase === 'Rolling' || record?.phase === 'Paused'
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}
