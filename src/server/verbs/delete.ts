/** DELETE of one object: preconditions, grace, finalizers by propagation policy, and at last the removal. */
import type { KubeObject } from '../../api/object.ts'
import { conflict, notFound, type Status } from '../../api/status.ts'
import { KeyNotFound, RevisionMismatch } from '../../store/errors.ts'
import type { Entry } from '../../store/store.ts'
import type { Core } from '../core.ts'
import { objectOf } from '../objects/codec.ts'
import { prepareEntries } from '../objects/convert.ts'
import { copyJson, equalJson } from '../objects/json.ts'
import { keyOf } from '../objects/keys.ts'
import type { Resource } from '../registry.ts'
import { type DeleteOptions, readDeleteOptions } from '../request/delete-options.ts'
import { type ApiRequest, jsonAnswer, type ObjectAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { View } from '../views/view.ts'
import { Admission } from '../write/admit.ts'
import { type WriteCall, writeCall } from '../write/call.ts'
import { commitDelete, commitUpdate } from '../write/commit.ts'
import { hasFinalizers, isNamespaceResource } from '../write/lifecycle.ts'
import { MODIFIED } from '../write/update.ts'
import { entryAnswer } from './get.ts'

const MAX_ATTEMPTS = 20
const FOREGROUND = 'foregroundDeletion'
const ORPHAN = 'orphan'

export async function remove(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): Promise<ObjectAnswer> {
  const call = writeCall(core, request, resource, target, 'DeleteOptions')
  const options = await readDeleteOptions(request)
  const { openPropagationWarning } = resource.definition.strategy
  if (openPropagationWarning && options.propagationPolicy === undefined && options.orphanDependents === undefined) {
    request.warnings.push(openPropagationWarning)
  }
  const dryRun = call.dryRun || (options.dryRun ?? []).length > 0
  const { entry, gone } = await deleteObject({ ...call, dryRun, options: { ...call.options, ...options } }, options)
  if (!gone || resource.definition.strategy.returnsDeleted) return entryAnswer(200, resource, entry, view)
  return jsonAnswer(200, deletedStatus(resource, objectOf(entry, resource)))
}

function deletedStatus(resource: Resource, object: KubeObject): Status {
  const { group, plural } = resource.name
  const { name, uid } = object.metadata
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...(name && { name }), ...(group && { group }), kind: plural, ...(uid && { uid }) },
  }
}

export interface Removal {
  /** The object's last state, or the one it waits in. */
  entry: Entry
  gone: boolean
}

/** Throws 404, 409 and what admission refuses with. */
export async function deleteObject(call: WriteCall, options: DeleteOptions): Promise<Removal> {
  const { core, resource } = call
  const key = keyOf(resource, call.namespace, call.name)
  for (let attempt = 1; ; attempt++) {
    const entry = core.store.get(key)
    if (!entry) throw notFound(resource.name, call.name)
    const pending = prepareEntries(resource, [entry])
    if (pending) await pending
    const old = objectOf(entry, resource)
    checkPreconditions(call, options, old)
    const admission = new Admission(call, { operation: 'DELETE', name: call.name, old })
    await admission.mutate()
    await admission.validate()
    try {
      return await attemptDelete(call, options, entry, old)
    } catch (error) {
      admission.release()
      if (error instanceof KeyNotFound) throw notFound(resource.name, call.name)
      if (!(error instanceof RevisionMismatch)) throw error
      if (attempt === MAX_ATTEMPTS) throw conflict(resource.name, call.name, MODIFIED)
    }
  }
}

async function attemptDelete(call: WriteCall, options: DeleteOptions, entry: Entry, old: KubeObject): Promise<Removal> {
  const { resource } = call
  const { prepareForDelete } = resource.definition.strategy
  if (prepareForDelete && old.metadata.deletionTimestamp === undefined) {
    const marked = copyJson(old)
    marked.metadata.deletionTimestamp = call.now
    prepareForDelete(marked, { now: call.now })
    return { entry: await commitUpdate(call, entry, marked), gone: false }
  }
  const object = shallowCopy(old)
  const grace = startGrace(call, options, object)
  if (grace === 'pending') return { entry, gone: false }
  setFinalizers(resource, options, object)
  const waits = hasFinalizers(object, resource)
  if (waits && grace === 'none') markDeleting(call, object)
  const running = (object.metadata.deletionGracePeriodSeconds ?? 0) > 0
  if (waits && equalJson(object.metadata, old.metadata)) return { entry, gone: false }
  if (waits || (grace === 'started' && running)) return { entry: await commitUpdate(call, entry, object), gone: false }
  return { entry: await commitDelete(call, entry, object), gone: true }
}

