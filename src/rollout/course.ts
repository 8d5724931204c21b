/** What a command means, given what there is: a course to drive, nothing to do, or a conflict. Pure: over one listing. */

import { generatedName } from './blueprint.ts'
import { causeAnnotations } from './causes.ts'
import { baseOf, type Course, courseUnderWay, currentOf, type Listing } from './family.ts'
import { resolveAmount } from './plan.ts'
import { type PaceOptions, type RollbackOptions, RollError, type RollOptions } from './progress.ts'
import { type Direction, type PetNames, REVISION, type RollRecord, readRecord, type Settings } from './record.ts'
import { type Controller, handleOf, hashOf, nameOf, type ReplicaKind, replicasOf, selects } from './replica-kinds.ts'
import { familyOf, numberFor } from './revisions.ts'
import { TEMPLATE_LABEL } from './template.ts'

export type Decision =
  | { is: 'course'; course: Course }
  | { is: 'unchanged' | 'conflict' | 'canary'; current: Controller | undefined; message: string }

export function requireCurrent(kind: ReplicaKind, listing: Listing, name: string): Controller {
  const current = currentOf(listing, name)
  if (!current) throw new RollError(`${handleOf(kind, name)} does not exist`)
  return current
}

/** The template that images are changed in: the latest that was asked for. */
export function modelFor(kind: ReplicaKind, listing: Listing, options: RollOptions): Controller {
  const { name } = options.target
  const running = courseUnderWay(kind, listing, name)?.course
  const asked = running && (listing.get(running.staying) ?? running.blueprint)
  return asked ?? (options.toName === undefined ? undefined : listing.get(name)) ?? requireCurrent(kind, listing, name)
}

export function decideRoll(kind: ReplicaKind, listing: Listing, options: RollOptions, wanted: Controller): Decision {
  const { name } = options.target
  const running = courseUnderWay(kind, listing, name)
  if (running) return decideOverRunning(kind, listing, options, wanted, running)
  const old =
    options.toName === undefined
      ? requireCurrent(kind, listing, name)
      : (listing.get(name) ?? requireCurrent(kind, listing, name))
  refuseOwned(kind, old)
  const newHash = hashOf(wanted)
  if (options.toName === nameOf(old) || (options.toName === undefined && hashOf(old) === newHash))
    return { is: 'unchanged', current: old, message: `${handleOf(kind, nameOf(old))} already runs this template` }
  return { is: 'course', course: begin(kind, listing, options, old, wanted) }
}

function begin(kind: ReplicaKind, listing: Listing, options: RollOptions, old: Controller, wanted: Controller): Course {
  const base = baseOf(old)
  const rollId = `r${options.clock.now()}`
  if (options.pet) {
    const pet: PetNames = {
      name: nameOf(old),
      clone: generatedName(base, hashOf(old)),
      oldHash: hashOf(old),
      newHash: hashOf(wanted),
    }
    refuseTakers(kind, listing, old)
    const blueprint = { ...wanted, metadata: { ...wanted.metadata, name: pet.name } }
    const settings = { ...settingsOf(options, base), pet, created: true }
    const desired = replicasOf(old)
    return { kind, rollId, direction: 'forward', leaving: [pet.clone], staying: pet.name, blueprint, desired, settings }
  }
  const known = options.toName === undefined ? sameTemplate(listing, old, hashOf(wanted)) : undefined
  const existing = known ?? listing.get(nameOf(wanted))
  if (existing) refuseOwned(kind, existing)
  return {
    ...{ kind, rollId, direction: 'forward', leaving: [nameOf(old)] },
    staying: nameOf(existing ?? wanted),
    blueprint: existing ? undefined : wanted,
    desired: replicasOf(old) + (existing ? replicasOf(existing) : 0),
    settings: { ...settingsOf(options, base), created: existing === undefined },
  }
}

function decideOverRunning(
  kind: ReplicaKind,
  listing: Listing,
  options: RollOptions,
  wanted: Controller,
  { course, paused }: { course: Course; paused: boolean },
): Decision {
  const { staying, leaving, settings } = course
  const target = listing.get(staying) ?? course.blueprint
  const isSame =
    settings.pet !== undefined
      ? settings.pet.newHash === hashOf(wanted)
      : options.toName !== undefined
        ? options.toName === staying
        : target !== undefined && hashOf(target) === hashOf(wanted)
  const current = listing.get(staying) ?? listing.get(leaving[0] ?? '')
  const way = `from ${leaving.map((one) => handleOf(kind, one)).join(' and ')} to ${handleOf(kind, staying)}`
  if (course.direction !== 'forward')
    return { is: 'conflict', current, message: `a rollback is under way ${way}: skiff resume ends it` }
  if (isSame) {
    if (paused && String(options.canary) === String(settings.canary) && isCanaryThere(course, current))
      return { is: 'canary', current, message: canaryMessage(kind, course) }
    return { is: 'course', course: { ...course, settings: { ...merged(course, options), canary: options.canary } } }
  }
  if (!options.rollover)
    return {
      is: 'conflict',
      current,
      message: `another roll is under way ${way}: resume it, roll it back, or give --rollover to replace it`,
    }
  return { is: 'course', course: rollOver(kind, listing, options, wanted, course) }
}

