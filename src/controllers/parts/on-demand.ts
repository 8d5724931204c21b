/** A controller whose code is loaded, and whose informers are started, when the first object it is for appears. */
import type { KubeObject } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { Enqueue, ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import type { Informer } from '../../watch/informer.ts'

/** Not a key any controller uses. */
const WAKE = ' wake'

export function onDemand<T extends KubeObject>(options: {
  name: string
  /** The first object of this resource, or of another one, wakes the controller. */
  resource: ResourceRef<T>
  others?: readonly ResourceRef<KubeObject>[]
  load: () => Promise<Reconciler>
}): Reconciler {
  let send: Enqueue = () => {}
  let awake: Promise<Reconciler> | undefined
  async function wake(context: ReconcileContext): Promise<Reconciler> {
    const reconciler = await options.load()
    const asked: Informer[] = []
    const recording: ReconcileContext = {
      ...context,
      informer(resource) {
        const informer = context.informer(resource)
        asked.push(informer as unknown as Informer)
        return informer
      },
    }
    reconciler.setup(recording, send)
    await Promise.all(asked.map((informer) => informer.whenSynced(context.signal)))
    return reconciler
  }
  return {
    name: options.name,
    setup(context, enqueue) {
      send = enqueue
      for (const resource of [options.resource, ...(options.others ?? [])])
        context.informer(resource as ResourceRef<KubeObject>).subscribe(({ object }) => {
          if (object && !awake) enqueue(WAKE)
        })
    },
    async reconcile(key, context) {
      // Keys that come while it wakes up wait for it.
      awake ??= wake(context)
      const reconciler = await awake.catch((error: unknown) => {
        awake = undefined
        throw error
      })
      return key === WAKE ? undefined : reconciler.reconcile(key, context)
    },
  }
}
