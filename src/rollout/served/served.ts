/** Rolls what the server's own controllers roll: changes the template, and watches. Same progress, same ends as the client's own rolls. */
import { equal, listChanges } from '../../api/equal.ts'
import type { KubeObject } from '../../api/object.ts'
import type { PodTemplateSpec } from '../../api/types.ts'
import { causeAnnotations, causePatch, imagesOf } from '../causes.ts'
import {
  type Progress,
  type RollbackOptions,
  RollError,
  type RollOptions,
  type RollPreview,
  type RollResult,
} from '../progress.ts'
import { unknownRevision } from '../revisions.ts'
import { changedImages, templateHash } from '../template.ts'
import { daemonSetKind } from './daemon-set.ts'
import { deploymentKind } from './deployment.ts'
import type { Revision, ServedKind, ServedObject, ServedPatch } from './kind.ts'
import { statefulSetKind } from './stateful-set.ts'
import { restOf, watchRollout } from './watch.ts'

export type ServedName = 'Deployment' | 'StatefulSet' | 'DaemonSet'

type Driving = AsyncGenerator<Progress, RollResult>

const KINDS: Record<ServedName, ServedKind> = {
  Deployment: deploymentKind as unknown as ServedKind,
  StatefulSet: statefulSetKind as unknown as ServedKind,
  DaemonSet: daemonSetKind as unknown as ServedKind,
}

/** The template that a rollback left: going back once more would be going forward. */
const ROLLED_BACK = 'skiff.dev/rolled-back'

export async function* rollServed(asked: RollOptions, name: ServedName): Driving {
  const kind = KINDS[name]
  const { client, namespace, target } = asked
  const { options, before, body, after, changed } = await proposed(asked, kind)
  const start = changed
    ? await client.patch(kind.resource, target.name, 'strategic', withCauses(options, body, before, after), { namespace })
    : before
  const result = yield* watchRollout(options, kind, start, changed, {
    done: `rolled ${kind.word}/${target.name}`,
    unchanged: `${kind.word}/${target.name} already runs this template`,
  })
  if (result.outcome !== 'interrupted' || options.onInterrupt !== 'rollback') return result
  const back = yield* rollBackServed({ ...options, signal: undefined }, name)
  return back.outcome === 'done' ? { ...back, outcome: 'rolled-back', message: `interrupted; ${back.message}` } : back
}

/** The roll's patch, and what it would make of the object, from a dry run on the server. */
async function proposed(asked: RollOptions, kind: ServedKind) {
  const { client, namespace, target } = asked
  refuse(asked, kind)
  const before = await client.get(kind.resource, target.name, { namespace })
  const options = await aimed(asked, kind, before)
  const body = rollPatch(options, kind, before)
  const after = await client.patch(kind.resource, target.name, 'strategic', body, { namespace, dryRun: true })
  const changed = !equal(before.spec, after.spec) && !isSameCanary(options, body, before, after)
  return { options, before, body, after, changed }
}

/** What the patch would change, step by step. */
export async function previewServed(asked: RollOptions, name: ServedName): Promise<RollPreview> {
  const kind = KINDS[name]
  const { before, after, changed: changes } = await proposed(asked, kind)
  const handle = `${kind.word}/${asked.target.name}`
  if (!changes) return { changes, isConflict: false, message: `${handle} already runs this template`, steps: [] }
  const steps = listChanges('spec', before.spec, after.spec).trim().split('\n')
  return { changes, isConflict: false, message: `would change ${handle}; its server replaces the pods`, steps }
}

/** With the template of the revision that was asked for. */
async function aimed(options: RollOptions, kind: ServedKind, before: ServedObject): Promise<RollOptions> {
  const { toRevision, client, images, template } = options
  if (toRevision === undefined) return options
  if (images || template) throw new RollError('a revision is gone to as it was: no image or template goes with it')
  return { ...options, template: templateAt(await kind.revisions(client, before), toRevision, kind, before) }
}

function templateAt(
  revisions: readonly Revision[],
  number: number,
  kind: ServedKind,
  { metadata }: ServedObject,
): PodTemplateSpec {
  const found = revisions.find((one) => one.number === number)
  if (found?.template) return found.template
  const known = revisions.map((one, index) => ({
    revision: one.number,
    images: [...imagesOf(one.template).values()],
    isCurrent: index === 0,
  }))
  throw unknownRevision(`${kind.word}/${metadata.name}`, number, known)
}

