/**
 * Canaries of Deployments, by stock fields only. The new template comes with a surge of as many pods as the canary has, none of the
 * old ones may be missing, and a pod counts as available only after years: so the server makes the canary and can go no further,
 * whatever becomes of whoever asked for it. Once its pods are ready the Deployment is paused, and has its own patience back. Each step is
 * one write; what was there before is in an annotation, and comes back with the write that ends the canary.
 */
import { CANARY } from '../../api/extensions/canary.ts'
import type { Deployment } from '../../api/types.ts'
import { resolveAmount } from '../plan.ts'
import { RollError, type RollOptions, type SideProgress } from '../progress.ts'
import type { ServedPatch } from './kind.ts'

/** The most that Kubernetes takes: 68 years. A deadline must be later than that, and the last one there is means none. */
const NEVER_AVAILABLE_SECONDS = 2_147_483_646
const NO_DEADLINE_SECONDS = 2_147_483_647

interface Pace {
  maxSurge: number | string
  maxUnavailable: number | string
  minReadySeconds?: number | undefined
  progressDeadlineSeconds?: number | undefined
}

export interface Canary {
  /** How many pods it has, above those that are wanted. */
  pods: number
  before: Pace
}

/** What the annotation says; undefined when there is none, or nothing that makes sense. */
export function canaryOn({ metadata }: Deployment): Canary | undefined {
  const text = metadata.annotations?.[CANARY]
  if (text === undefined) return undefined
  try {
    const { pods, before } = JSON.parse(text) as Partial<Canary>
    return typeof pods === 'number' && before?.maxSurge !== undefined && before.maxUnavailable !== undefined
      ? { pods, before }
      : undefined
  } catch {
    return undefined
  }
}

/** Throws RollError for a Deployment that cannot have one. */
export function beginCanary(options: RollOptions, deployment: Deployment): ServedPatch {
  const { canary, maxSurge, maxUnavailable, minReadySeconds } = options
  const { spec, metadata } = deployment
  const handle = `deployment/${metadata.name}`
  const wanted = spec?.replicas ?? 1
  if (spec?.strategy?.type === 'Recreate') throw new RollError(`${handle} recreates its pods: it has no canary`)
  if (maxSurge !== undefined || maxUnavailable !== undefined)
    throw new RollError(`a canary of ${handle} comes on top of its pods: it takes no surge and no unavailability`)
  const pods = Math.min(wanted, resolveAmount(canary ?? 0, wanted, 'up'))
  if (pods === 0) throw new RollError(`a canary of ${handle} needs a pod: it has ${wanted}, and ${canary} was asked for`)
  const { rollingUpdate } = spec?.strategy ?? {}
  const before: Pace = canaryOn(deployment)?.before ?? {
    ...{ maxSurge: rollingUpdate?.maxSurge ?? '25%', maxUnavailable: rollingUpdate?.maxUnavailable ?? '25%' },
    ...{ minReadySeconds: spec?.minReadySeconds, progressDeadlineSeconds: spec?.progressDeadlineSeconds },
  }
  const own = minReadySeconds === undefined ? before : { ...before, minReadySeconds }
  return goOn({ pods, before: own })
}

/** Makes the pods, and no more of them. */
function goOn(canary: Canary): ServedPatch {
  return {
    spec: {
      paused: false,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: canary.pods, maxUnavailable: 0 } },
      ...{ minReadySeconds: NEVER_AVAILABLE_SECONDS, progressDeadlineSeconds: NO_DEADLINE_SECONDS },
    },
    annotations: { [CANARY]: JSON.stringify(canary) },
  }
}

/** A canary that was interrupted before its pods were there. */
export function resumeCanary(deployment: Deployment): ServedPatch | undefined {
  const canary = canaryOn(deployment)
  return canary && goOn(canary)
}

/** Paused, with its own patience. The surge stays: a paused Deployment is scaled to what its strategy allows. */
export function pauseCanary({ before }: Canary): ServedPatch {
  return {
    spec: {
      paused: true,
      minReadySeconds: before.minReadySeconds ?? null,
      progressDeadlineSeconds: before.progressDeadlineSeconds ?? null,
    },
  }
}

/** Undefined while the pods of the new template are not ready. */
export function holdCanary(deployment: Deployment, next: SideProgress): ServedPatch | undefined {
  const canary = canaryOn(deployment)
  if (!canary || deployment.spec?.paused || next.ready < canary.pods) return undefined
  return pauseCanary(canary)
}

/** As it was before the canary, all but the template. */
export function endCanary({ before }: Canary): Required<ServedPatch> {
  const { maxSurge, maxUnavailable } = before
  return {
    spec: {
      ...pauseCanary({ pods: 0, before }).spec,
      paused: false,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
    },
    annotations: { [CANARY]: null },
  }
}
