/** `skiff set …`: a change to a pod template, wherever the object keeps it. What is changed is a function of the template; see beside. */
import type { KubeObject } from '../../api/object.ts'
import { isConflict } from '../../api/status.ts'
import type { PodTemplateSpec } from '../../api/types.ts'
import type { ResourceRef } from '../../client/client.ts'
import { CommandError, type Io, writeLine } from '../io.ts'
import { handleOf } from '../names/candidate.ts'
import { NEEDS } from '../names/needs.ts'
import { patchAt, type TemplatePath, templateAt, templatePathsOf } from '../pod-template.ts'
import { type OutputFormat, parseOutput, printObjects } from '../print-objects.ts'
import { type Selected, type SelectOptions, selectObjects } from '../select-objects.ts'
import { type Session, withSession } from '../session.ts'
import { displayName } from '../targets.ts'

export interface SetOptions extends SelectOptions {
  dryRun?: boolean | undefined
  output?: string | undefined
}

export interface TemplateChange {
  /** As the answer says it: `image`. */
  readonly what: string
  /** Finds out what has to be known first; called once, when it is known that there is something to change. */
  prepare?(session: Session, io: Io): Promise<void>
  /** Edits the template in place; it is the caller's own copy. Throws CommandError for what the template cannot take. */
  apply(template: PodTemplateSpec, handle: string): void
}

/** Attempts of a change that meets another. */
const MAX_ATTEMPTS = 5
/** What an existing pod lets change in itself. */
const CHANGEABLE_IN_PODS = new Set(['image'])

export async function runSet(options: SetOptions, change: TemplateChange, io: Io): Promise<number> {
  const format = parseOutput(options.output)
  return withSession(options, io, async (session) => {
    const selected = await selectObjects(options, session, io, NEEDS.set)
    if (selected.length === 0) writeLine(io.stderr, 'No resources found')
    else await change.prepare?.(session, io)
    // Whatever cannot be changed is found before anything is.
    const planned = await Promise.all(selected.map((one) => plan(one, change, session)))
    for (const [index, one] of selected.entries()) await changeOne(one, planned[index]!, change, { options, format, session, io })
    return 0
  })
}

interface Planned {
  object: KubeObject
  template: PodTemplateSpec
  /** Undefined when nothing would be different. */
  patch: object | undefined
}

async function plan({ resource, name, namespace }: Selected, change: TemplateChange, session: Session): Promise<Planned> {
  const read = await session.client.get(resource as ResourceRef<KubeObject>, name, { namespace })
  const object = { ...read, kind: resource.kind }
  const handle = handleOf({ resource, name })
  refuseFixed(object, change, handle)
  const path = onlyPath(templatePathsOf(object, resource.group), handle)
  const before = templateAt(object, path)!
  const template = structuredClone(before)
  change.apply(template, handle)
  const isSame = JSON.stringify(template) === JSON.stringify(before)
  // Lists are replaced as a whole, so it must be the object that was read that takes them.
  const metadata = { resourceVersion: object.metadata.resourceVersion }
  return { object, template, patch: isSame ? undefined : { ...patchAt(path, { spec: specPatch(before, template) }), metadata } }
}

/** A merge patch leaves what it does not name: what is gone must be named. */
function specPatch(before: PodTemplateSpec, after: PodTemplateSpec): object {
  const gone = Object.keys(before.spec ?? {}).filter((name) => !Object.hasOwn(after.spec ?? {}, name))
  return { ...after.spec, ...Object.fromEntries(gone.map((name) => [name, null])) }
}

function onlyPath(paths: readonly TemplatePath[], handle: string): TemplatePath {
  const [path, ...others] = paths
  if (!path) throw new CommandError(`${handle} has no pod template`)
  if (others.length > 0)
    throw new CommandError(
      `${handle} has several pod templates: ${paths.map((one) => one.join('.')).join(', ')}; skiff cannot choose`,
    )
  return path
}

/** Pods and Jobs are made once; the server's own words for that are long. */
function refuseFixed({ kind, metadata }: KubeObject, { what }: TemplateChange, handle: string): void {
  if (kind === 'Job') throw new CommandError(`${handle}: the template of a job cannot be changed once it exists; make another`)
  if (kind !== 'Pod' || CHANGEABLE_IN_PODS.has(what)) return
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  const advice = owner ? `change ${owner.kind.toLowerCase()}/${owner.name}, which made it` : 'make another'
  throw new CommandError(`${handle}: the ${what} of a pod cannot be changed once it exists; ${advice}`)
}

interface Surroundings {
  options: SetOptions
  format: OutputFormat
  session: Session
  io: Io
}

async function changeOne(one: Selected, first: Planned, change: TemplateChange, { options, format, session, io }: Surroundings) {
  const { resource, name, namespace } = one
  let planned = first
  let result = first.object
  for (let attempt = 1; planned.patch; attempt++) {
    try {
      const parameters = { namespace, fieldManager: 'skiff', ...(options.dryRun && { dryRun: true }) }
      result = await session.client.patch(resource as ResourceRef<KubeObject>, name, 'merge', planned.patch, parameters)
      break
    } catch (error) {
      if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error
      planned = await plan(one, change, session)
    }
  }
  if (format.form !== 'table')
    return printObjects([result], { format, single: true, showManagedFields: false }, [{ resource, names: [] }], io.stdout)
  const outcome = planned.patch ? `${change.what} updated${options.dryRun ? ' (server dry run)' : ''}` : 'unchanged'
  writeLine(io.stdout, `${displayName(resource, name)} ${outcome}`)
  if (planned.patch) note(result, handleOf({ resource, name }), io)
}

/** What follows from the change is not the same for all kinds. */
function note({ kind, metadata }: KubeObject, handle: string, io: Io): void {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (owner) writeLine(io.stderr, `note: ${handle} belongs to ${owner.kind.toLowerCase()}/${owner.name}, which may undo this`)
  else if (kind === 'ReplicationController' || kind === 'ReplicaSet')
    writeLine(io.stderr, `note: the pods that ${handle} has stay as they are; "skiff restart ${handle}" replaces them`)
}
