/** What the volume binder does next for a claim or a volume, in Kubernetes' order and words. Pure. */
import {
  BOUND_BY_CONTROLLER,
  classNameOf,
  isBindComplete,
  isFor,
  PROVISIONED_BY,
  SELECTED_NODE,
  waitsForConsumer,
} from '../../api/storage/claims.ts'
import { bestVolume, misfitOf } from '../../api/storage/fit.ts'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/types.ts'

interface Telling {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

export type ClaimStep =
  | { do: 'bind'; volume: PersistentVolume }
  /** Somebody outside is to make a volume for it. */
  | { do: 'ask'; provisioner: string }
  | { do: 'wait'; tell?: Telling }
  | { do: 'lose'; tell: Telling }

export interface ClaimObserved {
  claim: PersistentVolumeClaim
  storageClass: StorageClass | undefined
  /** Volumes that are for the claim, or free in its class. */
  candidates: Iterable<PersistentVolume>
  /** The volume that it names. */
  named: PersistentVolume | undefined
}

export function planClaim(observed: ClaimObserved): ClaimStep {
  if (isBindComplete(observed.claim)) return planBound(observed)
  return observed.claim.spec?.volumeName ? planNamed(observed) : planOpen(observed)
}

function planBound({ claim, named }: ClaimObserved): ClaimStep {
  const lose = (reason: string, message: string): ClaimStep => ({ do: 'lose', tell: { type: 'Warning', reason, message } })
  if (!claim.spec?.volumeName)
    return lose('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  if (!named) return lose('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  if (named.spec?.claimRef && !isFor(named, claim))
    return lose('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
  return { do: 'bind', volume: named }
}

function planNamed({ claim, named }: ClaimObserved): ClaimStep {
  if (!named) return { do: 'wait' }
  if (named.spec?.claimRef) {
    if (isFor(named, claim)) return { do: 'bind', volume: named }
    const message = `volume ${JSON.stringify(named.metadata.name)} already bound to a different claim.`
    return { do: 'wait', tell: { type: 'Warning', reason: 'FailedBinding', message } }
  }
  const misfit = misfitOf(named, claim)
  if (misfit === undefined) return { do: 'bind', volume: named }
  const message = `Cannot bind to requested volume ${JSON.stringify(named.metadata.name)}: ${misfit}`
  return { do: 'wait', tell: { type: 'Warning', reason: 'VolumeMismatch', message } }
}

function planOpen({ claim, storageClass, candidates }: ClaimObserved): ClaimStep {
  if (claim.metadata.deletionTimestamp) return { do: 'wait' }
  const waits = waitsForConsumer(storageClass)
  // Where a pod decides, the scheduler reserves the volume for the claim: others may lie where the pod cannot be.
  const volume = bestVolume(claim, candidates, waits ? (one) => isFor(one, claim) : undefined)
  if (volume) return { do: 'bind', volume }
  if (waits && claim.metadata.annotations?.[SELECTED_NODE] === undefined) {
    const message = 'waiting for first consumer to be created before binding'
    return { do: 'wait', tell: { type: 'Normal', reason: 'WaitForFirstConsumer', message } }
  }
  const className = classNameOf(claim)
  if (className === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set'
    return { do: 'wait', tell: { type: 'Normal', reason: 'FailedBinding', message } }
  }
  return planProvisioning(className, storageClass)
}

function planProvisioning(className: string, storageClass: StorageClass | undefined): ClaimStep {
  const fail = (message: string): ClaimStep => ({
    do: 'wait',
    tell: { type: 'Warning', reason: 'ProvisioningFailed', message },
  })
  if (!storageClass) return fail(`storageclass.storage.k8s.io ${JSON.stringify(className)} not found`)
  const { provisioner } = storageClass
  // Kubernetes' own are gone from it, and one of them never was one.
  if (provisioner.startsWith('kubernetes.io/')) return fail(`no volume plugin matched name: ${provisioner}`)
  return { do: 'ask', provisioner }
}

export type VolumePhase = 'Available' | 'Bound' | 'Released' | 'Failed'

export type VolumeStep =
  | { do: 'phase'; phase: VolumePhase; message?: string; tell?: Telling }
  /** Its claim has to be looked at, which binds it. */
  | { do: 'claim' }
  /** Its claim has another volume: this one is given back. */
  | { do: 'unbind' }
  | { do: 'nothing' }

/** `claim` is the one that the volume names, by its uid; undefined when that is gone. */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumeStep {
  const { spec, metadata } = volume
  if (!spec?.claimRef?.uid) return { do: 'phase', phase: 'Available' }
  if (!claim) return planReleased(volume)
  if (claim.spec?.volumeName === metadata.name) return { do: 'phase', phase: 'Bound' }
  if (!claim.spec?.volumeName) return { do: 'claim' }
  const wasMade = metadata.annotations?.[PROVISIONED_BY] !== undefined
  if (wasMade && spec.persistentVolumeReclaimPolicy === 'Delete') return planReleased(volume)
  return { do: 'unbind' }
}

function planReleased({ spec, status, metadata }: PersistentVolume): VolumeStep {
  if (status?.phase === 'Failed') return { do: 'nothing' }
  if (status?.phase !== 'Released') return { do: 'phase', phase: 'Released' }
  const fail = (reason: string, message: string): VolumeStep => ({
    do: 'phase',
    phase: 'Failed',
    message,
    tell: { type: 'Warning', reason, message },
  })
  switch (spec?.persistentVolumeReclaimPolicy) {
    case 'Delete':
      // Who made it takes it away.
      if (metadata.annotations?.[PROVISIONED_BY] !== undefined) return { do: 'nothing' }
      return fail(
        'VolumeFailedDelete',
        `error getting deleter volume plugin for volume ${JSON.stringify(metadata.name)}: no volume plugin matched`,
      )
    case 'Recycle':
      return fail('VolumeFailedRecycle', 'No recycler plugin found for the volume!')
    default:
      return { do: 'nothing' }
  }
}

/** The volume was chosen by a controller, not asked for by whoever made it. */
export function wasChosen({ metadata }: PersistentVolume): boolean {
  return metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined
}
