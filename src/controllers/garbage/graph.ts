/**
 * Who owns whom, by uid. Every object seen has an item; owners that were never seen have none, but their dependents are known.
 * Holds the shared objects themselves. Pure data: no calls, no queue.
 */
import type { KubeObject, OwnerReference } from '../../api/object.ts'
import type { ResourceRef } from '../../client/client.ts'

export const ORPHAN_FINALIZER = 'orphan'
export const FOREGROUND_FINALIZER = 'foregroundDeletion'

export interface Item {
  readonly uid: string
  readonly resource: ResourceRef<KubeObject>
  object: KubeObject
}

const NOBODY: ReadonlySet<Item> = new Set()

export class OwnershipGraph {
  readonly #items = new Map<string, Item>()
  readonly #dependents = new Map<string, Set<Item>>()

  get(uid: string): Item | undefined {
    return this.#items.get(uid)
  }

  items(): IterableIterator<Item> {
    return this.#items.values()
  }

  dependentsOf(ownerUid: string): ReadonlySet<Item> {
    return this.#dependents.get(ownerUid) ?? NOBODY
  }

  /** Takes in an object as it is now; gives its item and the owners it had before. */
  put(resource: ResourceRef<KubeObject>, object: KubeObject): { item: Item; before: readonly OwnerReference[]; isNew: boolean } {
    const uid = object.metadata.uid ?? ''
    const known = this.#items.get(uid)
    if (!known) {
      const item: Item = { uid, resource, object }
      this.#items.set(uid, item)
      this.#link(item)
      return { item, before: [], isNew: true }
    }
    const before = ownersOf(known)
    known.object = object
    if (!sameOwners(before, ownersOf(known))) {
      this.#unlink(known, before)
      this.#link(known)
    }
    return { item: known, before, isNew: false }
  }

  remove(uid: string): Item | undefined {
    const item = this.#items.get(uid)
    if (!item) return undefined
    this.#items.delete(uid)
    this.#unlink(item, ownersOf(item))
    return item
  }

  #link(item: Item): void {
    for (const { uid } of ownersOf(item)) {
      const dependents = this.#dependents.get(uid)
      if (dependents) dependents.add(item)
      else this.#dependents.set(uid, new Set([item]))
    }
  }

  #unlink(item: Item, owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) {
      const dependents = this.#dependents.get(uid)
      dependents?.delete(item)
      if (dependents?.size === 0) this.#dependents.delete(uid)
    }
  }
}

const NO_OWNERS: readonly OwnerReference[] = []

export function ownersOf({ object }: Item): readonly OwnerReference[] {
  return object.metadata.ownerReferences ?? NO_OWNERS
}

export function sameOwners(a: readonly OwnerReference[], b: readonly OwnerReference[]): boolean {
  return a.length === b.length && a.every(({ uid }, i) => uid === b[i]?.uid)
}

export function isDeleted({ object }: Item): boolean {
  return object.metadata.deletionTimestamp !== undefined
}

function hasFinalizer({ object }: Item, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) ?? false
}

/** Being deleted, and its dependents are to be deleted first. */
export function deletesDependents(item: Item): boolean {
  return isDeleted(item) && hasFinalizer(item, FOREGROUND_FINALIZER)
}

/** Being deleted, and its dependents are to be left alone. */
export function orphansDependents(item: Item): boolean {
  return isDeleted(item) && hasFinalizer(item, ORPHAN_FINALIZER)
}

/** Whether `item` keeps `ownerUid` from going while it is there. */
export function blocks(item: Item, ownerUid: string): boolean {
  return ownersOf(item).some(({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true)
}

/** What deleting this item does to its own dependents: as its finalizers say, else in the background. */
export function propagationOf(item: Item): 'Orphan' | 'Foreground' | 'Background' {
  if (hasFinalizer(item, ORPHAN_FINALIZER)) return 'Orphan'
  return hasFinalizer(item, FOREGROUND_FINALIZER) ? 'Foreground' : 'Background'
}
