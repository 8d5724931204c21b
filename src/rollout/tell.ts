/** What a driver says of its course: phases, counts and sentences. Pure. */
import type { Course, Listing } from './family.ts'
import type { Action } from './plan.ts'
import type { Phase, SideProgress } from './progress.ts'
import { readRecord } from './record.ts'
import { handleOf, hashOf, progressOf } from './replica-kinds.ts'

export interface Sides {
  old: SideProgress
  new: SideProgress
  desired: number
}

export function sidesOf(course: Course, listing: Listing): Sides {
  const { leaving, staying, desired, settings } = course
  const at = (name: string) => progressOf(listing.get(name), name)
  if (settings.pet) return petSides(course, listing, settings.pet)
  const olds = leaving.map(at)
  // Which of several is named: the one that still has pods, else where the roll came from.
  const name = (olds.find(({ replicas }) => replicas > 0) ?? olds.at(-1))?.name ?? ''
  const sum = (pick: (side: SideProgress) => number) => olds.reduce((total, side) => total + pick(side), 0)
  return {
    old: { name, replicas: sum(({ replicas }) => replicas), ready: sum(({ ready }) => ready) },
    new: at(staying),
    desired,
  }
}

/** A pet's name is on the side of whichever template has it. */
function petSides(
  { direction, desired }: Course,
  listing: Listing,
  pet: { name: string; clone: string; oldHash: string },
): Sides {
  const holder = listing.get(pet.name)
  const clone = listing.get(pet.clone)
  const isOriginal = holder !== undefined && hashOf(holder) === pet.oldHash
  const before = progressOf(clone ?? (isOriginal ? holder : undefined), pet.clone)
  const after = progressOf(isOriginal ? undefined : holder, pet.name)
  return direction === 'forward' ? { old: before, new: after, desired } : { old: after, new: before, desired }
}

export function countsOf(sides: Sides): string {
  const { old, new: next } = sides
  return `${old.name} ${old.ready}/${old.replicas} ready, ${next.name} ${next.ready}/${next.replicas} ready`
}

export function textOf({ kind, staying, desired, settings: { pet } }: Course, action: Action, sides: Sides): string {
  const handle = (name: string) => handleOf(kind, name)
  switch (action.do) {
    case 'separate':
      return `labelled the template and pods of ${handle(action.name)}`
    case 'create':
      return `created ${handle(staying)}`
    case 'begin':
      return `chose ${handle(action.name)}`
    case 'rescale':
      return `${handle(action.name)} was scaled from outside: rolling to ${desired}`
    case 'mark':
    case 'pause':
      return countsOf(sides)
    case 'scale':
      return `scaled ${handle(action.name)} to ${action.replicas}`
    case 'delete':
      return `deleted ${handle(action.name)}`
    case 'finish':
      return 'all pods are replaced'
    case 'hold':
      return `${handle(action.name)} is about to hand its pods over`
    case 'unhold':
      return `${handle(action.name)} keeps its pods`
    case 'orphan':
      return `${handle(action.name)} lets its pods go`
    case 'adopt':
      return `created ${handle((action.to === 'clone' ? pet?.clone : pet?.name) ?? '')}, which takes the pods of ${handle(action.from)}`
    case 'release':
      return `${handle(action.name)} has handed its pods over`
    case 'shelve':
      return 'kept the new template as history'
  }
}

/** How it ended. */
export function endOf({ direction, kind, staying, settings }: Course): string {
  const handle = handleOf(kind, settings.pet?.name ?? staying)
  if (direction === 'forward') return `rolled to ${handle}`
  return direction === 'back' ? `rolled back to ${handle}` : `aborted: ${handle} is as before`
}

/** In which phase the action belongs; without one, in which the roll is. */
export function phaseOf({ direction, staying }: Course, listing: Listing, action: Action | undefined): Phase {
  switch (action?.do) {
    case 'finish':
      return direction === 'forward' ? 'Complete' : 'Aborted'
    case 'pause':
      return 'Paused'
    case 'begin':
    case 'separate':
    case 'create':
      return 'Preparing'
    case 'hold':
    case 'unhold':
    case 'orphan':
    case 'adopt':
    case 'release':
    case 'shelve':
      return 'Switching'
    case 'mark':
    case 'rescale':
    case 'scale':
    case 'delete':
      return 'Rolling'
    case undefined: {
      const controller = listing.get(staying)
      return (controller && readRecord(controller)?.phase) ?? 'Preparing'
    }
  }
}
