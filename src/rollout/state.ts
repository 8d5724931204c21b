/** How far a workload is with the template that it was given last, told from the object alone. Pure. */
import type { KubeObject } from '../api/object.ts'
import type { RollKind } from './progress.ts'
import { readRecord } from './record.ts'
import { type Controller, replicasOf } from './replica-kinds.ts'
import { type ServedState, servedStateOf } from './served/served.ts'

export interface RolloutState {
  /** `held`: a canary runs. `stuck`: the server itself has given up. */
  readonly state: ServedState
  /** Pods: asked for, of the latest template, available, and all there are. */
  readonly wanted: number
  readonly updated: number
  readonly available: number
  readonly all: number
  /** The controller on the other side of a roll that a client drives. */
  readonly partner?: string | undefined
}

/** Undefined for an object that is not rolled. Its kind must be set. */
export function rolloutStateOf(object: KubeObject): RolloutState | undefined {
  const kind = object.kind as RollKind
  if (kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet') return servedStateOf(object, kind)
  if (kind !== 'ReplicaSet' && kind !== 'ReplicationController') return undefined
  const controller = object as Controller
  const { replicas: all = 0, availableReplicas: available = 0 } = controller.status ?? {}
  const counts = { wanted: replicasOf(controller), updated: all, available, all }
  const record = readRecord(controller)
  if (!record || record.phase === 'Complete' || record.phase === 'Aborted') return { state: 'complete', ...counts }
  const paused = record.settings.canary === undefined ? 'paused' : 'held'
  return { state: record.phase === 'Paused' ? paused : 'rolling', ...counts, partner: record.partner }
}
