/** The volume binder: joins claims and volumes, keeps their phases, and asks provisioners for volumes that there are not. */
import { isNotFound } from '../../api/status.ts'
import {
  BETA_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  classNameOf,
  isFor,
  PROVISIONER,
} from '../../api/storage/claims.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../client/resources.ts'
import type { Enqueue, ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { keyOf } from '../../watch/informer.ts'
import { sameJson } from '../parts/json.ts'
import { planClaim, planVolume, type VolumeStep, wasChosen } from './plan.ts'
import { Shelf } from './shelf.ts'

const CLAIM = 'claim '
const VOLUME = 'volume '
/** All claims that wait in a class. */
const CLASS = 'class '
/** How long volumes and classes are gathered before the claims that wait for them are looked at. */
const WAKE_DELAY_MS = 20

export function volumeBinder(): Reconciler {
  let shelf: Shelf
  let send: Enqueue
  const wake = (className: string) => send(CLASS + className, { afterMs: WAKE_DELAY_MS })
  return {
    name: 'persistentvolume-controller',
    setup(context, enqueue) {
      send = enqueue
      shelf = new Shelf(context)
      context.informer(persistentVolumeClaims).subscribe(({ key, object, old }) => {
        if (object) enqueue(CLAIM + key)
        for (const { metadata } of shelf.volumesFor(key)) enqueue(VOLUME + metadata.name)
        const named = (object ?? old)?.spec?.volumeName
        if (named) enqueue(VOLUME + named)
      })
      context.informer(persistentVolumes).subscribe(({ key, object, old }) => {
        const volume = object ?? old
        if (object) enqueue(VOLUME + key)
        const { claimRef } = volume?.spec ?? {}
        if (claimRef) enqueue(`${CLAIM}${claimRef.namespace}/${claimRef.name}`)
        else if (object?.status?.phase === 'Available') wake(classNameOf(object))
      })
      context.informer(storageClasses).subscribe(({ key }) => wake(key))
    },
    async reconcile(key, context) {
      const name = key.slice(key.indexOf(' ') + 1)
      if (key.startsWith(CLAIM)) await bindClaim(name, shelf, context)
      else if (key.startsWith(VOLUME)) await keepVolume(name, shelf, context, send)
      else for (const claimKey of shelf.waitingIn(name)) send(CLAIM + claimKey)
    },
  }
}

async function bindClaim(key: string, shelf: Shelf, context: ReconcileContext): Promise<void> {
  const claim = shelf.claim(key)
  if (!claim) return
  const step = planClaim({
    claim,
    storageClass: context.informer(storageClasses).store.get(classNameOf(claim)),
    candidates: shelf.candidatesFor(claim),
    named: claim.spec?.volumeName ? shelf.volume(claim.spec.volumeName) : undefined,
  })
  const about = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim }
  switch (step.do) {
    case 'bind':
      return bind(step.volume, claim, context)
    case 'ask':
      return ask(step.provisioner, claim, context)
    case 'lose':
      if (claim.status?.phase === 'Lost') return
      context.event(about, step.tell)
      await writeClaimStatus(claim, { phase: 'Lost', accessModes: null, capacity: null }, context)
      return
    case 'wait':
      if (step.tell) context.event(about, step.tell)
      if (claim.status?.phase !== 'Pending') await writeClaimStatus(claim, { phase: 'Pending' }, context)
  }
}

/** Volume first, claim last, each write conditional on what was seen: what is begun is gone on with by whoever looks next. */
async function bind(volume: PersistentVolume, claim: PersistentVolumeClaim, context: ReconcileContext): Promise<void> {
  const { client } = context
  const { name = '' } = volume.metadata
  const { uid, namespace } = claim.metadata
  if (!isFor(volume, claim) || volume.spec?.claimRef?.uid !== uid) {
    const chosen = isFor(volume, claim) ? {} : { annotations: { [BOUND_BY_CONTROLLER]: 'yes' } }
    const claimRef = {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claim.metadata.name },
      ...{ uid, resourceVersion: claim.metadata.resourceVersion },
    }
    const { resourceVersion } = volume.metadata
    await client.patch(persistentVolumes, name, 'merge', { metadata: { resourceVersion, ...chosen }, spec: { claimRef } })
  }
  await writePhase(volume, { do: 'phase', phase: 'Bound' }, context)
  const bound = await completeClaim(claim, name, context)
  const { accessModes, capacity } = volume.spec ?? {}
  const { status } = bound
  if (status?.phase === 'Bound' && sameJson(status.accessModes, accessModes) && status.capacity) return
  await writeClaimStatus(bound, { phase: 'Bound', accessModes, capacity }, context)
}

