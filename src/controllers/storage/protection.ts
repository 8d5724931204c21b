/** Lets claims and volumes that were deleted go once nobody uses them: the finalizers that admission gave them are taken away. */
import { isNotFound } from '../../api/status.ts'
import { CLAIM_FINALIZER, claimNamesOf, VOLUME_FINALIZER } from '../../api/storage/claims.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import { persistentVolumeClaims, persistentVolumes, pods } from '../../client/resources.ts'
import type { Reconciler } from '../../reconcile/reconciler.ts'
import { splitKey } from '../../watch/informer.ts'
import { ClaimUsers } from './shelf.ts'

export function claimProtection(): Reconciler {
  let users: ClaimUsers
  return {
    name: 'pvc-protection-controller',
    setup(context, enqueue) {
      const claims = context.informer(persistentVolumeClaims)
      users = new ClaimUsers(context, (key) => {
        if (claims.store.get(key)?.metadata.deletionTimestamp) enqueue(key)
      })
      claims.subscribe(({ key, object }) => {
        if (object?.metadata.deletionTimestamp) enqueue(key)
      })
    },
    async reconcile(key, { client, informer }) {
      const claim = informer(persistentVolumeClaims).store.get(key)
      if (!isHeld(claim, CLAIM_FINALIZER) || users.of(key).some(usesStorage)) return
      const { namespace, name } = splitKey(key)
      // The cache may not have seen a pod that has just come.
      const { items } = await client.list(pods, { namespace })
      if (items.some((pod) => usesStorage(pod) && claimNamesOf(pod).includes(name))) return { requeueAfterMs: 1000 }
      await release(client, persistentVolumeClaims, claim, CLAIM_FINALIZER)
      return undefined
    },
  }
}

/** A pod without a node has not touched it yet; one that has ended does no longer. */
function usesStorage({ spec, status }: Pod): boolean {
  return Boolean(spec?.nodeName) && status?.phase !== 'Succeeded' && status?.phase !== 'Failed'
}

export function volumeProtection(): Reconciler {
  return {
    name: 'pv-protection-controller',
    setup(context, enqueue) {
      context.informer(persistentVolumes).subscribe(({ key, object }) => {
        if (object?.metadata.deletionTimestamp) enqueue(key)
      })
    },
    async reconcile(key, { client, informer }) {
      const volume = informer(persistentVolumes).store.get(key)
      if (!isHeld(volume, VOLUME_FINALIZER) || volume.status?.phase === 'Bound') return
      await release(client, persistentVolumes, volume, VOLUME_FINALIZER)
    },
  }
}

type Stored = PersistentVolumeClaim | PersistentVolume

function isHeld<T extends Stored>(object: T | undefined, finalizer: string): object is T {
  return Boolean(object?.metadata.deletionTimestamp && object.metadata.finalizers?.includes(finalizer))
}

async function release<T extends Stored>(client: Client, resource: ResourceRef<T>, { metadata }: T, finalizer: string) {
  const { name = '', namespace, resourceVersion, finalizers = [] } = metadata
  const body = { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== finalizer) } }
  try {
    await client.patch(resource, name, 'merge', body, { namespace })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
