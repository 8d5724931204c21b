/** The Endpoints controller: for each Service with a selector, one Endpoints object of its name. */

import { isAlreadyExists, isNotFound } from '../../api/status.ts'
import type { Endpoints, Service } from '../../api/types.ts'
import { endpoints as endpointsResource, nodes, pods, services } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { isNamespaceTerminating } from '../parts/failures.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import { createPace, type Pace } from '../parts/pace.ts'
import { backendsOf, familiesOf, hasSelector } from './backends.ts'
import { watchBackends } from './changes.ts'
import { type EndpointsPlan, MANAGED_BY_LABEL, MANAGER, OVER_CAPACITY, planEndpoints } from './plan-endpoints.ts'

/** Changes that come together are written together; short enough not to be noticed. */
const GATHER_MS = 4

export function endpointsController(): Reconciler {
  let pace: Pace
  return {
    name: 'endpoint-controller',
    setup(context, enqueue) {
      pace = createPace(context.clock, enqueue, { firstMs: GATHER_MS })
      watchBackends(context, pace.touch)
      context.informer(endpointsResource).subscribe(({ key }) => pace.touch(key))
    },
    async reconcile(key, context) {
      const service = context.informer(services).store.get(key)
      const existing = context.informer(endpointsResource).store.get(key)
      if (!service) {
        pace.forget(key)
        // Those without the label belong to somebody else.
        if (existing?.metadata.labels?.[MANAGED_BY_LABEL] === MANAGER) await remove(context, existing)
        return
      }
      if (!hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return
      const podsHere = context.informer(pods).store.list(service.metadata.namespace)
      pace.begin(key, podsHere.length)
      const nodeStore = context.informer(nodes).store
      const backends = backendsOf(service, podsHere, familiesOf(service)[0] ?? 'IPv4', (name) => nodeStore.get(name))
      await write(context, service, planEndpoints(service, backends), existing)
    },
  }
}

async function write(
  { client }: ReconcileContext,
  service: Service,
  plan: EndpointsPlan,
  existing: Endpoints | undefined,
): Promise<void> {
  const { [OVER_CAPACITY]: _, ...others } = existing?.metadata.annotations ?? {}
  const annotations = { ...others, ...(plan.truncated && { [OVER_CAPACITY]: 'truncated' }) }
  if (!existing) {
    const { name, namespace } = service.metadata
    const fresh: Endpoints = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name, namespace, labels: plan.labels, ...(plan.truncated && { annotations }) },
      ...(plan.subsets.length > 0 && { subsets: plan.subsets }),
    }
    await client.create(endpointsResource, fresh).catch((error: unknown) => {
      // The cache will show it, and then it is compared.
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error) && !isNotFound(error)) throw error
    })
    return
  }
  const unchanged =
    sameJson(existing.subsets ?? [], plan.subsets) &&
    sameJson(existing.metadata.labels ?? {}, plan.labels) &&
    sameJson(existing.metadata.annotations ?? {}, annotations)
  if (unchanged) return
  const changed = copyOf({ ...existing, subsets: plan.subsets })
  changed.metadata.labels = plan.labels
  changed.metadata.annotations = annotations
  await client.update(endpointsResource, changed)
}

async function remove({ client }: ReconcileContext, existing: Endpoints): Promise<void> {
  const { name = '', namespace } = existing.metadata
  await client.delete(endpointsResource, name, { namespace }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
}
