/** Rolls of ReplicationControllers and bare ReplicaSets, which a client drives: from a command to a course, under a lease. */
import { randomUUID } from 'node:crypto'
import { drawNew } from './blueprint.ts'
import { type Decision, decideBack, decidePromote, decideResume, decideRoll, modelFor, withCause } from './course.ts'
import { driveCourse } from './drive.ts'
import { baseOf, type Course, courseUnderWay, type Listing, listingOf } from './family.ts'
import { forecast } from './forecast.ts'
import { acquireLease, type HeldLease, sweepLease } from './lease.ts'
import {
  type Progress,
  type RollbackOptions,
  RollError,
  type RollOptions,
  type RollPreview,
  type RollResult,
} from './progress.ts'
import { noAnnotations } from './record.ts'
import { type Controller, handleOf, progressOf, type ReplicaKind, replicasOf, resourceOf } from './replica-kinds.ts'
import { aimAt, decideBackTo } from './to-revision.ts'

type Driving = AsyncGenerator<Progress, RollResult>
type Decide = (listing: Listing) => Decision | Promise<Decision>

export function rollReplicas(options: RollOptions, kind: ReplicaKind): Driving {
  return driving(options, kind, decideRollFor(options, kind), false)
}

export function rollBackReplicas(options: RollbackOptions, kind: ReplicaKind): Driving {
  const { toRevision } = options
  if (toRevision === undefined) return driving(options, kind, (listing) => decideBack(kind, listing, options, 'back'), true)
  const decide: Decide = (listing) =>
    decideBackTo(kind, listing, options, toRevision, async (aimed) => decideWanted(aimed, kind, listing))
  return driving(options, kind, decide, true)
}

export function abortReplicas(options: RollbackOptions, kind: ReplicaKind): Driving {
  return driving(options, kind, (listing) => decideBack(kind, listing, options, 'abort'), true)
}

export function resumeReplicas(options: RollbackOptions, kind: ReplicaKind): Driving {
  return driving(options, kind, (listing) => decideResume(kind, listing, options), false)
}

export function promoteReplicas(options: RollbackOptions, kind: ReplicaKind): Driving {
  return driving(options, kind, (listing) => decidePromote(kind, listing, options), false)
}

function decideRollFor(options: RollOptions, kind: ReplicaKind): Decide {
  if (options.pet && options.toName !== undefined) throw new RollError('a pet keeps its name: no other name goes with it')
  const { toRevision } = options
  return async (listing) =>
    decideWanted(toRevision === undefined ? options : aimAt(kind, listing, options, toRevision), kind, listing)
}

async function decideWanted(options: RollOptions, kind: ReplicaKind, listing: Listing): Promise<Decision> {
  return decideRoll(kind, listing, options, await wantedFor(options, kind, listing))
}

async function wantedFor(options: RollOptions, kind: ReplicaKind, listing: Listing): Promise<Controller> {
  const { toName } = options
  if (toName !== undefined && !options.template && !options.images) {
    const existing = listing.get(toName)
    if (!existing) throw new RollError(`${handleOf(kind, toName)} does not exist`)
    return existing
  }
  const model = modelFor(kind, listing, options)
  return withCause(options, listing, model, await drawNew(options, kind, model))
}

/** What `roll` would do; changes nothing. */
export async function previewReplicas(options: RollOptions, kind: ReplicaKind): Promise<RollPreview> {
  const listing = await list(options, kind)
  const decision = await decideRollFor(options, kind)(listing)
  if (decision.is !== 'course')
    return { changes: false, isConflict: decision.is === 'conflict', message: decision.message, steps: [] }
  const { course } = decision
  const { leaving, staying, blueprint, desired, settings } = course
  const from = settings.pet ? staying : (leaving.at(-1) ?? '')
  const how = settings.pet
    ? `the old template as ${handleOf(kind, settings.pet.clone)}`
    : blueprint
      ? 'a new controller'
      : 'which exists'
  const message = `would roll ${handleOf(kind, from)} to ${handleOf(kind, staying)}, ${how}, with ${desired} replicas`
  return { changes: true, isConflict: false, message, steps: forecast(course, listing) }
}

async function list({ client, namespace }: RollbackOptions, kind: ReplicaKind): Promise<Listing> {
  return listingOf((await client.list(resourceOf(kind), { namespace })).items)
}