/** To a third template: what was on its way goes first, then what was there before. */
function rollOver(kind: ReplicaKind, listing: Listing, options: RollOptions, wanted: Controller, course: Course): Course {
  if (course.settings.pet || options.pet) throw new RollError('a roll that keeps its name is not rolled over: roll it back first')
  const origin = course.leaving.at(-1)
  const known =
    options.toName === undefined ? [...course.leaving].find((name) => hashAt(listing, name) === hashOf(wanted)) : undefined
  if (known !== undefined || options.toName === origin)
    throw new RollError(`${handleOf(kind, known ?? origin ?? '')} is where the roll came from: skiff rollback goes there`)
  const existing = listing.get(nameOf(wanted))
  const { rollId: over, desired } = course
  return {
    ...{ kind, rollId: `r${options.clock.now()}`, direction: 'forward', desired },
    leaving: [course.staying, ...course.leaving].filter((name) => listing.has(name)),
    staying: nameOf(wanted),
    blueprint: existing ? undefined : wanted,
    settings: { ...settingsOf(options, course.settings.base), over, created: existing === undefined },
  }
}

/** Back to where the last roll began, whether it has ended or not; one that goes back already is gone on with. */
export function decideBack(kind: ReplicaKind, listing: Listing, options: RollbackOptions, direction: 'back' | 'abort'): Decision {
  const { name } = options.target
  const running = courseUnderWay(kind, listing, name)?.course
  if (running) {
    if (running.direction === direction) return join(running, options)
    // Whoever drives it in the other way sees by the new id that it does no longer.
    if (running.direction !== 'forward') return { is: 'course', course: redirected(running, options, direction) }
    return { is: 'course', course: turned(listing, running, options, direction) }
  }
  const found = requireCurrent(kind, listing, name)
  if (direction === 'abort')
    return { is: 'unchanged', current: found, message: `no roll of ${handleOf(kind, name)} is under way` }
  const record = readRecord(found)
  if (!record) throw new RollError(`${handleOf(kind, nameOf(found))} was not rolled: there is nothing to go back to`)
  if (record.phase === 'Aborted')
    return { is: 'unchanged', current: found, message: `${handleOf(kind, nameOf(found))} was rolled back already` }
  if (!listing.has(record.partner))
    throw new RollError(`${handleOf(kind, record.partner)}, from where it was rolled, does not exist any more`)
  const desired = countAskedFor(found, record)
  const { settings, rollId, partner } = record
  const ended: Course = {
    ...{ kind, rollId, direction: 'forward', desired, settings, blueprint: undefined },
    ...(record.role === 'new' ? { leaving: [partner], staying: nameOf(found) } : { leaving: [nameOf(found)], staying: partner }),
  }
  return { is: 'course', course: turned(listing, ended, options, direction) }
}

/** The count of the roll, unless somebody asked for another one since. */
function countAskedFor(current: Controller, { originalReplicas, writtenReplicas }: RollRecord): number {
  const replicas = replicasOf(current)
  return writtenReplicas !== undefined && writtenReplicas !== replicas ? replicas : originalReplicas
}

function turned(
  listing: Listing,
  course: Course,
  options: PaceOptions & { clock: RollbackOptions['clock'] },
  direction: Direction,
): Course {
  const { pet } = course.settings
  const origin = course.leaving.at(-1) ?? ''
  const others = course.leaving.slice(0, -1)
  const { canary: _, ...settings } = merged(course, options)
  return {
    ...course,
    ...{ rollId: `b${options.clock.now()}`, direction, blueprint: undefined },
    leaving: pet ? [pet.name] : [course.staying, ...others].filter((name) => listing.has(name)),
    staying: pet ? pet.clone : origin,
    settings: { ...settings, over: course.rollId },
  }
}

/** Goes on with what is under way, in the direction it has. */
export function decideResume(kind: ReplicaKind, listing: Listing, options: RollbackOptions): Decision {
  const { name } = options.target
  const running = courseUnderWay(kind, listing, name)
  if (!running) return nothingUnderWay(kind, listing, name)
  const { course, paused } = running
  const current = listing.get(course.staying)
  if (paused && course.direction === 'forward' && isCanaryThere(course, current))
    return { is: 'canary', current, message: canaryMessage(kind, course) }
  return join(course, options)
}

