/**
 * The garbage collector: deletes what its owners left behind, in the background or before the owner goes, or takes the owner's
 * name off it. Keys are uids; an object is looked at only when something about its owners or dependents changed.
 */
import type { KubeObject, OwnerReference } from '../../api/object.ts'
import { isNotFound, StatusError } from '../../api/status.ts'
import type { ResourceRef } from '../../client/client.ts'
import type { Enqueue, ReconcileContext, ReconcileResult, Reconciler } from '../../reconcile/reconciler.ts'
import type { Change } from '../../watch/informer.ts'
import { inParallel } from '../parts/batches.ts'
import {
  deletesDependents,
  FOREGROUND_FINALIZER,
  type Item,
  isDeleted,
  ORPHAN_FINALIZER,
  OwnershipGraph,
  orphansDependents,
  ownersOf,
  sameOwners,
} from './graph.ts'
import { type GarbagePlan, planItem, unknownOwners } from './plan.ts'
import { createSources, customResourceDefinitions, type Sources } from './sources.ts'

/** Start-up does not wait for the collector: it begins to look around this much later. */
const START_DELAY_MS = 250
/** How often resources are discovered anew when nothing tells of a change. */
const DISCOVERY_INTERVAL_MS = 30_000
/** A new custom resource is served this long after its definition, at the latest. */
const NEW_RESOURCE_DELAY_MS = 100
/** Absent owners remembered, so that a thousand orphans cost one question. */
const MAX_ABSENT = 4_096
const CONCURRENCY = 20
const DISCOVER = 'discover'

export function garbageCollector(): Reconciler {
  let collector: Collector | undefined
  return {
    name: 'garbage-collector',
    concurrency: CONCURRENCY,
    setup(context, enqueue) {
      collector = new Collector(context, enqueue)
      context.informer(customResourceDefinitions).subscribe(() => enqueue(DISCOVER, { afterMs: NEW_RESOURCE_DELAY_MS }))
      enqueue(DISCOVER, { afterMs: START_DELAY_MS })
    },
    reconcile: (key) => (key === DISCOVER ? collector!.discover() : collector!.collect(key)),
  }
}

class Collector {
  readonly #context: ReconcileContext
  readonly #enqueue: Enqueue
  readonly #sources: Sources
  readonly #graph = new OwnershipGraph()
  readonly #absent = new Set<string>()
  /** Until every resource was listed once, an owner may just not have been seen yet. */
  #complete = false

  constructor(context: ReconcileContext, enqueue: Enqueue) {
    this.#context = context
    this.#enqueue = enqueue
    this.#sources = createSources(context, (resource, change) => this.#changed(resource, change))
  }

  async discover(): Promise<ReconcileResult> {
    await this.#sources.refresh()
    if (!this.#complete) {
      this.#complete = true
      for (const item of this.#graph.items()) if (this.#isOfInterest(item)) this.#enqueue(item.uid)
    }
    return { requeueAfterMs: DISCOVERY_INTERVAL_MS }
  }

  #changed(resource: ResourceRef<KubeObject>, { object, old }: Change<KubeObject>): void {
    if (old && old.metadata.uid !== object?.metadata.uid) this.#vanished(old.metadata.uid ?? '')
    if (!object) return
    const { item, before, isNew } = this.#graph.put(resource, object)
    if (!isNew && !sameOwners(before, ownersOf(item))) this.#wakeWaiting(before)
    if (this.#complete && this.#isOfInterest(item)) this.#enqueue(item.uid)
  }

  #vanished(uid: string): void {
    const item = this.#graph.remove(uid)
    this.#rememberAbsent(uid)
    if (!this.#complete) return
    for (const dependent of this.#graph.dependentsOf(uid)) this.#enqueue(dependent.uid)
    if (item) this.#wakeWaiting(ownersOf(item))
  }

  /** Owners that wait for their dependents to go. */
  #wakeWaiting(owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) {
      const owner = this.#graph.get(uid)
      if (owner && deletesDependents(owner)) this.#enqueue(uid)
    }
  }

