/** What the plan sees of a course: counts and flags read from the controllers. Pure. */
import { generatedName } from './blueprint.ts'
import { ROLLED_AT } from './causes.ts'
import { isHistory } from './course.ts'
import { baseOf, type Course, type Listing } from './family.ts'
import { type Observed, resolveAmount, type Side } from './plan.ts'
import type { PetObserved, SwitchSide } from './plan-switch.ts'
import { RollError } from './progress.ts'
import { isUnderWay, type RollRecord, readRecord, SWITCH_FINALIZER } from './record.ts'
import { type Controller, handleOf, hashOf, isObserved, isSeparate, isTerminating, nameOf, replicasOf } from './replica-kinds.ts'

const DEFAULT_SURGE = '25%'
const DEFAULT_KEEP = 10

export function observe(course: Course, listing: Listing): Observed {
  const { settings, desired, direction, leaving, blueprint, kind } = course
  const { maxSurge = DEFAULT_SURGE, maxUnavailable = 0, canary } = settings
  const pet = settings.pet && petOf(course, listing)
  const staying = stayingOf(course, listing)
  if (!staying && !blueprint && !pet) throw new RollError(`${handleOf(kind, course.staying)} was deleted during the roll`)
  return {
    desired,
    maxSurge: resolveAmount(maxSurge, desired, 'up'),
    maxUnavailable: resolveAmount(maxUnavailable, desired, 'down'),
    canary: canary === undefined || direction !== 'forward' ? undefined : resolveAmount(canary, desired, 'up'),
    leaving: leaving.flatMap((name) => {
      const controller = leavingAt(course, listing, name)
      return controller ? [sideOf(course, controller)] : []
    }),
    staying: staying && sideOf(course, staying),
    // Asked for at the end only, and a look at all there is.
    get surplus() {
      return surplusOf(course, listing)
    },
    pet,
  }
}

/** A pet's name means the one with the other template only once that one has it. */
function stayingOf({ staying, settings: { pet }, direction }: Course, listing: Listing): Controller | undefined {
  const controller = listing.get(staying)
  return controller && pet && direction === 'forward' && hashOf(controller) === pet.oldHash ? undefined : controller
}

function leavingAt({ settings: { pet }, direction }: Course, listing: Listing, name: string): Controller | undefined {
  const controller = listing.get(name)
  return controller && pet && direction !== 'forward' && hashOf(controller) === pet.oldHash ? undefined : controller
}

function sideOf(course: Course, controller: Controller): Side {
  const { status } = controller
  const [replicas, pods] = [replicasOf(controller), status?.replicas ?? 0]
  const record = readRecord(controller)
  const begun = isPart(course, record)
  return {
    ...{ name: nameOf(controller), replicas, pods, available: status?.availableReplicas ?? 0 },
    written: begun ? record?.writtenReplicas : undefined,
    settled: isObserved(controller) && pods <= replicas,
    separate: isSeparate(course.kind, controller),
    begun,
    marked: begun && record?.phase === 'Rolling' && record.originalReplicas === course.desired,
  }
}

function isPart({ rollId, direction }: Course, record: RollRecord | undefined): boolean {
  return record?.rollId === rollId && record.direction === direction
}

function petOf(course: Course, listing: Listing): PetObserved | undefined {
  const { pet, base } = course.settings
  if (!pet) return undefined
  const { direction } = course
  const holder = listing.get(pet.name)
  const isOriginal = holder !== undefined && hashOf(holder) === pet.oldHash
  const clone = listing.get(pet.clone)
  // While the original has its pods, what has the clone's name is history.
  const isOldHistory =
    clone !== undefined && !isTerminating(clone) && isOriginal && isHistory(clone, holder) && !isTerminating(holder)
  const model = isOriginal ? holder : clone
  return {
    direction,
    original: isOriginal ? switchSideOf(course, holder) : undefined,
    next: holder && !isOriginal ? { name: pet.name, shelved: listing.has(generatedName(base, hashOf(holder))) } : undefined,
    clone: clone && !isOldHistory ? switchSideOf(course, clone) : undefined,
    rivals: model ? [...listing.values()].filter((other) => other !== model && isHistory(other, model)).map(nameOf) : [],
    restored: direction !== 'forward' && isOriginal && !isTerminating(holder) && !clone && !isHeld(holder),
  }
}

function switchSideOf(course: Course, controller: Controller): SwitchSide {
  const record = readRecord(controller)
  const begun = isPart(course, record)
  const [replicas, pods] = [replicasOf(controller), controller.status?.replicas ?? 0]
  return {
    ...{ name: nameOf(controller), replicas, pods, begun },
    settled: isObserved(controller) && pods <= replicas,
    separate: isSeparate(course.kind, controller),
    held: begun && record?.phase === 'Switching' && isHeld(controller),
    terminating: isTerminating(controller),
    empty: pods === 0 && (controller.metadata.finalizers ?? []).every((finalizer) => finalizer === SWITCH_FINALIZER),
  }
}

function isHeld({ metadata }: Controller): boolean {
  return metadata.finalizers?.includes(SWITCH_FINALIZER) === true
}

/** What goes at the end: history beyond what is kept, oldest first, and on an abort what the roll had made. */
function surplusOf(course: Course, listing: Listing): string[] {
  const { settings, direction, leaving, staying } = course
  if (direction === 'abort') {
    const undone = settings.pet ? [] : leaving.filter((name) => settings.created && name === leaving[0])
    return undone.filter((name) => listing.has(name))
  }
  const { pet, base, cleanup, keep = DEFAULT_KEEP } = settings
  const kept = cleanup === 'delete' ? 0 : keep
  const current = listing.get(staying)
  const history = [...listing.values()].filter(
    (one) =>
      nameOf(one) !== staying &&
      nameOf(one) !== pet?.name &&
      (leaving.includes(nameOf(one)) || (baseOf(one) === base && isEnded(one, course))),
  )
  // A pet's template that is current again needs no history of itself.
  const doubles = pet && current ? history.filter((one) => hashOf(one) === hashOf(current)).map(nameOf) : []
  // Those just left are the latest, whatever their age.
  const age = ({ metadata }: Controller) =>
    `${leaving.includes(metadata.name ?? '') ? 1 : 0} ${metadata.annotations?.[ROLLED_AT] ?? metadata.creationTimestamp ?? ''}`
  const sorted = history
    .filter((one) => !doubles.includes(nameOf(one)))
    .sort((a, b) => (age(a) < age(b) ? -1 : 1))
    .map(nameOf)
  return [...doubles, ...sorted.slice(0, Math.max(0, sorted.length - kept))]
}

function isEnded(controller: Controller, course: Course): boolean {
  const record = readRecord(controller)
  if (!record || record.rollId === course.rollId) return false
  return !isUnderWay(record) && replicasOf(controller) === 0 && (controller.status?.replicas ?? 0) === 0
}
