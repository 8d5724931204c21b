/** Carries out single actions of a plan through the API. Each write is conditional on what the plan saw, and safe to repeat. */
import { isNotFound } from '../api/status.ts'
import type { Clock } from '../base/clock.ts'
import type { Client } from '../client/client.ts'
import { copyNamed, generatedName } from './blueprint.ts'
import { causeAnnotations, causePatch } from './causes.ts'
import type { Course } from './family.ts'
import type { Action } from './plan.ts'
import { type Phase, RollError } from './progress.ts'
import {
  annotationsOf,
  patchOf,
  REVISION,
  ROLL_ID,
  type RollRecord,
  readRecord,
  SWITCH_FINALIZER,
  WRITTEN_REPLICAS,
} from './record.ts'
import { type Controller, handleOf, hashOf, nameOf, replicasOf, resourceOf } from './replica-kinds.ts'
import { familyOf, numbersOf } from './revisions.ts'
import { separate } from './separate.ts'
import type { World } from './world.ts'

export interface Hands {
  client: Client
  clock: Clock
  namespace: string
  world: World
  /** Resolves when the server's controller has observed the object and `holds` is true of it; gives its latest state. */
  observed: (controller: Controller, holds?: (seen: Controller) => boolean) => Promise<Controller>
  /** Kept in the history. */
  cause: { by?: string | undefined; command?: string | undefined; note?: string | undefined }
}

/** The course as it goes on from there: `rescale` changes it. */
export async function perform(hands: Hands, course: Course, action: Action): Promise<Course> {
  switch (action.do) {
    case 'create':
      await create(hands, course)
      return course
    case 'begin':
      await writeRecord(hands, course, action.name, 'Preparing')
      return course
    case 'separate':
      hands.world.wrote(await separate({ ...hands, kind: course.kind }, need(hands, course, action.name)))
      return course
    case 'mark':
      await markAll(hands, course, 'Rolling')
      return course
    case 'rescale':
      return rescale(hands, course, action.name, action.desired)
    case 'scale':
      await scale(hands, course, action.name, action.replicas)
      return course
    case 'pause':
      await markAll(hands, course, 'Paused')
      return course
    case 'delete':
      await remove(hands, course, action.name, 'Background')
      return course
    case 'finish':
      await finish(hands, course)
      return course
    case 'hold':
    case 'unhold':
    case 'release':
      await changeHold(hands, course, action)
      return course
    case 'orphan':
      await remove(hands, course, action.name, 'Orphan')
      return course
    case 'adopt':
      await adopt(hands, course, action.from, action.to)
      return course
    case 'shelve':
      await shelve(hands, course)
      return course
  }
}

function need({ world }: Hands, { kind }: Course, name: string): Controller {
  const controller = world.get(name)
  if (!controller) throw new RollError(`${handleOf(kind, name)} was deleted during the roll`)
  return controller
}

async function create(hands: Hands, course: Course): Promise<void> {
  const { blueprint, kind } = course
  if (!blueprint) throw new RollError(`${handleOf(kind, course.staying)} was deleted during the roll`)
  const record = { ...recordFor(course, blueprint, 'Preparing'), writtenReplicas: 0 }
  await createFrom(hands, course, blueprint, record)
}

async function createFrom({ client, namespace, world }: Hands, { kind }: Course, model: Controller, record: RollRecord) {
  const annotations = { ...model.metadata.annotations, ...annotationsOf(record) }
  const body = { ...model, metadata: { ...model.metadata, annotations } } as Controller
  world.wrote(await client.create(resourceOf(kind), body, { namespace }))
}

