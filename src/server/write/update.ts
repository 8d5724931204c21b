/**
 * Changes an object: the caller makes the new one from the stored one, and the rest is the same for PUT, PATCH, apply and the
 * subresources. Starts over when somebody else wrote in between, unless the caller named the version it knows.
 */

import { invalid as invalidValue } from '../../api/field-errors.ts'
import { validateMetadata, validateMetadataUpdate } from '../../api/metadata-rules.ts'
import type { KubeObject } from '../../api/object.ts'
import { conflict, custom, type FieldError, invalid, notFound } from '../../api/status.ts'
import { KeyNotFound, RevisionMismatch } from '../../store/errors.ts'
import type { Entry } from '../../store/store.ts'
import { sameOwners, trackUpdate } from '../fields/managers.ts'
import { objectOf } from '../objects/codec.ts'
import { prepareEntries } from '../objects/convert.ts'
import { setDefaults } from '../objects/defaults.ts'
import { equalJson } from '../objects/json.ts'
import { keyOf } from '../objects/keys.ts'
import { Admission } from './admit.ts'
import type { WriteCall } from './call.ts'
import { commitDelete, commitUpdate } from './commit.ts'
import { placeInNamespace } from './create.ts'
import { setGeneration } from './generation.ts'
import { isReadyToGo } from './lifecycle.ts'

/** How often a write starts over before the conflict is the caller's. */
const MAX_ATTEMPTS = 20
export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

export interface UpdatePlan {
  /** Makes the new object from the stored one, which is shared and read-only. Called again when the write starts over. */
  next: (old: KubeObject) => KubeObject | Promise<KubeObject>
  /** What `next` has asked the mutators already, of a part of the object that has a kind of its own (Scale). */
  admission?: () => Admission
  /** How the rules of this write differ from an ordinary update's. */
  rules?: UpdateRules
  /** The new object's managedFields are right already (apply, and what the server itself writes). */
  managed?: boolean
  /** The server's own doing within another request, which has been admitted; nothing that the generation counts. */
  admitted?: boolean
}

/** What stands in for the strategy's own functions. */
export interface UpdateRules {
  prepare?: ((object: KubeObject, old: KubeObject) => void) | undefined
  validate?: ((object: KubeObject, old: KubeObject) => FieldError[]) | undefined
}

export interface Updated {
  entry: Entry
  /** The write took the last finalizer of an object that was being deleted. */
  deleted: boolean
}

/** Throws 404, 409, 422 and what admission refuses with. */
export async function updateObject(call: WriteCall, plan: UpdatePlan): Promise<Updated> {
  const { core, resource } = call
  const key = keyOf(resource, call.namespace, call.name)
  for (let attempt = 1; ; attempt++) {
    const entry = core.store.get(key)
    if (!entry) throw notFound(resource.name, call.name)
    const pending = prepareEntries(resource, [entry])
    if (pending) await pending
    const old = objectOf(entry, resource)
    try {
      return await attemptUpdate(call, plan, entry, old, await plan.next(old))
    } catch (error) {
      if (error instanceof KeyNotFound) throw notFound(resource.name, call.name)
      if (!(error instanceof RevisionMismatch)) throw error
      if (attempt === MAX_ATTEMPTS) throw conflict(resource.name, call.name, MODIFIED)
    }
  }
}

async function attemptUpdate(
  call: WriteCall,
  plan: UpdatePlan,
  entry: Entry,
  old: KubeObject,
  object: KubeObject,
): Promise<Updated> {
  const { resource } = call
  placeInNamespace(call, object)
  if (!plan.managed) trackUpdate(call, object, old)
  const begun = plan.admission?.()
  const admission =
    begun ?? (plan.admitted ? undefined : new Admission(call, { operation: 'UPDATE', name: call.name, object, old }))
  if (!begun && (await admission?.mutate())) setDefaults(resource, object)
  checkVersion(call, object, entry)
  prepare(call, plan, object, old)
  const errors = findErrors(call, plan, object, old)
  const more = resource.definition.strategy.validateExpressions?.(object, old, errors)
  if (more) errors.push(...(await more))
  if (errors.length > 0) throw invalid(resource.definition, call.name, errors)
  const { warnings } = resource.definition.strategy
  if (warnings && !plan.rules) call.request.warnings.push(...warnings(object, old))
  await admission?.validate()
  try {
    if (isUnchanged(object, old)) {
      admission?.release()
      return { entry, deleted: false }
    }
    if (isReadyToGo(object, resource)) return { entry: await commitDelete(call, entry, object), deleted: true }
    return { entry: await commitUpdate(call, entry, object), deleted: false }
  } catch (error) {
    admission?.release()
    throw error
  }
}

/** The version an object says it was made from must be the stored one; none says it overwrites, where the kind allows that. */
function checkVersion(call: WriteCall, object: KubeObject, entry: Entry): void {
  const version = object.metadata.resourceVersion ?? ''
  if (version === '' || version === '0') {
    const { allowUnconditionalUpdate } = call.resource.definition.strategy
    if (allowUnconditionalUpdate !== false) return
    const { group, plural } = call.resource.name
    throw invalid({ group, kind: plural }, call.name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  }
  if (!/^\d+$/.test(version)) {
    const error = custom(500, '', `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`)
    delete error.status.reason
    throw error
  }
  if (Number(version) !== entry.revision) throw conflict(call.resource.name, call.name, MODIFIED)
}

function prepare(call: WriteCall, plan: UpdatePlan, object: KubeObject, old: KubeObject): void {
  const { strategy } = call.resource.definition
  if (plan.rules) plan.rules.prepare?.(object, old)
  else strategy.prepareForUpdate?.(object, old, { now: call.now })
  const { metadata } = object
  const before = old.metadata
  metadata.uid ||= before.uid
  metadata.creationTimestamp = before.creationTimestamp
  if (before.generateName !== undefined && metadata.generateName === undefined) metadata.generateName = before.generateName
  if (before.deletionTimestamp !== undefined) metadata.deletionTimestamp = before.deletionTimestamp
  metadata.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds
  delete metadata.selfLink
  if (!plan.admitted) setGeneration(call.resource, object, old)
}

function findErrors(call: WriteCall, plan: UpdatePlan, object: KubeObject, old: KubeObject): FieldError[] {
  const { definition } = call.resource
  const rules = plan.rules ? plan.rules.validate : definition.strategy.validateUpdate
  const metadata = validateMetadataUpdate(object, old)
  // Kubernetes checks this twice, in the strategy and around it, and reports it twice.
  return [...validateMetadata(object, definition), ...metadata, ...metadata, ...(rules?.(object, old) ?? [])]
}

/** Whether the write would store what is stored already, but for when a field's owner last wrote it. */
function isUnchanged(object: KubeObject, old: KubeObject): boolean {
  const { managedFields: owners, resourceVersion: _, ...metadata } = object.metadata
  const { managedFields: ownersBefore, resourceVersion: __, ...metadataBefore } = old.metadata
  return (
    equalJson(metadata, metadataBefore) &&
    sameOwners(owners, ownersBefore) &&
    equalJson({ ...object, metadata: undefined }, { ...old, metadata: undefined })
  )
}