/** From the canary to all. */
export function decidePromote(kind: ReplicaKind, listing: Listing, options: RollbackOptions): Decision {
  const { name } = options.target
  const course = courseUnderWay(kind, listing, name)?.course
  if (!course) return nothingUnderWay(kind, listing, name)
  if (course.direction !== 'forward') {
    const message = `a rollback of ${handleOf(kind, name)} is under way: skiff resume ends it`
    return { is: 'conflict', current: listing.get(course.staying), message }
  }
  const { canary: _, ...settings } = merged(course, options)
  return { is: 'course', course: { ...course, settings } }
}

function nothingUnderWay(kind: ReplicaKind, listing: Listing, name: string): Decision {
  return {
    is: 'unchanged',
    current: requireCurrent(kind, listing, name),
    message: `no roll of ${handleOf(kind, name)} is under way`,
  }
}

function join(course: Course, options: RollbackOptions): Decision {
  return { is: 'course', course: { ...course, settings: merged(course, options) } }
}

function redirected(course: Course, options: RollbackOptions, direction: Direction): Course {
  const settings = { ...merged(course, options), over: course.rollId }
  return { ...course, rollId: `b${options.clock.now()}`, direction, settings }
}

/** Paused before it was there, or by itself because it is? */
function isCanaryThere({ settings: { canary }, desired }: Course, current: Controller | undefined): boolean {
  if (canary === undefined || !current) return false
  return (current.status?.availableReplicas ?? 0) >= Math.min(desired, resolveAmount(canary, desired, 'up'))
}

function canaryMessage(kind: ReplicaKind, { staying, settings }: Course): string {
  return `a canary of ${settings.canary} runs as ${handleOf(kind, staying)}`
}

const PACE = ['maxSurge', 'maxUnavailable', 'minReadySeconds', 'updatePeriodMs'] as const

/** What is said now holds; what is not said stays as it was. */
function merged({ settings }: Course, options: PaceOptions & Pick<RollOptions, 'keep' | 'cleanup'>): Settings {
  const said = [...PACE, 'keep', 'cleanup'].filter((key) => options[key as keyof PaceOptions] !== undefined)
  return { ...settings, ...Object.fromEntries(said.map((key) => [key, options[key as keyof PaceOptions]])) }
}

function settingsOf(options: RollOptions, base: string): Settings {
  const { maxSurge, maxUnavailable, minReadySeconds, updatePeriodMs, canary, keep, cleanup } = options
  return { base, maxSurge, maxUnavailable, minReadySeconds, updatePeriodMs, canary, keep, cleanup }
}

function refuseOwned(kind: ReplicaKind, controller: Controller): void {
  const owner = controller.metadata.ownerReferences?.find(({ controller: isController }) => isController)
  if (owner)
    throw new RollError(
      `${handleOf(kind, nameOf(controller))} belongs to ${owner.kind.toLowerCase()}/${owner.name}: roll that instead`,
    )
}

/** While a name is switched its pods are nobody's for a moment: nobody else may select them. */
function refuseTakers(kind: ReplicaKind, listing: Listing, old: Controller): void {
  const labels = { ...old.spec?.template?.metadata?.labels, [TEMPLATE_LABEL]: hashOf(old) }
  for (const other of listing.values()) {
    if (other === old || !selects(kind, other, labels) || isHistory(other, old)) continue
    throw new RollError(
      `${handleOf(kind, nameOf(other))} selects the pods of ${handleOf(kind, nameOf(old))} too: they cannot be handed over`,
    )
  }
}

/** An idle controller of the same family and template: made by earlier rolls, and made again when it is needed. */
export function isHistory(other: Controller, of: Controller): boolean {
  return (
    replicasOf(other) === 0 &&
    (other.status?.replicas ?? 0) === 0 &&
    baseOf(other) === baseOf(of) &&
    hashOf(other) === hashOf(of) &&
    readRecord(other) !== undefined
  )
}

/** A controller of the same family that has the template already, as history. */
function sameTemplate(listing: Listing, old: Controller, hash: string): Controller | undefined {
  return [...listing.values()].find((other) => other !== old && hashOf(other) === hash && baseOf(other) === baseOf(old))
}

function hashAt(listing: Listing, name: string): string | undefined {
  const controller = listing.get(name)
  return controller && hashOf(controller)
}

/** With what the history keeps of it. */
export function withCause(options: RollOptions, listing: Listing, model: Controller, wanted: Controller): Controller {
  const causes = causeAnnotations(options, model.spec?.template, wanted.spec?.template)
  const revision = { [REVISION]: String(numberFor(familyOf(listing, model), hashOf(wanted))) }
  return { ...wanted, metadata: { ...wanted.metadata, annotations: { ...wanted.metadata.annotations, ...causes, ...revision } } }
}