/** What a controller's annotations are to say of the course; the template decides which part a pet's name has. */
function recordFor(course: Course, controller: Controller, phase: Phase): RollRecord {
  const { rollId, direction, desired, settings, leaving, staying } = course
  const name = nameOf(controller)
  const { pet } = settings
  const forward = direction === 'forward'
  const role = pet ? ((hashOf(controller) === pet.oldHash) === forward ? 'old' : 'new') : name === staying ? 'new' : 'old'
  const origin = (forward ? leaving.at(-1) : leaving[0]) ?? ''
  const partner = pet ? (name === pet.name ? pet.clone : pet.name) : name === staying ? origin : staying
  const before = readRecord(controller)
  return {
    ...{ rollId, direction, phase, role, partner, settings },
    originalReplicas: desired,
    desiredReplicas: role === 'old' ? 0 : desired,
    writtenReplicas: (before?.rollId === rollId ? before.writtenReplicas : undefined) ?? replicasOf(controller),
  }
}

/** The one that comes says as well whose roll it is, when it existed before. */
async function writeRecord(hands: Hands, course: Course, name: string, phase: Phase): Promise<void> {
  const controller = need(hands, course, name)
  const { pet } = course.settings
  const isNews = phase === 'Preparing' && course.direction === 'forward' && name === course.staying && !pet
  const origin = hands.world.get(course.leaving.at(-1) ?? '')
  const causes = isNews
    ? causePatch(causeAnnotations({ ...hands.cause, clock: hands.clock }, origin?.spec?.template, controller.spec?.template))
    : {}
  const next = phase === 'Preparing' ? nextFor(course, controller) : undefined
  await patch(hands, course, controller, {
    metadata: {
      annotations: { ...patchOf(recordFor(course, controller, phase), next), ...causes, ...numbering(hands, course, controller) },
    },
  })
}

/** What was made by hand gets its number with its first roll, and keeps it when others of the family go. */
function numbering({ world }: Hands, { staying, leaving }: Course, controller: Controller): Record<string, string> {
  if (controller.metadata.annotations?.[REVISION] !== undefined) return {}
  const members = [controller, ...[staying, ...leaving].flatMap((name) => world.get(name) ?? [])]
  const number = numbersOf(familyOf(world, ...members)).get(nameOf(controller))
  return number === undefined ? {} : { [REVISION]: String(number) }
}

/** What is to have a pet's name is written down before it can be made. */
function nextFor({ direction, settings: { pet }, blueprint }: Course, controller: Controller): Controller | undefined {
  return pet && direction === 'forward' && hashOf(controller) === pet.oldHash ? blueprint : undefined
}

/** The side that stays is written first: from any of them the direction is clear then. */
export async function markAll(hands: Hands, course: Course, phase: Phase): Promise<void> {
  for (const name of [course.staying, ...course.leaving]) {
    const controller = hands.world.get(name)
    if (!controller || isMarked(course, controller, phase)) continue
    await writeRecord(hands, course, name, phase)
  }
}

function isMarked({ rollId, direction, desired }: Course, controller: Controller, phase: Phase): boolean {
  const record = readRecord(controller)
  return (
    record?.rollId === rollId && record.direction === direction && record.phase === phase && record.originalReplicas === desired
  )
}

async function rescale(hands: Hands, course: Course, name: string, desired: number): Promise<Course> {
  const settings = { ...course.settings, rescaled: (course.settings.rescaled ?? 0) + 1 }
  const next = { ...course, desired, settings }
  const controller = need(hands, course, name)
  const record = { ...recordFor(next, controller, 'Rolling'), writtenReplicas: replicasOf(controller) }
  await patch(hands, course, controller, { metadata: { annotations: patchOf(record) } })
  return next
}

/** Conditional on the count and the roll, not on the whole object, whose status changes all the time. */
async function scale(hands: Hands, course: Course, name: string, replicas: number): Promise<void> {
  const { client, namespace, world } = hands
  const { kind, settings, staying, rollId } = course
  const controller = need(hands, course, name)
  const annotation = (key: string) => `/metadata/annotations/${key.replace('/', '~1')}`
  const { minReadySeconds } = settings
  const body = [
    { op: 'test', path: '/metadata/uid', value: controller.metadata.uid },
    { op: 'test', path: annotation(ROLL_ID), value: rollId },
    { op: 'test', path: '/spec/replicas', value: replicasOf(controller) },
    { op: 'replace', path: '/spec/replicas', value: replicas },
    { op: 'add', path: annotation(WRITTEN_REPLICAS), value: String(replicas) },
    ...(name === staying && minReadySeconds !== undefined
      ? [{ op: 'add', path: '/spec/minReadySeconds', value: minReadySeconds }]
      : []),
  ]
  world.wrote(await client.patch(resourceOf(kind), name, 'json', body, { namespace }))
}