function refuse(options: RollOptions, { word }: ServedKind): void {
  const no = (what: string) => new RollError(`a ${word} ${what}`)
  if (options.toName !== undefined) throw no('keeps its name: rolling it to another one is not possible')
  if (options.updatePeriodMs !== undefined) throw no('is rolled by the server: it takes no update period')
  if (options.pet) throw no('keeps its name by itself: it takes no --pet')
  if (options.rollover) throw no('rolls over by itself: it takes no --rollover')
  if (options.keep !== undefined || options.cleanup !== undefined)
    throw no('keeps its history by its revisionHistoryLimit: it takes no --keep or --cleanup')
}

interface Body {
  metadata?: { annotations: Record<string, string | null> }
  spec: object
}

/** Containers are merged by name; a whole template replaces the old one. */
function rollPatch(options: RollOptions, kind: ServedKind, before: ServedObject): Body {
  if (!options.images && !options.template) throw new RollError('nothing to roll to: images, a template or a revision is needed')
  const given = options.template ?? before.spec?.template
  const { containers, initContainers } = options.images
    ? changedImages(given, options.images)
    : { containers: [], initContainers: [] }
  const spec = { ...(containers.length > 0 && { containers }), ...(initContainers.length > 0 && { initContainers }) }
  const template = options.template ? replacing(options.template, containers, initContainers) : { spec }
  const pace = kind.pace(options, before)
  const start = options.canary === undefined ? kind.release(before) : canaryOf(options, kind, before)
  const { annotations } = start
  // What holds a canary is no matter of taste; what it gives back is.
  const whole = options.canary === undefined ? joined(start.spec, pace) : joined(pace, start.spec)
  return { ...(annotations && { metadata: { annotations } }), spec: { ...whole, template } }
}

/** The second has the last word, field by field. */
function joined(first: object = {}, second: object = {}): object {
  const result: Record<string, unknown> = { ...first }
  for (const [key, value] of Object.entries(second)) {
    const before = result[key]
    const areObjects = [before, value].every((one) => typeof one === 'object' && one !== null && !Array.isArray(one))
    result[key] = areObjects ? joined(before as object, value as object) : value
  }
  return result
}

function canaryOf(options: RollOptions, kind: ServedKind, before: ServedObject): ServedPatch {
  if (!kind.canary)
    throw new RollError(`${kind.word}/${before.metadata.name} has no canary: its server replaces the pods of all nodes`)
  return kind.canary(options, before)
}

/** Asked for again, a canary that runs already is left as it is. */
function isSameCanary({ canary }: RollOptions, body: Body, before: ServedObject, after: ServedObject): boolean {
  if (canary === undefined || !equal(before.spec?.template, after.spec?.template)) return false
  const asked = Object.entries(body.metadata?.annotations ?? {})
  return asked.length > 0 && asked.every(([key, value]) => before.metadata.annotations?.[key] === value)
}

function withCauses(options: RollOptions, body: Body, before: ServedObject, after: ServedObject): Body {
  const causes = causePatch(causeAnnotations(options, before.spec?.template, after.spec?.template))
  return { ...body, metadata: { annotations: { ...body.metadata?.annotations, ...causes, [ROLLED_BACK]: null } } }
}

type Images = readonly { name: string; image: string }[]

function replacing(template: PodTemplateSpec, containers: Images, initContainers: Images): object {
  const merge = <C extends { name: string }>(list: readonly C[] | undefined, images: Images) =>
    list?.map((container) => ({ ...container, ...images.find(({ name }) => name === container.name) }))
  const spec = {
    ...template.spec,
    containers: merge(template.spec?.containers, containers),
    ...(template.spec?.initContainers && { initContainers: merge(template.spec.initContainers, initContainers) }),
  }
  return { ...template, spec, $patch: 'replace' }
}

