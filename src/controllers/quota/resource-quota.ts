/**
 * Makes quotas take effect and keeps their status true: what is limited, and what the namespace's objects use. Admission books
 * every creation into the same status at once; what this adds is what admission cannot know, above all deletions.
 */
import type { KubeObject } from '../../api/object.ts'
import { addQuantities, formatQuantity, type Quantity } from '../../api/quantity.ts'
import { isInScope } from '../../api/quota/scopes.ts'
import { difference, type ResourceId, resourceOf, usageOf } from '../../api/quota/usage.ts'
import type { ResourceQuota } from '../../api/types.ts'
import type { ResourceRef } from '../../client/client.ts'
import * as known from '../../client/resources.ts'
import type { Enqueue, ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { type Change, type Informer, keyOf } from '../../watch/informer.ts'
import { discoverResources } from '../parts/discovery.ts'

/** Changes that come together are counted together; bookings of writes under way become objects meanwhile. */
const SETTLE_MS = 200
/** A resource that is not served may be later. */
const RETRY_UNKNOWN_MS = 30_000
/** Built-in resources need no discovery. */
const BUILT_IN = Object.values(known) as readonly ResourceRef<KubeObject>[]

export function resourceQuotaController(): Reconciler {
  const followed = new Map<string, Informer>()
  let enqueueKey: Enqueue = () => {}
  return {
    name: 'resourcequota-controller',
    concurrency: 5,
    setup(context, enqueue) {
      enqueueKey = enqueue
      context.informer(known.resourceQuotas).subscribe(({ key, object, old }) => {
        if (!object) return
        // Admission has booked something that the caches may not show yet: counted now, it would be forgotten again.
        const booked = old !== undefined && JSON.stringify(object.spec) === JSON.stringify(old.spec)
        enqueue(key, { afterMs: booked ? SETTLE_MS : 0 })
      })
    },
    async reconcile(key, context) {
      const quota = context.informer(known.resourceQuotas).store.get(key)
      if (!quota?.spec?.hard) return undefined
      const { hard } = quota.spec
      const used: Record<string, string> = {}
      let complete = true
      for (const resource of resourcesOf(Object.keys(hard))) {
        const informer = await follow(context, resource, followed, enqueueKey)
        complete &&= informer !== undefined
        Object.assign(used, count(quota, resource, informer?.store.list(quota.metadata.namespace) ?? []))
      }
      if (!sameStatus(quota, hard, used)) {
        const status = { ...quota.status, hard: { ...hard }, used }
        await context.client.updateStatus(known.resourceQuotas, { ...quota, status })
      }
      return complete ? undefined : { requeueAfterMs: RETRY_UNKNOWN_MS }
    },
  }
}

function resourcesOf(names: readonly string[]): ResourceId[] {
  return [...new Map(names.map((name) => [`${resourceOf(name).group}/${resourceOf(name).plural}`, resourceOf(name)])).values()]
}

/** The informer of a resource that a quota limits: started by the first such quota. Undefined when it is not served. */
async function follow(
  context: ReconcileContext,
  resource: ResourceId,
  followed: Map<string, Informer>,
  enqueue: Enqueue,
): Promise<Informer | undefined> {
  const id = `${resource.group}/${resource.plural}`
  const before = followed.get(id)
  if (before) return before
  const reference =
    BUILT_IN.find(({ group, plural }) => group === resource.group && plural === resource.plural) ??
    (await discover(context, resource))
  if (!reference) return undefined
  const informer = context.informer(reference)
  await informer.whenSynced(context.signal)
  if (followed.has(id)) return informer
  followed.set(id, informer)
  informer.subscribe((change) => {
    if (!changesUsage(resource, change)) return
    const { namespace } = (change.object ?? change.old)!.metadata
    for (const quota of context.informer(known.resourceQuotas).store.list(namespace))
      enqueue(keyOf(quota), { afterMs: SETTLE_MS })
  })
  return informer
}

async function discover(
  { client, signal }: ReconcileContext,
  { group, plural }: ResourceId,
): Promise<ResourceRef<KubeObject> | undefined> {
  const { resources } = await discoverResources(client, signal)
  return resources.find((each) => each.group === group && each.plural === plural && each.namespaced)
}

function changesUsage(resource: ResourceId, { object, old }: Change<KubeObject>): boolean {
  const usage = (each: KubeObject | undefined) => (each ? usageOf(resource, each) : new Map())
  return difference(usage(object), usage(old)).size > 0
}

/** What these objects use of all that the quota limits about their resource. */
function count(quota: ResourceQuota, resource: ResourceId, objects: readonly KubeObject[]): Record<string, string> {
  const isAbout = (name: string) => resourceOf(name).plural === resource.plural && resourceOf(name).group === resource.group
  const totals = new Map<string, Quantity>()
  for (const object of objects) {
    if (!isInScope(quota, resource, object)) continue
    for (const [name, amount] of usageOf(resource, object)) {
      const sum = totals.get(name)
      totals.set(name, sum ? addQuantities(sum, amount) : amount)
    }
  }
  const textOf = (name: string) => {
    const total = totals.get(name)
    return total ? formatQuantity(total) : '0'
  }
  const names = Object.keys(quota.spec?.hard ?? {}).filter(isAbout)
  return Object.fromEntries(names.map((name) => [name, textOf(name)]))
}

function sameStatus({ status }: ResourceQuota, hard: Record<string, string>, used: Record<string, string>): boolean {
  const same = (a: Record<string, string> | undefined, b: Record<string, string>) =>
    Object.keys(b).length === Object.keys(a ?? {}).length && Object.entries(b).every(([name, value]) => a?.[name] === value)
  return same(status?.hard, hard) && same(status?.used, used)
}
