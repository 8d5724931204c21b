/**
 * How a name moves from one controller to another while its pods stay: decided from what is seen, pure.
 * The controller that gives its pods away is deleted with a finalizer of ours on it. From then on the server's controllers leave
 * its pods alone; once they are nobody's, the other one is made with the same selector and count, and takes them. Only then may
 * the first one go. At every moment one of the two is there, with the whole record on it.
 */

/** A controller that gives pods away, or takes them. */
export interface SwitchSide {
  name: string
  replicas: number
  pods: number
  settled: boolean
  separate: boolean
  /** Its annotations say that it is part of this roll, in this direction. */
  begun: boolean
  /** It carries the record of the switch, and our finalizer. */
  held: boolean
  /** It is being deleted. */
  terminating: boolean
  /** All its pods have been let go. */
  empty: boolean
}

export interface PetObserved {
  direction: 'forward' | 'back' | 'abort'
  /** What has the pet's name, with the old template. */
  original: SwitchSide | undefined
  /** What has the pet's name, with the new template. */
  next: { name: string; shelved: boolean } | undefined
  /** The old template under its generated name. */
  clone: SwitchSide | undefined
  /** History that would take pods which are nobody's for a moment. */
  rivals: readonly string[]
  /** On the way back: the name has its old template, and nothing else is left to do. */
  restored: boolean
}

export type SwitchAction =
  | { do: 'hold'; name: string }
  | { do: 'unhold'; name: string }
  | { do: 'orphan'; name: string }
  /** Creates `to` like `from`, to take its pods. */
  | { do: 'adopt'; from: string; to: 'clone' | 'pet' }
  | { do: 'release'; name: string }
  /** Keeps the new template as history, under a generated name. */
  | { do: 'shelve' }

type Step = SwitchAction | { do: 'begin' | 'separate' | 'delete'; name: string }

/** Actions before, or after, pods are replaced; none: wait. Undefined: nothing to do in this part. */
export function planSwitch(pet: PetObserved, part: 'before' | 'after'): Step[] | undefined {
  const { direction, original, clone, next, restored } = pet
  if (part === 'before') {
    if (!original || restored) return undefined
    if (direction === 'forward') return move(pet, original, clone, 'clone')
    // What is being deleted cannot be kept: the way back leads over the clone.
    if (original.terminating) return move(pet, original, clone, 'clone')
    return clone ? move(pet, clone, original, 'pet') : [{ do: 'unhold', name: original.name }]
  }
  if (direction === 'forward' || restored) return undefined
  if (next) return direction === 'back' && !next.shelved ? [{ do: 'shelve' }] : [{ do: 'delete', name: next.name }]
  return clone ? move(pet, clone, undefined, 'pet') : undefined
}

function move(pet: PetObserved, from: SwitchSide, to: SwitchSide | undefined, as: 'clone' | 'pet'): Step[] {
  if (!from.begun) return [{ do: 'begin', name: from.name }]
  if (!from.separate && !from.terminating) return [{ do: 'separate', name: from.name }]
  if (!from.held) return [{ do: 'hold', name: from.name }]
  if (!from.terminating) {
    const rivals = pet.rivals.filter((name) => name !== from.name)
    if (rivals.length > 0) return rivals.map((name) => ({ do: 'delete', name }))
    return [{ do: 'orphan', name: from.name }]
  }
  if (!to) return from.empty ? [{ do: 'adopt', from: from.name, to: as }] : []
  return to.settled && to.pods === to.replicas ? [{ do: 'release', name: from.name }] : []
}
