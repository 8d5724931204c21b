/** Makes the claims of pods' generic ephemeral volumes: they belong to the pod, and go with it. */
import { isAlreadyExists, isNotFound } from '../../api/status.ts'
import { claimNameOf } from '../../api/storage/claims.ts'
import type { Pod, Volume } from '../../api/types.ts'
import { persistentVolumeClaims, pods } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { controllerReference } from '../parts/owners.ts'

export function ephemeralVolumes(): Reconciler {
  return {
    name: 'ephemeral-volume-controller',
    setup(context, enqueue) {
      context.informer(pods).subscribe(({ key, object, old }) => {
        if (object && !old && object.spec?.volumes?.some(({ ephemeral }) => ephemeral)) enqueue(key)
      })
    },
    async reconcile(key, context) {
      const pod = context.informer(pods).store.get(key)
      if (!pod || pod.metadata.deletionTimestamp) return
      for (const volume of pod.spec?.volumes ?? []) if (volume.ephemeral) await makeClaim(pod, volume, context)
    },
  }
}

async function makeClaim(pod: Pod, volume: Volume, context: ReconcileContext): Promise<void> {
  const { client } = context
  const { namespace, uid } = pod.metadata
  const name = claimNameOf(pod, volume) ?? ''
  const { metadata, spec } = volume.ephemeral?.volumeClaimTemplate ?? { spec: {} }
  const claim = {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec },
    metadata: { ...metadata, name, namespace, ownerReferences: [controllerReference(pod, pods)] },
  }
  try {
    await client.create(persistentVolumeClaims, claim, { namespace })
  } catch (error) {
    if (isNotFound(error)) return
    if (!isAlreadyExists(error)) {
      tell(pod, `ephemeral volume ${volume.name}: create PVC ${name}: ${(error as Error).message}`, context)
      throw error
    }
    const there = await client.get(persistentVolumeClaims, name, { namespace })
    if (there.metadata.ownerReferences?.some((owner) => owner.uid === uid)) return
    tell(pod, `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`, context)
  }
}

function tell(pod: Pod, message: string, { event }: ReconcileContext): void {
  event({ apiVersion: 'v1', kind: 'Pod', ...pod }, { type: 'Warning', reason: 'FailedBinding', message })
}