/** To the template of the revision before the current one, as the server numbers them. */
export async function* rollBackServed(options: RollbackOptions, name: ServedName): Driving {
  const kind = KINDS[name]
  const { client, namespace, target } = options
  if (options.updatePeriodMs !== undefined)
    throw new RollError(`a ${kind.word} is rolled by the server: it takes no update period`)
  const before = await client.get(kind.resource, target.name, { namespace })
  const handle = `${kind.word}/${target.name}`
  const current = templateHash(before.spec?.template)
  const wasBack = before.metadata.annotations?.[ROLLED_BACK] === current
  const already = (unchanged: string) =>
    watchRollout(options, kind, before, false, { done: `rolled back ${handle}`, unchanged, isBack: true })
  const { toRevision } = options
  if (toRevision === undefined && wasBack) return yield* already(`${handle} was rolled back already`)
  const revisions = await kind.revisions(client, before)
  const previous = toRevision === undefined ? earlier(revisions, current) : templateAt(revisions, toRevision, kind, before)
  if (!previous) throw new RollError(`${handle} has no earlier revision to go back to`)
  if (templateHash(previous) === current) return yield* already(`${handle} already runs revision ${toRevision}`)
  const freed = kind.release(before)
  const causes = causePatch(causeAnnotations(options, before.spec?.template, previous))
  const annotations = { ...freed.annotations, ...causes, [ROLLED_BACK]: templateHash(previous) }
  const { resourceVersion } = before.metadata
  const body = {
    metadata: { resourceVersion, annotations },
    spec: { ...joined(freed.spec, kind.pace(options, before)), template: { ...previous, $patch: 'replace' } },
  }
  const after = await client.patch(kind.resource, target.name, 'strategic', body, { namespace })
  return yield* watchRollout(options, kind, after, true, { done: `rolled back ${handle}`, unchanged: handle, isBack: true })
}

/** The latest revision whose template is another one than that of now. */
function earlier(revisions: readonly Revision[], current: string): PodTemplateSpec | undefined {
  return revisions.find(({ template }) => template && templateHash(template) !== current)?.template
}

/** Goes on with what is paused, and watches what is under way. `promote` lets a canary become all. */
export async function* resumeServed(options: RollbackOptions, name: ServedName, promote: boolean): Driving {
  const kind = KINDS[name]
  const { client, namespace, target } = options
  const before = await client.get(kind.resource, target.name, { namespace })
  const isHeld = kind.stateOf(before) === 'held'
  if (isHeld && !promote) return { outcome: 'canary', ...restOf(kind, before), message: 'a canary runs', changed: false }
  const freed = promote ? kind.release(before) : (kind.resume?.(before) ?? {})
  // What is paused is about to be no longer.
  const going = { ...before, spec: { ...before.spec, paused: false } } as ServedObject
  const spec = freed.spec || kind.stateOf(before) !== 'complete' ? joined(freed.spec, kind.pace(options, going)) : {}
  const changed = Object.keys(spec).length > 0
  const body = { metadata: { annotations: freed.annotations ?? {} }, spec }
  const start = changed ? await client.patch(kind.resource, target.name, 'strategic', body, { namespace }) : before
  const handle = `${kind.word}/${target.name}`
  return yield* watchRollout(options, kind, start, changed, {
    done: `rolled ${handle}`,
    unchanged: `no roll of ${handle} is under way`,
  })
}

/** Back, if something is under way. */
export async function* abortServed(options: RollbackOptions, name: ServedName, keepPods: boolean): Driving {
  const kind = KINDS[name]
  const { client, namespace, target } = options
  // There is one object only: what is mixed is its pods, which its server goes on replacing.
  if (keepPods) throw new RollError(`a ${kind.word} cannot keep two templates: finish ${target.name} or roll it back`)
  const before = await client.get(kind.resource, target.name, { namespace })
  if (kind.stateOf(before) !== 'complete') return yield* rollBackServed(options, name)
  const message = `no roll of ${kind.word}/${target.name} is under way`
  return { outcome: 'unchanged', ...restOf(kind, before), message, changed: false }
}

export async function revisionsOfServed(
  options: Pick<RollbackOptions, 'client' | 'namespace' | 'target'>,
  name: ServedName,
): Promise<Revision[]> {
  const kind = KINDS[name]
  const { client, namespace, target } = options
  return kind.revisions(client, await client.get(kind.resource, target.name, { namespace }))
}

export type ServedState = ReturnType<ServedKind['stateOf']>

/** From the object alone. */
export function servedStateOf(object: KubeObject, name: ServedName) {
  const kind = KINDS[name]
  const served = object as ServedObject
  return { state: kind.stateOf(served), ...kind.countsOf(served) }
}