async function patch({ client, namespace, world }: Hands, { kind }: Course, controller: Controller, body: Patch): Promise<void> {
  const { resourceVersion } = controller.metadata
  const conditional = { ...body, metadata: { ...body.metadata, resourceVersion } }
  world.wrote(await client.patch(resourceOf(kind), nameOf(controller), 'merge', conditional, { namespace }))
}

interface Patch {
  metadata: { annotations?: Record<string, string | null>; finalizers?: readonly string[] }
}

/** The staying side last: while it says that the roll is under way, what is left to do is done. */
async function finish(hands: Hands, course: Course): Promise<void> {
  const { settings, direction, leaving, staying } = course
  const phase = direction === 'forward' ? 'Complete' : 'Aborted'
  const last = settings.pet ? settings.pet.name : staying
  for (const name of [...leaving.filter((one) => one !== last), last]) {
    const controller = hands.world.get(name)
    if (!controller || isMarked(course, controller, phase)) continue
    const record = recordFor(course, controller, phase)
    const shelf = settings.pet && direction !== 'forward' ? generatedName(settings.base, settings.pet.newHash) : undefined
    const partner = shelf !== undefined && hands.world.has(shelf) ? shelf : record.partner
    await patch(hands, course, controller, { metadata: { annotations: patchOf({ ...record, partner }) } })
  }
}

async function changeHold(
  hands: Hands,
  course: Course,
  action: { do: 'hold' | 'unhold' | 'release'; name: string },
): Promise<void> {
  const controller = need(hands, course, action.name)
  const others = (controller.metadata.finalizers ?? []).filter((finalizer) => finalizer !== SWITCH_FINALIZER)
  if (action.do === 'hold') {
    const annotations = patchOf(recordFor(course, controller, 'Switching'), nextFor(course, controller))
    await patch(hands, course, controller, { metadata: { annotations, finalizers: [...others, SWITCH_FINALIZER] } })
    return
  }
  await patch(hands, course, controller, { metadata: { finalizers: others } })
  // What had no other finalizer is gone with it.
  if (action.do === 'release') hands.world.forget(action.name)
}

async function remove(hands: Hands, course: Course, name: string, propagationPolicy: 'Background' | 'Orphan'): Promise<void> {
  const { client, namespace, world } = hands
  const controller = need(hands, course, name)
  const { uid = '', resourceVersion = '' } = controller.metadata
  const preconditions = { uid, resourceVersion }
  try {
    await client.delete(resourceOf(course.kind), name, { namespace, propagationPolicy, preconditions })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  world.forget(name)
  await hands.observed(controller, (seen) => seen.metadata.uid !== uid || seen.metadata.deletionTimestamp !== undefined)
}

async function adopt(hands: Hands, course: Course, from: string, to: 'clone' | 'pet'): Promise<void> {
  const { kind, settings } = course
  const source = need(hands, course, from)
  const name = to === 'clone' ? (settings.pet?.clone ?? '') : (settings.pet?.name ?? '')
  const copy = copyNamed(kind, source, name, replicasOf(source))
  const record = { ...recordFor(course, copy, 'Switching'), writtenReplicas: replicasOf(source) }
  const annotations = { ...copy.metadata.annotations, ...annotationsOf(record, nextFor(course, copy)) }
  await createFrom(hands, course, { ...copy, metadata: { ...copy.metadata, annotations } } as Controller, record)
}

async function shelve(hands: Hands, course: Course): Promise<void> {
  const { kind, settings } = course
  const next = need(hands, course, settings.pet?.name ?? '')
  const copy = copyNamed(kind, next, generatedName(settings.base, hashOf(next)), 0)
  await createFrom(hands, course, copy, { ...recordFor(course, next, 'Aborted'), writtenReplicas: 0 })
}
