/** What it means to go to a numbered template, given what there is. Pure: over one listing. */
import { type Decision, decideBack, requireCurrent } from './course.ts'
import { courseUnderWay, type Listing } from './family.ts'
import { type RollbackOptions, RollError, type RollOptions } from './progress.ts'
import { readRecord } from './record.ts'
import { type Controller, handleOf, hashOf, nameOf, type ReplicaKind } from './replica-kinds.ts'
import { controllerAt } from './revisions.ts'
import { unlabelled } from './template.ts'

/** The roll's own words for the template of that number: the controller that has it, or for a pet the template under the old name. */
export function aimAt(kind: ReplicaKind, listing: Listing, options: RollOptions, number: number): RollOptions {
  const { images, template, toName, target } = options
  if (images || template || toName !== undefined)
    throw new RollError('a revision is gone to as it was: no image, template or other controller goes with it')
  const current = requireCurrent(kind, listing, target.name)
  const found = controllerAt(listing, current, number, handleOf(kind, target.name))
  if (options.pet || isPet(current)) {
    if (options.toName === undefined && hashOf(found) === hashOf(current)) return { ...options, toName: nameOf(current) }
    return { ...options, pet: true, template: unlabelled(found.spec?.template) }
  }
  return { ...options, target: { ...target, name: nameOf(current) }, toName: nameOf(found) }
}

/** Whether its name has been kept through a roll: then it is kept through the next. */
function isPet(current: Controller): boolean {
  return readRecord(current)?.settings.pet?.name === nameOf(current)
}

/**
 * The way back to the last template is a rollback like any other; any other template is rolled to. `roll` decides that, for
 * options that name a controller or a template.
 */
export async function decideBackTo(
  kind: ReplicaKind,
  listing: Listing,
  options: RollbackOptions,
  number: number,
  roll: (options: RollOptions) => Promise<Decision>,
): Promise<Decision> {
  const { name } = options.target
  const current = requireCurrent(kind, listing, name)
  const found = controllerAt(listing, current, number, handleOf(kind, name))
  const hash = hashOf(found)
  const running = courseUnderWay(kind, listing, name)?.course
  if (running) {
    const { direction, staying, leaving, settings } = running
    const going = settings.pet
      ? direction === 'forward'
        ? settings.pet.newHash
        : settings.pet.oldHash
      : hashAt(listing, staying)
    const origin = settings.pet?.oldHash ?? hashAt(listing, leaving.at(-1) ?? '')
    if (direction === 'forward' && hash === origin) return decideBack(kind, listing, options, 'back')
    if (direction !== 'forward' && hash === going) return decideBack(kind, listing, options, 'back')
    const way = direction === 'forward' ? 'roll' : 'rollback'
    if (direction !== 'forward' || hash === going)
      return { is: 'conflict', current, message: `a ${way} of ${handleOf(kind, name)} is under way: skiff resume ends it` }
    return roll(aimAt(kind, listing, { ...options, rollover: true }, number))
  }
  if (hash === hashOf(current))
    return { is: 'unchanged', current, message: `${handleOf(kind, nameOf(current))} already runs revision ${number}` }
  const record = readRecord(current)
  const last = record?.settings.pet?.oldHash ?? (record && hashAt(listing, record.partner))
  if (record?.phase === 'Complete' && last === hash) return decideBack(kind, listing, options, 'back')
  return roll(aimAt(kind, listing, options, number))
}

function hashAt(listing: Listing, name: string): string | undefined {
  const controller = listing.get(name)
  return controller && hashOf(controller)
}