/** Decides before there is a lease, as most that needs nothing done needs none, and once more under it. */
async function* driving(options: RollbackOptions, kind: ReplicaKind, decide: Decide, take: boolean): Driving {
  const first = await decide(await list(options, kind))
  if (first.is !== 'course') {
    if (first.is === 'unchanged' && first.current)
      await sweepLease({ ...options, ...leaseFor(options, kind, baseOf(first.current)) })
    return settled(options, first)
  }
  const acquired = await acquire(options, first.course, take)
  if (acquired.is !== 'held') {
    const busy = acquired.is === 'busy' ? `${acquired.holder} drives this roll` : 'interrupted before anything was done'
    return resultOf(options, first.course, acquired.is === 'busy' ? 'conflict' : 'interrupted', busy)
  }
  const { lease } = acquired
  try {
    const decision = await decide(await list(options, kind))
    if (decision.is !== 'course') return settled(options, decision)
    const result = yield* driveCourse(decision.course, lease, options)
    const turnsBack = options.onInterrupt === 'rollback' && decision.course.direction === 'forward'
    return result.outcome === 'interrupted' && turnsBack ? yield* drivingBack(options, kind, lease, result) : result
  } finally {
    await lease.release()
  }
}

async function* drivingBack(options: RollbackOptions, kind: ReplicaKind, lease: HeldLease, interrupted: RollResult): Driving {
  const listing = await list(options, kind)
  const isUnderWay = courseUnderWay(kind, listing, options.target.name) !== undefined
  // Interrupted before anything was written.
  if (!isUnderWay) return interrupted
  const decision = decideBack(kind, listing, options, 'back')
  if (decision.is !== 'course') return interrupted
  const result = yield* driveCourse(decision.course, lease, { ...options, signal: undefined })
  return result.outcome === 'done' ? { ...result, outcome: 'rolled-back', message: `interrupted; ${result.message}` } : result
}

function acquire(options: RollbackOptions, { kind, settings }: Course, take: boolean) {
  const { client, clock, namespace, signal, holder = `skiff-${randomUUID()}` } = options
  return acquireLease({ client, clock, namespace, holder, take, signal, ...leaseFor(options, kind, settings.base) })
}

function leaseFor({ isGone = () => false }: RollbackOptions, kind: ReplicaKind, base: string) {
  return { name: `skiff-roll.${kind === 'ReplicaSet' ? 'rs' : 'rc'}.${base}`, isGone }
}

function settled({ target }: RollbackOptions, { is, current, message }: Exclude<Decision, { is: 'course' }>): RollResult {
  const side = progressOf(current, target.name)
  return { outcome: is, old: side, new: side, desired: current ? replicasOf(current) : 0, changed: false, message }
}

function resultOf(
  { target }: RollbackOptions,
  { desired }: Course,
  outcome: 'conflict' | 'interrupted',
  message: string,
): RollResult {
  const side = progressOf(undefined, target.name)
  return { outcome, old: side, new: side, desired, changed: false, message }
}

/** Ends the roll where it stands: its controllers keep their pods, and are nobody's partner any more. */
export async function* keepReplicas(options: RollbackOptions, kind: ReplicaKind): Driving {
  const { client, namespace, target } = options
  const first = courseUnderWay(kind, await list(options, kind), target.name)
  if (!first) throw new RollError(`no roll of ${handleOf(kind, target.name)} is under way`)
  const acquired = await acquire(options, first.course, true)
  if (acquired.is !== 'held') return resultOf(options, first.course, 'interrupted', 'interrupted before anything was done')
  try {
    const listing = await list(options, kind)
    const { course } = courseUnderWay(kind, listing, target.name) ?? first
    const { leaving, staying, settings } = course
    const names = [...leaving, staying].filter((name) => listing.has(name))
    if (settings.pet && [settings.pet.name, settings.pet.clone].some((name) => listing.get(name)?.metadata.deletionTimestamp))
      throw new RollError(`the name of ${handleOf(kind, settings.pet.name)} is being switched: skiff resume first`)
    for (const name of names)
      await client.patch(resourceOf(kind), name, 'merge', { metadata: { annotations: noAnnotations() } }, { namespace })
    const [old, next] = [leaving[0] ?? '', staying].map((name) => progressOf(listing.get(name), name))
    const message = `kept as they are: ${names.map((name) => `${handleOf(kind, name)} with ${replicasAt(listing, name)}`).join(', ')}`
    return { outcome: 'done', old: old!, new: next!, desired: course.desired, changed: true, message }
  } finally {
    await acquired.lease.release()
  }
}

function replicasAt(listing: Listing, name: string): number {
  const controller = listing.get(name)
  return controller ? replicasOf(controller) : 0
}
