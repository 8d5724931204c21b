/**
 * Numbers of the templates that stand behind a name of a controller of replicas, as a Deployment's revisions have them: from 1, in
 * the order in which they came. A controller keeps its number when it is rolled to again. Pure, over one listing.
 */
import { imagesOf } from './causes.ts'
import { baseOf, type Listing } from './family.ts'
import { RollError } from './progress.ts'
import { REVISION, readRecord } from './record.ts'
import { type Controller, hashOf, nameOf } from './replica-kinds.ts'

/** All that rolls made of a controller, and what it was made from. */
export function familyOf(listing: Listing, ...members: readonly Controller[]): Set<Controller> {
  const bases = new Set(members.map(baseOf))
  const family = new Set([...listing.values()].filter((one) => members.includes(one) || bases.has(baseOf(one))))
  // Two names that were rolled to each other have no base in common.
  for (const member of family) {
    const partner = listing.get(readRecord(member)?.partner ?? '')
    if (partner) family.add(partner)
  }
  return family
}

/** By the name of the controller. Those that were made by hand have the numbers that are left, the oldest the lowest. */
export function numbersOf(family: Iterable<Controller>): Map<string, number> {
  const numbers = new Map<string, number>()
  const templates = new Map<number, string>()
  const unnumbered: Controller[] = []
  for (const controller of [...family].sort(byAge)) {
    const number = Number(controller.metadata.annotations?.[REVISION])
    // Two families that met may have the same numbers for different templates.
    const isOwn = Number.isInteger(number) && number > 0 && (templates.get(number) ?? hashOf(controller)) === hashOf(controller)
    if (!isOwn) unnumbered.push(controller)
    else {
      numbers.set(nameOf(controller), number)
      templates.set(number, hashOf(controller))
    }
  }
  let next = 1
  for (const controller of unnumbered) {
    while (templates.has(next)) next++
    numbers.set(nameOf(controller), next)
    templates.set(next, hashOf(controller))
  }
  return numbers
}

function byAge(a: Controller, b: Controller): number {
  const key = ({ metadata }: Controller) => `${metadata.creationTimestamp ?? ''} ${metadata.name}`
  return key(a) < key(b) ? -1 : 1
}

/** The number of a template that is about to come into a family: the one it had, or the next. */
export function numberFor(family: ReadonlySet<Controller>, hash: string): number {
  const numbers = numbersOf(family)
  const same = [...family].find((one) => hashOf(one) === hash)
  return (same && numbers.get(nameOf(same))) ?? Math.max(0, ...numbers.values()) + 1
}

/** The controller that has the number. Throws RollError with the list of those there are. */
export function controllerAt(listing: Listing, current: Controller, number: number, handle: string): Controller {
  const family = familyOf(listing, current)
  const numbers = numbersOf(family)
  const found = [...family].filter((one) => numbers.get(nameOf(one)) === number)
  const best = found.includes(current) ? current : found[0]
  if (best) return best
  const known = [...family].map((one) => ({
    revision: numbers.get(nameOf(one)) ?? 0,
    images: [...imagesOf(one.spec?.template).values()],
    isCurrent: one === current,
  }))
  throw unknownRevision(handle, number, known)
}

interface Known {
  revision: number
  images: readonly string[]
  isCurrent: boolean
}

export function unknownRevision(handle: string, number: number, known: readonly Known[]): RollError {
  const sorted = [...known].sort((a, b) => b.revision - a.revision)
  const list = sorted.map(({ revision, images, isCurrent }) => `${revision} (${images.join(', ')}${isCurrent ? '; now' : ''})`)
  return new RollError(`${handle} has no revision ${number}; there is ${list.join(', ') || 'none'}`)
}
