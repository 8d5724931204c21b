/**
 * The state of a roll as its controllers carry it, in annotations. Each says the same of the roll and its own part in it, so that
 * any client can go on, or back, from any of them.
 */
import type { ReplicaSet, ReplicationController } from '../api/types.ts'
import { legacyRecord } from './legacy.ts'
import type { Phase } from './progress.ts'

type Controller = ReplicationController | ReplicaSet

const PARTNER = 'skiff.dev/partner'
export const ROLL_ID = 'skiff.dev/roll-id'
const ORIGINAL_REPLICAS = 'skiff.dev/original-replicas'
const DESIRED_REPLICAS = 'skiff.dev/desired-replicas'
const PHASE = 'skiff.dev/phase'
const DIRECTION = 'skiff.dev/direction'
/** `old` on a controller that goes, `new` on the one that comes; a way back turns them round. */
const ROLE = 'skiff.dev/role'
/** The count that the roll wrote last: another one was asked for from outside. */
export const WRITTEN_REPLICAS = 'skiff.dev/written-replicas'
const SETTINGS = 'skiff.dev/roll'
/** The name that generated names are made from. */
export const BASE = 'skiff.dev/base'
/** The number of the template among those that the name had. Of the history, not of one roll. */
export const REVISION = 'skiff.dev/revision'
/** On a pet while its name is switched: the controller that will have the name, as JSON. */
export const NEXT = 'skiff.dev/next'
/** Keeps a controller, deleted and therefore idle, until its successor has its pods. */
export const SWITCH_FINALIZER = 'skiff.dev/switch'

/** Every annotation of a roll that is under way or over; not those of the history. */
const RECORD_KEYS = [
  ...[PARTNER, ROLL_ID, ORIGINAL_REPLICAS, DESIRED_REPLICAS, PHASE, DIRECTION, ROLE, WRITTEN_REPLICAS, SETTINGS, NEXT],
  ...['next-controller-id', 'original-replicas', 'update-source-id', 'desired-replicas'].map(
    (key) => `kubectl.kubernetes.io/${key}`,
  ),
]

export type Direction = 'forward' | 'back' | 'abort'

/** The names and templates of a roll that keeps its name. */
export interface PetNames {
  name: string
  /** Where the old template goes on. */
  clone: string
  oldHash: string
  newHash: string
}

/** What a driver who joins must know besides the counts. */
export interface Settings {
  /** The roll that this one takes the place of. */
  over?: string | undefined
  base: string
  maxSurge?: number | string | undefined
  maxUnavailable?: number | string | undefined
  minReadySeconds?: number | undefined
  updatePeriodMs?: number | undefined
  canary?: number | string | undefined
  keep?: number | undefined
  cleanup?: 'keep' | 'delete' | undefined
  /** The new controller was made by the roll. */
  created?: boolean | undefined
  pet?: PetNames | undefined
  /** How often the wanted count was changed from outside: the highest is the latest. */
  rescaled?: number | undefined
}

export interface RollRecord {
  partner: string
  rollId: string
  role: 'old' | 'new'
  /** The count asked for; the same on all. */
  originalReplicas: number
  /** The count this controller has at the end of the roll: 0 on a side that goes. */
  desiredReplicas: number
  phase: Phase
  direction: Direction
  writtenReplicas: number | undefined
  settings: Settings
}

const PHASES: readonly string[] = ['Preparing', 'Rolling', 'Paused', 'Switching', 'Complete', 'Aborted'] satisfies Phase[]

/** What the annotations say; undefined when there are none or they do not make sense. Those of kubectl's rolling-update are read too. */
export function readRecord(controller: Controller): RollRecord | undefined {
  const annotations = controller.metadata.annotations ?? {}
  const { [PARTNER]: partner, [ROLL_ID]: rollId, [PHASE]: phase } = annotations
  const originalReplicas = count(annotations[ORIGINAL_REPLICAS])
  const desiredReplicas = count(annotations[DESIRED_REPLICAS])
  if (!partner || !rollId || originalReplicas === undefined || desiredReplicas === undefined) return legacyRecord(controller)
  if (!phase || !PHASES.includes(phase)) return undefined
  const { [DIRECTION]: way, [ROLE]: role } = annotations
  const base = annotations[BASE] ?? controller.metadata.name ?? ''
  return {
    ...{ partner, rollId, originalReplicas, desiredReplicas, phase: phase as Phase },
    role: role === 'old' || (role !== 'new' && desiredReplicas === 0) ? 'old' : 'new',
    direction: way === 'back' || way === 'abort' ? way : 'forward',
    writtenReplicas: count(annotations[WRITTEN_REPLICAS]),
    settings: { base, ...settingsOf(annotations[SETTINGS]) },
  }
}

export function annotationsOf(record: RollRecord, next?: object): Record<string, string> {
  return {
    [PARTNER]: record.partner,
    [ROLL_ID]: record.rollId,
    [ROLE]: record.role,
    [ORIGINAL_REPLICAS]: String(record.originalReplicas),
    [DESIRED_REPLICAS]: String(record.desiredReplicas),
    [PHASE]: record.phase,
    [DIRECTION]: record.direction,
    ...(record.writtenReplicas !== undefined && { [WRITTEN_REPLICAS]: String(record.writtenReplicas) }),
    [SETTINGS]: JSON.stringify(record.settings),
    ...(next && { [NEXT]: JSON.stringify(next) }),
  }
}

/** For a merge patch; takes away what was there, of kubectl's rolling-update too. */
export function patchOf(record: RollRecord, next?: object): Record<string, string | null> {
  return { ...noAnnotations(), ...annotationsOf(record, next) }
}

/** For a merge patch: no roll any more. */
export function noAnnotations(): Record<string, null> {
  return Object.fromEntries(RECORD_KEYS.map((key) => [key, null])) as Record<string, null>
}

/** The annotations without those of a roll. */
export function withoutRecord(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !RECORD_KEYS.includes(key)))
}

export function isUnderWay(record: RollRecord | undefined): record is RollRecord {
  return record !== undefined && record.phase !== 'Complete' && record.phase !== 'Aborted'
}

/** Written by us; what somebody made of it since is no reason to lose the rest of the record. */
function settingsOf(text: string | undefined): Partial<Settings> {
  if (text === undefined) return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}
