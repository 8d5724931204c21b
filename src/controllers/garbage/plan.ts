/** What to do with one object, from the graph and from which of its owners still exist. Pure. */
import type { OwnerReference } from '../../api/object.ts'
import {
  blocks,
  deletesDependents,
  type Item,
  isDeleted,
  type OwnershipGraph,
  orphansDependents,
  ownersOf,
  propagationOf,
} from './graph.ts'

export type GarbagePlan =
  | { action: 'none' }
  /** Take the owner off these, then let it go. */
  | { action: 'orphan'; dependents: Item[] }
  /** Wait for these to go, and see to it that they do. */
  | { action: 'wait'; dependents: Item[] }
  /** Everything that had to go first is gone. */
  | { action: 'release' }
  /** Keep these owner references only: the others' owners are gone or going. */
  | { action: 'disown'; keep: OwnerReference[] }
  /** Nobody owns it any more. `unblock`: it no longer keeps its owners from going, as it waits for something that waits for them. */
  | { action: 'delete'; propagation: 'Orphan' | 'Foreground' | 'Background'; unblock: boolean }

/** `exists` tells of an owner that the graph does not have whether the server has it. */
export function planItem(item: Item, graph: OwnershipGraph, exists: (owner: OwnerReference) => boolean): GarbagePlan {
  if (isDeleted(item)) return planDeleted(item, graph)
  const owners = ownersOf(item)
  if (owners.length === 0) return { action: 'none' }
  const solid: OwnerReference[] = []
  let waitedFor = false
  for (const owner of owners) {
    const known = graph.get(owner.uid)
    if (known && deletesDependents(known)) waitedFor = true
    else if (known || exists(owner)) solid.push(owner)
  }
  if (solid.length === owners.length) return { action: 'none' }
  if (solid.length > 0) return { action: 'disown', keep: solid }
  const dependents = [...graph.dependentsOf(item.uid)]
  if (waitedFor && dependents.length > 0) {
    const unblock = dependents.some(deletesDependents) && owners.some(({ blockOwnerDeletion }) => blockOwnerDeletion === true)
    return { action: 'delete', propagation: 'Foreground', unblock }
  }
  return { action: 'delete', propagation: propagationOf(item), unblock: false }
}

function planDeleted(item: Item, graph: OwnershipGraph): GarbagePlan {
  const dependents = [...graph.dependentsOf(item.uid)]
  if (orphansDependents(item)) return { action: 'orphan', dependents }
  if (!deletesDependents(item)) return { action: 'none' }
  if (!dependents.some((dependent) => blocks(dependent, item.uid))) return { action: 'release' }
  return { action: 'wait', dependents: dependents.filter((dependent) => !isDeleted(dependent) || deletesDependents(dependent)) }
}

/** The owners whose existence has to be asked for before a plan can be made. */
export function unknownOwners(item: Item, graph: OwnershipGraph): OwnerReference[] {
  return isDeleted(item) ? [] : ownersOf(item).filter(({ uid }) => !graph.get(uid))
}
