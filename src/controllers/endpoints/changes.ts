/** Tells which Services a change of a pod, a node or a Service concerns. */
import type { Pod } from '../../api/types.ts'
import { pods as podResource, services as serviceResource } from '../../client/resources.ts'
import type { ReconcileContext } from '../../reconcile/reconciler.ts'
import { type Change, keyOf } from '../../watch/informer.ts'
import { changesEndpoints, selects } from './backends.ts'

/** Calls `touch` with the keys of the Services whose endpoints may have changed. */
export function watchBackends(context: ReconcileContext, touch: (serviceKey: string) => void): void {
  const services = context.informer(serviceResource)
  services.subscribe(({ key }) => touch(key))
  context.informer(podResource).subscribe(({ object, old }: Change<Pod>) => {
    if (object && old && !changesEndpoints(object, old)) return
    const pod = object ?? old
    if (!pod) return
    for (const service of services.store.list(pod.metadata.namespace)) {
      if (selects(service, pod) || (old && old !== pod && selects(service, old))) touch(keyOf(service))
    }
  })
}
