/** Keeps the status of PodDisruptionBudgets, by which evictions are granted or refused. */

import type { KubeObject, OwnerReference } from '../../api/object.ts'
import { isNotFound } from '../../api/status.ts'
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus, Scale } from '../../api/types.ts'
import { timestamp } from '../../base/clock.ts'
import type { ResourceRef } from '../../client/client.ts'
import {
  deployments,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '../../client/resources.ts'
import type { ReconcileContext, Reconciler } from '../../reconcile/reconciler.ts'
import { keyOf } from '../../watch/informer.ts'
import { type DiscoveredResource, discoverResources } from '../parts/discovery.ts'
import { messageOf } from '../parts/failures.ts'
import { copyOf, sameJson } from '../parts/json.ts'
import { apiVersionOf, controllerOf } from '../parts/owners.ts'
import { createPace, type Pace } from '../parts/pace.ts'
import { compiledSelector } from '../parts/selectors.ts'
import { changesReplicas } from '../replicas/pod-changes.ts'
import { failedStatus, needsScale, planDisruption } from './plan.ts'

/** When a controller's scale could not be read, it is tried again after this time. */
const RETRY_MS = 10_000
/** Controllers whose size is in the caches. */
const SIZED: readonly ResourceRef<KubeObject>[] = [
  replicationControllers,
  replicaSets,
  deployments,
  statefulSets,
] as readonly ResourceRef<KubeObject>[]

export function disruptionController(): Reconciler {
  let pace: Pace
  return {
    name: 'disruption-controller',
    setup(context, enqueue) {
      pace = createPace(context.clock, enqueue)
      const budgets = context.informer(podDisruptionBudgets)
      budgets.subscribe(({ key, object }) => {
        if (object) enqueue(key)
        else pace.forget(key)
      })
      context.informer(pods).subscribe(({ object, old }) => {
        if (object && old && !changesReplicas(object, old)) return
        const pod = object ?? old
        for (const budget of budgets.store.list(pod?.metadata.namespace))
          if ((object && selects(budget, object)) || (old && selects(budget, old))) pace.touch(keyOf(budget))
      })
      for (const resource of SIZED) {
        context.informer(resource).subscribe(({ object, old }) => {
          if (object && object.spec?.replicas === old?.spec?.replicas) return
          for (const budget of budgets.store.list((object ?? old)?.metadata.namespace))
            if (needsScale(budget)) pace.touch(keyOf(budget))
        })
      }
    },
    async reconcile(key, context) {
      const budget = context.informer(podDisruptionBudgets).store.get(key)
      if (!budget) return undefined
      const podsHere = context.informer(pods).store.list(budget.metadata.namespace)
      pace.begin(key, podsHere.length)
      const selected = podsHere.filter((pod) => selects(budget, pod))
      const observed = { budget, nowMs: context.clock.now(), now: timestamp(context.clock) }
      let expectedScale = 0
      try {
        if (needsScale(budget)) expectedScale = await scaleOf(context, selected)
      } catch (error) {
        await writeStatus(context, budget, failedStatus(observed, messageOf(error)))
        return { requeueAfterMs: RETRY_MS }
      }
      const { status, nextLookMs } = planDisruption({ ...observed, pods: selected, expectedScale })
      await writeStatus(context, budget, status)
      return nextLookMs === undefined ? undefined : { requeueAfterMs: nextLookMs }
    },
  }
}

function selects(budget: PodDisruptionBudget, pod: Pod): boolean {
  return compiledSelector(budget.spec?.selector).matches(pod.metadata.labels)
}

/** The sum of the sizes of all that control the pods; a Deployment's counts once, whichever of its ReplicaSets a pod is of. */
async function scaleOf(context: ReconcileContext, selected: readonly Pod[]): Promise<number> {
  const sizes = new Map<string, number>()
  const roots = new Map<string, OwnerReference>()
  for (const pod of selected) {
    const owner = controllerOf(pod)
    if (owner) roots.set(owner.uid, rootOf(context, pod.metadata.namespace, owner))
  }
  for (const root of roots.values())
    if (!sizes.has(root.uid)) sizes.set(root.uid, await sizeOf(context, selected[0]?.metadata.namespace, root))
  return [...sizes.values()].reduce((total, size) => total + size, 0)
}

function rootOf(context: ReconcileContext, namespace: string | undefined, owner: OwnerReference): OwnerReference {
  if (owner.kind !== 'ReplicaSet') return owner
  const set = context.informer(replicaSets).store.get(`${namespace}/${owner.name}`)
  return (set && controllerOf(set)) ?? owner
}

async function sizeOf(context: ReconcileContext, namespace: string | undefined, owner: OwnerReference): Promise<number> {
  const known = SIZED.find((resource) => resource.kind === owner.kind && apiVersionOf(resource) === owner.apiVersion)
  if (known) return context.informer(known).store.get(`${namespace}/${owner.name}`)?.spec?.replicas ?? 0
  const resource = await resourceOf(context, owner)
  if (!resource) throw new Error(`found no resource of kind ${owner.kind} in ${owner.apiVersion}`)
  try {
    const scale = (await context.client.get(resource, owner.name, { namespace, subresource: 'scale' })) as unknown as Scale
    return scale.spec?.replicas ?? 0
  } catch (error) {
    if (isNotFound(error)) throw new Error(`${resource.plural} ${JSON.stringify(owner.name)} has no scale`, { cause: error })
    throw error
  }
}

async function resourceOf({ client, signal }: ReconcileContext, owner: OwnerReference): Promise<DiscoveredResource | undefined> {
  const { resources } = await discoverResources(client, signal)
  const group = owner.apiVersion.includes('/') ? owner.apiVersion.split('/')[0] : ''
  return resources.find((resource) => resource.group === group && resource.kind === owner.kind)
}

async function writeStatus(
  { client }: ReconcileContext,
  budget: PodDisruptionBudget,
  status: PodDisruptionBudgetStatus,
): Promise<void> {
  if (sameJson(status, budget.status)) return
  try {
    await client.updateStatus(podDisruptionBudgets, { ...copyOf(budget), status: copyOf(status) })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
