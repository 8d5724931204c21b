import { describe, expect, it } from 'vitest'
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, PROVISIONED_BY, SELECTED_NODE } from '../../../src/api/storage/claims.ts'
import { bestVolume, misfitOf } from '../../../src/api/storage/fit.ts'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../src/api/types.ts'
import { planClaim, planVolume } from '../../../src/controllers/storage/plan.ts'

function claimOf(spec: PersistentVolumeClaim['spec'] = {}, more: object = {}): PersistentVolumeClaim {
  const resources = { requests: { storage: '2Gi' } }
  return {
    metadata: { name: 'data', namespace: 'default', uid: 'c1', ...more },
    spec: { accessModes: ['ReadWriteOnce'], resources, ...spec },
  }
}

function volumeOf(name: string, storage: string, spec: PersistentVolume['spec'] = {}, more: object = {}): PersistentVolume {
  return {
    metadata: { name, ...more },
    spec: { capacity: { storage }, accessModes: ['ReadWriteOnce', 'ReadOnlyMany'], ...spec },
    status: { phase: 'Available' },
  }
}

const reference = (uid?: string) => ({ namespace: 'default', name: 'data', ...(uid && { uid }) })

describe('the volume for a claim', () => {
  const [small, big, fit] = [volumeOf('small', '1Gi'), volumeOf('big', '10Gi'), volumeOf('fit', '2Gi')]

  it('is the smallest that is large enough', () => {
    expect(bestVolume(claimOf(), [big, small, fit])).toBe(fit)
    expect(bestVolume(claimOf(), [small])).toBeUndefined()
  })

  it('is the one that was meant for it, before any that is smaller', () => {
    const own = volumeOf('own', '20Gi', { claimRef: reference() })
    expect(bestVolume(claimOf(), [fit, own])).toBe(own)
    expect(bestVolume(claimOf(), [volumeOf('other', '2Gi', { claimRef: reference('c2') })])).toBeUndefined()
  })

  it('has its class, mode, access and labels, is free and stays', () => {
    expect(misfitOf(volumeOf('v', '2Gi', { storageClassName: 'fast' }), claimOf())).toBe('storageClassName does not match')
    expect(misfitOf(volumeOf('v', '2Gi', { volumeMode: 'Block' }), claimOf())).toBe('incompatible volumeMode')
    expect(misfitOf(volumeOf('v', '2Gi'), claimOf({ accessModes: ['ReadWriteMany'] }))).toBe('incompatible accessMode')
    expect(misfitOf(volumeOf('v', '1Gi'), claimOf())).toBe('requested PV is too small')
    const labelled = volumeOf('labelled', '3Gi', {}, { labels: { disk: 'ssd' } })
    expect(bestVolume(claimOf({ selector: { matchLabels: { disk: 'ssd' } } }), [fit, labelled])).toBe(labelled)
    expect(bestVolume(claimOf(), [{ ...fit, status: { phase: 'Released' } }])).toBeUndefined()
    expect(bestVolume(claimOf(), [volumeOf('gone', '2Gi', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })])).toBeUndefined()
  })
})