async function completeClaim(
  claim: PersistentVolumeClaim,
  volumeName: string,
  { client }: ReconcileContext,
): Promise<PersistentVolumeClaim> {
  const { name = '', namespace, resourceVersion, annotations = {} } = claim.metadata
  const isNamed = claim.spec?.volumeName === volumeName
  if (isNamed && annotations[BIND_COMPLETED] !== undefined) return claim
  const said = { [BIND_COMPLETED]: 'yes', ...(!isNamed && { [BOUND_BY_CONTROLLER]: 'yes' }) }
  const body = { metadata: { resourceVersion, annotations: said }, spec: { volumeName } }
  return client.patch(persistentVolumeClaims, name, 'merge', body, { namespace })
}

async function ask(provisioner: string, claim: PersistentVolumeClaim, context: ReconcileContext): Promise<void> {
  const { name = '', namespace, annotations = {} } = claim.metadata
  if (annotations[PROVISIONER] !== provisioner) {
    const said = { [PROVISIONER]: provisioner, [BETA_PROVISIONER]: provisioner }
    await context.client.patch(persistentVolumeClaims, name, 'merge', { metadata: { annotations: said } }, { namespace })
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
    'If volume creation is delayed, please verify that the provisioner is running and correctly registered.'
  context.event(
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim },
    { type: 'Normal', reason: 'ExternalProvisioning', message },
  )
}

async function writeClaimStatus(claim: PersistentVolumeClaim, status: object, { client }: ReconcileContext): Promise<void> {
  const { name = '', namespace } = claim.metadata
  await client.patch(persistentVolumeClaims, name, 'merge', { status }, { namespace, subresource: 'status' })
}

async function keepVolume(name: string, shelf: Shelf, context: ReconcileContext, enqueue: Enqueue): Promise<void> {
  const volume = shelf.volume(name)
  if (!volume) return
  const claim = await claimOf(volume, shelf, context)
  const step = planVolume(volume, claim)
  switch (step.do) {
    case 'phase':
      return writePhase(volume, step, context)
    case 'claim':
      enqueue(CLAIM + keyOf(claim!))
      return
    case 'unbind':
      return unbind(volume, context)
    case 'nothing':
  }
}

/** The claim that the volume is bound to. That it is gone is believed of the server only: much is lost by a mistake. */
async function claimOf(
  volume: PersistentVolume,
  shelf: Shelf,
  context: ReconcileContext,
): Promise<PersistentVolumeClaim | undefined> {
  const reference = volume.spec?.claimRef
  if (!reference?.uid) return undefined
  const { namespace, name = '', uid } = reference
  const known = shelf.claim(`${namespace}/${name}`)
  if (known?.metadata.uid === uid) return known
  try {
    const found = await context.client.get(persistentVolumeClaims, name, { namespace })
    return found.metadata.uid === uid ? found : undefined
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function writePhase(
  volume: PersistentVolume,
  { phase, message, tell }: Extract<VolumeStep, { do: 'phase' }>,
  { client, event }: ReconcileContext,
): Promise<void> {
  if (volume.status?.phase === phase && volume.status.message === message) return
  const status = { phase, message: message ?? null, reason: null }
  await client.patch(persistentVolumes, volume.metadata.name ?? '', 'merge', { status }, { subresource: 'status' })
  if (tell) event({ apiVersion: 'v1', kind: 'PersistentVolume', ...volume }, tell)
}

/** What was asked for by whoever made it stays asked for. */
async function unbind(volume: PersistentVolume, context: ReconcileContext): Promise<void> {
  const { name = '', resourceVersion } = volume.metadata
  const body = wasChosen(volume)
    ? { metadata: { resourceVersion, annotations: { [BOUND_BY_CONTROLLER]: null } }, spec: { claimRef: null } }
    : { metadata: { resourceVersion }, spec: { claimRef: { uid: null, resourceVersion: null } } }
  await context.client.patch(persistentVolumes, name, 'merge', body)
  await writePhase(volume, { do: 'phase', phase: 'Available' }, context)
}
