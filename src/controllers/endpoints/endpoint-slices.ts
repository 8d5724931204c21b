/** The EndpointSlice controller: for each Service with a selector, slices of the pods behind it. */

import { isConflict, isNotFound } from '../../api/status.ts'
import type { EndpointSlice, Service } from '../../api/types.ts'
import { endpointSlices, nodes, pods, services } from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import type { Cache } from '../../watch/informer.ts'
import { inParallel } from '../parts/batches.ts'
import { createExpectations, type Expectations } from '../parts/expectations.ts'
import { isNamespaceTerminating } from '../parts/failures.ts'
import { copyOf } from '../parts/json.ts'
import { createPace, type Pace } from '../parts/pace.ts'
import { backendsOf, familiesOf, hasSelector } from './backends.ts'
import { watchBackends } from './changes.ts'
import { MANAGED_BY_LABEL, MANAGER, planSlices, SERVICE_NAME_LABEL, type SlicesPlan } from './plan-slices.ts'

const BY_SERVICE = 'managed-slices-of-service'
/** Changes that come together are written together; short enough not to be noticed. */
const GATHER_MS = 2

export function endpointSliceController(): Reconciler {
  let pace: Pace
  let expectations: Expectations
  return {
    name: 'endpoint-slice-controller',
    setup(context, enqueue) {
      pace = createPace(context.clock, enqueue, { firstMs: GATHER_MS })
      expectations = createExpectations(context.clock)
      watchBackends(context, pace.touch)
      const slices = context.informer(endpointSlices)
      slices.store.addIndex(BY_SERVICE, (slice) => serviceKeyOf(slice) ?? [])
      slices.subscribe(({ object, old }) => {
        for (const key of serviceKeyOf(object ?? old) ?? []) {
          if (!old) expectations.creationObserved(key)
          pace.touch(key)
        }
      })
    },
    async reconcile(key, context) {
      const service = context.informer(services).store.get(key)
      const existing = context.informer(endpointSlices).store.byIndex(BY_SERVICE, key)
      if (!service) {
        pace.forget(key)
        expectations.forget(key)
        await removeAll(context, existing)
        return
      }
      // A slice made here that the cache does not show yet would be made again.
      if (!hasSelector(service) || service.metadata.deletionTimestamp !== undefined || !expectations.satisfied(key)) return
      const podsHere = context.informer(pods).store.list(service.metadata.namespace)
      pace.begin(key, podsHere.length)
      await perform(context, key, planAll(context, service, existing), expectations)
    },
  }
}

function serviceKeyOf(slice: EndpointSlice | undefined): [string] | undefined {
  const labels = slice?.metadata.labels
  if (labels?.[MANAGED_BY_LABEL] !== MANAGER || !labels[SERVICE_NAME_LABEL]) return undefined
  return [`${slice?.metadata.namespace}/${labels[SERVICE_NAME_LABEL]}`]
}

/** Slices of a former Service of the same name, and of families it no longer has, go. */
function planAll(context: ReconcileContext, service: Service, existing: readonly EndpointSlice[]): SlicesPlan {
  const nodeStore: Cache = context.informer(nodes).store
  const podsHere = context.informer(pods).store.list(service.metadata.namespace)
  const families = familiesOf(service)
  const isOwn = (slice: EndpointSlice) =>
    (slice.metadata.ownerReferences ?? []).some(({ uid }) => uid === service.metadata.uid) &&
    families.some((family) => family === slice.addressType)
  const whole: SlicesPlan = { create: [], update: [], remove: existing.filter((slice) => !isOwn(slice)) }
  for (const family of families) {
    const backends = backendsOf(service, podsHere, family, (name) => nodeStore.get(name))
    const own = existing.filter((slice) => isOwn(slice) && slice.addressType === family)
    const plan = planSlices(service, family, backends, own)
    whole.create.push(...plan.create)
    whole.update.push(...plan.update)
    whole.remove.push(...plan.remove)
  }
  return whole
}

async function perform({ client }: ReconcileContext, key: string, plan: SlicesPlan, expectations: Expectations): Promise<void> {
  expectations.expectCreations(key, plan.create.length)
  await inParallel(plan.create, async (slice) => {
    try {
      await client.create(endpointSlices, copyOf(slice))
    } catch (error) {
      expectations.creationObserved(key)
      if (!isNamespaceTerminating(error) && !isNotFound(error)) throw error
    }
  })
  await inParallel(plan.update, (slice) => client.update(endpointSlices, copyOf(slice)))
  await inParallel(plan.remove, ({ metadata: { name = '', namespace, uid = '' } }) =>
    client.delete(endpointSlices, name, { namespace, preconditions: { uid } }).catch(ignoreGone),
  )
}

async function removeAll({ client }: ReconcileContext, slices: readonly EndpointSlice[]): Promise<void> {
  await inParallel(slices, ({ metadata: { name = '', namespace, uid = '' } }) =>
    client.delete(endpointSlices, name, { namespace, preconditions: { uid } }).catch(ignoreGone),
  )
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error
}