  /** False for what needs no decision: nothing owned, or all owners there and staying. Most changes end here. */
  #isOfInterest(item: Item): boolean {
    if (isDeleted(item)) return orphansDependents(item) || deletesDependents(item)
    return ownersOf(item).some(({ uid }) => {
      const owner = this.#graph.get(uid)
      return !owner || deletesDependents(owner)
    })
  }

  async collect(uid: string): Promise<ReconcileResult | undefined> {
    const item = this.#graph.get(uid)
    if (!item) return undefined
    const present = new Set<string>()
    for (const owner of unknownOwners(item, this.#graph)) {
      if (await this.#exists(item, owner)) present.add(owner.uid)
    }
    const plan = planItem(item, this.#graph, ({ uid: owner }) => present.has(owner))
    try {
      await this.#perform(item, plan)
    } catch (error) {
      if (!isNotFound(error)) throw error
      // Gone already; the informer will say so.
    }
    return present.size > 0 ? { requeueAfterMs: DISCOVERY_INTERVAL_MS } : undefined
  }

  /** Asks the server: the watch of the owner's resource may lag behind that of the object. What cannot be asked for is kept. */
  async #exists(item: Item, owner: OwnerReference): Promise<boolean> {
    if (this.#absent.has(owner.uid)) return false
    const resource = this.#sources.find(owner.apiVersion, owner.kind)
    const namespace = item.object.metadata.namespace
    if (!resource) return true
    if (resource.namespaced && !namespace) {
      const message = `ownerRef of kind ${owner.kind} is namespaced, and cannot own an object that is not`
      this.#context.event(item.object, { type: 'Warning', reason: 'OwnerRefInvalidNamespace', message })
      return true
    }
    try {
      const found = await this.#context.client.get(resource, owner.name, {
        namespace: resource.namespaced ? namespace : undefined,
      })
      if (found.metadata.uid === owner.uid) return true
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    this.#rememberAbsent(owner.uid)
    return false
  }

  #rememberAbsent(uid: string): void {
    this.#absent.add(uid)
    if (this.#absent.size > MAX_ABSENT) this.#absent.delete(this.#absent.values().next().value as string)
  }

  async #perform(item: Item, plan: GarbagePlan): Promise<void> {
    switch (plan.action) {
      case 'none':
        return
      case 'orphan':
        await inParallel(plan.dependents, (dependent) =>
          this.#disown(dependent, item.uid).catch((error: unknown) => {
            if (!isNotFound(error)) throw error
          }),
        )
        return this.#removeFinalizer(item, ORPHAN_FINALIZER)
      case 'wait':
        for (const { uid } of plan.dependents) this.#enqueue(uid)
        return
      case 'release':
        return this.#removeFinalizer(item, FOREGROUND_FINALIZER)
      case 'disown':
        return this.#setOwners(item, plan.keep)
      case 'delete':
        if (plan.unblock) {
          await this.#setOwners(
            item,
            ownersOf(item).map((owner) => ({ ...owner, blockOwnerDeletion: false })),
          )
          // The write changed the version that the delete would be checked against; the item comes back with the new one.
          this.#enqueue(item.uid, { afterMs: NEW_RESOURCE_DELAY_MS })
          return
        }
        return this.#delete(item, plan.propagation)
    }
  }

  async #delete({ resource, object, uid }: Item, propagationPolicy: 'Orphan' | 'Foreground' | 'Background'): Promise<void> {
    const { name = '', namespace, resourceVersion } = object.metadata
    // The version makes sure that the owners it was judged by are still its owners.
    const preconditions = { uid, ...(resourceVersion && { resourceVersion }) }
    await this.#context.client.delete(resource, name, { namespace, propagationPolicy, preconditions })
  }

  #setOwners(item: Item, owners: readonly OwnerReference[]): Promise<void> {
    return this.#patch(item, { ownerReferences: owners.length > 0 ? owners.map((owner) => ({ ...owner })) : null })
  }

  /** By uid alone, so that what changes all the time can be let go as well; custom resources know no such patch. */
  async #disown(item: Item, ownerUid: string): Promise<void> {
    const { resource, object } = item
    const { name = '', namespace, uid } = object.metadata
    const metadata = { uid, ownerReferences: [{ $patch: 'delete', uid: ownerUid }] }
    try {
      await this.#context.client.patch(resource, name, 'strategic', { metadata }, { namespace })
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 415) throw error
      await this.#setOwners(
        item,
        ownersOf(item).filter((owner) => owner.uid !== ownerUid),
      )
    }
  }

  #removeFinalizer(item: Item, finalizer: string): Promise<void> {
    const finalizers = (item.object.metadata.finalizers ?? []).filter((one) => one !== finalizer)
    return this.#patch(item, { finalizers })
  }

  async #patch({ resource, object }: Item, metadata: object): Promise<void> {
    const { name = '', namespace, resourceVersion } = object.metadata
    await this.#context.client.patch(resource, name, 'merge', { metadata: { resourceVersion, ...metadata } }, { namespace })
  }
}