/** A delete changes metadata and, for a namespace, the status; the rest is shared with the stored object. */
function shallowCopy(old: KubeObject): KubeObject {
  return { ...old, metadata: { ...old.metadata } }
}

function checkPreconditions(call: WriteCall, options: DeleteOptions, old: KubeObject): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { definition } = call.resource
  const title = { group: definition.group, plural: definition.kind }
  if (uid !== undefined && uid !== old.metadata.uid) {
    const which = `the UID in the precondition (${uid}) does not match the UID in record (${old.metadata.uid})`
    throw conflict(title, call.name, `${which}. The object might have been deleted and then recreated`)
  }
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
    const which = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record`
    throw conflict(title, call.name, `${which} (${old.metadata.resourceVersion}). The object might have been modified`)
  }
}

/**
 * Starts or shortens the grace period of kinds that have one. `pending`: one is running that this delete does not shorten;
 * `none`: the kind goes at once.
 */
function startGrace(call: WriteCall, options: DeleteOptions, object: KubeObject): 'none' | 'started' | 'pending' {
  const { deletionGraceSeconds } = call.resource.definition.strategy
  if (!deletionGraceSeconds) return 'none'
  const { metadata } = object
  const requested = options.gracePeriodSeconds === undefined ? undefined : graceOf(options.gracePeriodSeconds)
  if (metadata.deletionTimestamp !== undefined) {
    const running = metadata.deletionGracePeriodSeconds
    if (running === undefined) return 'none'
    if (requested === undefined || requested >= running)
      return running > 0 || hasFinalizers(object, call.resource) ? 'pending' : 'none'
    metadata.deletionTimestamp = shifted(metadata.deletionTimestamp, requested - running)
    metadata.deletionGracePeriodSeconds = requested
    return 'started'
  }
  const grace = deletionGraceSeconds(object, requested)
  if (grace === undefined) return 'none'
  const seconds = graceOf(grace)
  metadata.deletionTimestamp = shifted(call.now, seconds)
  metadata.deletionGracePeriodSeconds = seconds
  bumpGeneration(object)
  return 'started'
}

/** A negative grace period counts as one second. */
function graceOf(seconds: number): number {
  return seconds < 0 ? 1 : seconds
}

function shifted(time: string, seconds: number): string {
  return `${new Date(Date.parse(time) + seconds * 1000).toISOString().slice(0, 19)}Z`
}

function markDeleting(call: WriteCall, object: KubeObject): void {
  const { metadata } = object
  if (isNamespaceResource(call.resource)) {
    metadata.deletionTimestamp ??= call.now
    object.status = { ...copyJson(object.status), phase: 'Terminating' }
    return
  }
  if (metadata.deletionTimestamp === undefined) bumpGeneration(object)
  metadata.deletionTimestamp ??= call.now
  metadata.deletionGracePeriodSeconds = 0
}

function bumpGeneration({ metadata }: KubeObject): void {
  if (metadata.generation) metadata.generation += 1
}

/** The two finalizers of the garbage collector, as the propagation policy wants them. */
function setFinalizers(resource: Resource, options: DeleteOptions, object: KubeObject): void {
  const { metadata } = object
  const current = metadata.finalizers ?? []
  const policy = policyOf(options) ?? implied(resource, current)
  const others = current.filter((finalizer) => finalizer !== FOREGROUND && finalizer !== ORPHAN)
  const wanted = policy === 'Foreground' ? [FOREGROUND] : policy === 'Orphan' ? [ORPHAN] : []
  const finalizers = [...others, ...wanted]
  if (finalizers.length > 0) metadata.finalizers = finalizers
  else delete metadata.finalizers
}

function policyOf(options: DeleteOptions): DeleteOptions['propagationPolicy'] {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? 'Orphan' : 'Background'
  return options.propagationPolicy
}

/** A delete that says nothing leaves the finalizers as they are, and begins as the kind does by default. */
function implied(resource: Resource, current: readonly string[]): DeleteOptions['propagationPolicy'] {
  if (current.includes(ORPHAN)) return 'Orphan'
  if (current.includes(FOREGROUND)) return 'Foreground'
  return resource.definition.strategy.defaultPropagation
}
