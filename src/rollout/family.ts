/**
 * Which controllers belong together, by exact names in their annotations: the members of a roll, and the history behind a name.
 * Pure, over one listing of a namespace.
 */
import { RollError } from './progress.ts'
import { BASE, type Direction, isUnderWay, NEXT, type RollRecord, readRecord, type Settings } from './record.ts'
import { type Controller, handleOf, nameOf, type ReplicaKind, replicasOf } from './replica-kinds.ts'

/** Where a roll goes: what a driver needs besides what it sees. */
export interface Course {
  kind: ReplicaKind
  rollId: string
  direction: Direction
  /** In the order in which they go. */
  leaving: readonly string[]
  staying: string
  /** To be created when `staying` does not exist yet. */
  blueprint: Controller | undefined
  desired: number
  settings: Settings
}

/** The controllers of one kind in one namespace, by name. */
export interface Listing {
  get(name: string): Controller | undefined
  has(name: string): boolean
  values(): Iterable<Controller>
}

export function listingOf(controllers: readonly Controller[]): Listing {
  return new Map(controllers.map((controller) => [nameOf(controller), controller]))
}

export function baseOf(controller: Controller): string {
  return readRecord(controller)?.settings.base ?? controller.metadata.annotations?.[BASE] ?? nameOf(controller)
}

/** The roll that is under way and concerns the name, as its members say. */
export function courseUnderWay(
  kind: ReplicaKind,
  listing: Listing,
  name: string,
): { course: Course; paused: boolean } | undefined {
  const members = membersFor(listing, name).filter(({ record }) => isUnderWay(record) && isWhole(listing, record))
  const replaced = new Set(members.map(({ record }) => record.settings.over))
  const ruling = members.filter(({ record }) => !replaced.has(record.rollId))
  const first = ruling[0]
  if (!first) return undefined
  if (ruling.some(({ record }) => record.rollId !== first.record.rollId)) {
    const names = ruling.map(({ controller }) => handleOf(kind, nameOf(controller)))
    throw new RollError(`several rolls are under way: ${names.join(', ')}; name one of them`)
  }
  return { course: courseOf(kind, listing, ruling), paused: ruling.every(({ record }) => record.phase === 'Paused') }
}

interface Member {
  controller: Controller
  record: RollRecord
}

function membersFor(listing: Listing, name: string): Member[] {
  const members: Member[] = []
  for (const controller of listing.values()) {
    const record = readRecord(controller)
    if (!record) continue
    const { settings, partner } = record
    if ([nameOf(controller), settings.base, partner, settings.pet?.name].includes(name)) members.push({ controller, record })
  }
  return members
}

/** What kubectl left on a controller whose partner is gone says nothing any more. */
function isWhole(listing: Listing, { rollId, partner }: RollRecord): boolean {
  return !rollId.startsWith('kubectl.') || listing.has(partner)
}

function courseOf(kind: ReplicaKind, listing: Listing, ruling: readonly Member[]): Course {
  const latest = ruling.reduce((a, b) => ((b.record.settings.rescaled ?? 0) > (a.record.settings.rescaled ?? 0) ? b : a))
  const { rollId, direction, originalReplicas: desired, settings } = latest.record
  const shared = { kind, rollId, direction, desired, settings, blueprint: blueprintOn(ruling) }
  const { pet } = settings
  if (pet) {
    const [leaving, staying] = direction === 'forward' ? [pet.clone, pet.name] : [pet.name, pet.clone]
    return { ...shared, leaving: [leaving], staying }
  }
  const comes = ruling.find(({ record }) => record.role === 'new')
  const staying = comes ? nameOf(comes.controller) : (ruling[0]?.record.partner ?? '')
  // The one whose roll this is names its origin last: others go before it.
  const origin = comes?.record.partner
  const leaving = [...listing.values()]
    .filter((controller) => {
      const record = readRecord(controller)
      return record && nameOf(controller) !== staying && [rollId, settings.over].includes(record.rollId)
    })
    .map(nameOf)
    .filter((name) => name !== origin)
  if (origin !== undefined && listing.has(origin)) leaving.push(origin)
  return { ...shared, leaving, staying }
}

function blueprintOn(members: readonly Member[]): Controller | undefined {
  const text = members.map(({ controller }) => controller.metadata.annotations?.[NEXT]).find((next) => next !== undefined)
  return text === undefined ? undefined : (JSON.parse(text) as Controller)
}

/** As many rolls as are followed from a name to the controller that has its pods today. */
const MAX_CHAIN = 1000

/**
 * The controller that a name stands for: the one that rolls led to, when the named one was rolled away from. A name whose first
 * controller was cleaned away means the latest of those made from it.
 */
export function currentOf(listing: Listing, name: string): Controller | undefined {
  let controller = listing.get(name) ?? latestFrom(listing, name)
  for (let i = 0; controller && i < MAX_CHAIN; i++) {
    const record = readRecord(controller)
    if (record?.role !== 'old' || replicasOf(controller) > 0) return controller
    const next: Controller | undefined = listing.get(record.partner) ?? latestFrom(listing, record.settings.base)
    if (!next || next === controller) return controller
    controller = next
  }
  return controller
}

function latestFrom(listing: Listing, base: string): Controller | undefined {
  const from = [...listing.values()].filter((controller) => baseOf(controller) === base)
  return from.find((one) => readRecord(one)?.role === 'new') ?? from.find((one) => replicasOf(one) > 0)
}
