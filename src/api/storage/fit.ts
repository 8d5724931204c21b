/** Which volume a claim can have: of those that fit, the smallest. Pure. */
import { compareQuantities, tryParseQuantity, zeroQuantity } from '../quantity.ts'
import { labelSelector } from '../selectors.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../types.ts'
import { classNameOf, isFor } from './claims.ts'

const sizeOf = (text: string | undefined) => tryParseQuantity(text) ?? zeroQuantity
const capacityOf = ({ spec }: PersistentVolume) => sizeOf(spec?.capacity?.storage)
const modeOf = ({ spec }: PersistentVolume | PersistentVolumeClaim) => spec?.volumeMode ?? 'Filesystem'

/** Of volumes that are free or for this very claim; one that is for it comes before all others. `allows` may refuse more. */
export function bestVolume(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
  allows: (volume: PersistentVolume) => boolean = () => true,
): PersistentVolume | undefined {
  let best: PersistentVolume | undefined
  for (const volume of volumes) {
    if (misfitOf(volume, claim) !== undefined || !allows(volume)) continue
    if (isFor(volume, claim)) return volume
    if (volume.spec?.claimRef || volume.status?.phase !== 'Available' || !matchesSelector(volume, claim)) continue
    if (!best || compareQuantities(capacityOf(volume), capacityOf(best)) < 0) best = volume
  }
  return best
}

function matchesSelector({ metadata }: PersistentVolume, { spec }: PersistentVolumeClaim): boolean {
  return !spec?.selector || labelSelector(spec.selector).matches(metadata.labels)
}

/** Why the volume cannot serve the claim, also one that asks for it by name; undefined when it can. */
export function misfitOf(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata.deletionTimestamp) return 'the volume is being deleted'
  if (compareQuantities(capacityOf(volume), sizeOf(claim.spec?.resources?.requests?.storage)) < 0)
    return 'requested PV is too small'
  if (classNameOf(volume) !== classNameOf(claim)) return 'storageClassName does not match'
  if (modeOf(volume) !== modeOf(claim)) return 'incompatible volumeMode'
  const offered = new Set(volume.spec?.accessModes ?? [])
  if (!(claim.spec?.accessModes ?? []).every((mode) => offered.has(mode))) return 'incompatible accessMode'
  const attributes = volume.spec?.volumeAttributesClassName ?? ''
  return attributes === (claim.spec?.volumeAttributesClassName ?? '') ? undefined : 'volumeAttributesClassName does not match'
}