describe('what is next for a claim', () => {
  const standard: StorageClass = {
    metadata: { name: 's' },
    provisioner: 'example.com/p',
    volumeBindingMode: 'WaitForFirstConsumer',
  }
  const see = (claim: PersistentVolumeClaim, more: object = {}) =>
    planClaim({ claim, storageClass: undefined, candidates: [], named: undefined, ...more })
  const volume = volumeOf('v', '2Gi', { storageClassName: 's' })

  it('waits for a consumer where its class does, whatever lies about, and is then made a volume or bound to its own', () => {
    const claim = claimOf({ storageClassName: 's' })
    const waiting = { do: 'wait', tell: { reason: 'WaitForFirstConsumer' } }
    expect(see(claim, { storageClass: standard, candidates: [volume] })).toMatchObject(waiting)
    const selected = claimOf({ storageClassName: 's' }, { annotations: { [SELECTED_NODE]: 'n' } })
    expect(see(selected, { storageClass: standard })).toEqual({ do: 'ask', provisioner: 'example.com/p' })
    const own = volumeOf('v', '2Gi', { storageClassName: 's', claimRef: reference('c1') })
    expect(see(claim, { storageClass: standard, candidates: [own] })).toEqual({ do: 'bind', volume: own })
  })

  it('says what is missing', () => {
    expect(see(claimOf())).toMatchObject({ tell: { type: 'Normal', reason: 'FailedBinding' } })
    const missing = { type: 'Warning', reason: 'ProvisioningFailed', message: 'storageclass.storage.k8s.io "s" not found' }
    expect(see(claimOf({ storageClassName: 's' }))).toEqual({ do: 'wait', tell: missing })
    const byHand = { ...standard, volumeBindingMode: 'Immediate', provisioner: 'kubernetes.io/no-provisioner' }
    expect(see(claimOf({ storageClassName: 's' }), { storageClass: byHand })).toMatchObject({
      tell: { message: 'no volume plugin matched name: kubernetes.io/no-provisioner' },
    })
    expect(see(claimOf({ volumeName: 'v' }), { named: volume })).toMatchObject({
      tell: { reason: 'VolumeMismatch', message: 'Cannot bind to requested volume "v": storageClassName does not match' },
    })
    expect(see(claimOf({ volumeName: 'v' }), { named: volumeOf('v', '2Gi', { claimRef: reference('c2') }) })).toMatchObject({
      tell: { reason: 'FailedBinding', message: 'volume "v" already bound to a different claim.' },
    })
  })

  it('is lost without its volume, or when that is another one’s', () => {
    const bound = claimOf({ volumeName: 'v' }, { annotations: { [BIND_COMPLETED]: 'yes' } })
    expect(see(bound)).toMatchObject({ do: 'lose', tell: { reason: 'ClaimLost' } })
    expect(see(bound, { named: volumeOf('v', '2Gi', { claimRef: reference('c2') }) })).toMatchObject({
      do: 'lose',
      tell: { reason: 'ClaimMisbound' },
    })
    expect(see(bound, { named: volume })).toEqual({ do: 'bind', volume })
  })
})

describe('what is next for a volume', () => {
  const own = (policy: string, more: object = {}, phase = 'Bound') => ({
    ...volumeOf('v', '2Gi', { claimRef: reference('c1'), persistentVolumeReclaimPolicy: policy }, more),
    status: { phase },
  })

  it('follows its claim', () => {
    expect(planVolume(volumeOf('v', '2Gi'), undefined)).toEqual({ do: 'phase', phase: 'Available' })
    expect(planVolume(own('Retain'), claimOf({ volumeName: 'v' }))).toEqual({ do: 'phase', phase: 'Bound' })
    expect(planVolume(own('Retain'), claimOf())).toEqual({ do: 'claim' })
    expect(planVolume(own('Retain', { annotations: { [BOUND_BY_CONTROLLER]: 'yes' } }), claimOf({ volumeName: 'w' }))).toEqual({
      do: 'unbind',
    })
  })

  it('is released with it, and goes by its policy', () => {
    const made = { annotations: { [PROVISIONED_BY]: 'example.com/p' } }
    for (const policy of ['Retain', 'Delete', 'Recycle'])
      expect(planVolume(own(policy), undefined)).toEqual({ do: 'phase', phase: 'Released' })
    expect(planVolume(own('Retain', {}, 'Released'), undefined)).toEqual({ do: 'nothing' })
    expect(planVolume(own('Delete', made, 'Released'), undefined)).toEqual({ do: 'nothing' })
    expect(planVolume(own('Delete', {}, 'Released'), undefined)).toMatchObject({
      phase: 'Failed',
      tell: { reason: 'VolumeFailedDelete' },
    })
    expect(planVolume(own('Recycle', {}, 'Released'), undefined)).toMatchObject({
      phase: 'Failed',
      tell: { reason: 'VolumeFailedRecycle' },
    })
    expect(planVolume(own('Delete', {}, 'Failed'), undefined)).toEqual({ do: 'nothing' })
  })
})
