/** Creates an object: admission, system metadata, validation, commit. Used by POST, and by PUT and apply of what is not there. */
import { validateMetadata } from '../../api/metadata-rules.ts'
import type { KubeObject } from '../../api/object.ts'
import { alreadyExists, badRequest, custom, invalid, methodNotAllowed } from '../../api/status.ts'
import { KeyExists } from '../../store/errors.ts'
import type { Entry } from '../../store/store.ts'
import { trackUpdate } from '../fields/managers.ts'
import { setDefaults } from '../objects/defaults.ts'
import { keyOf } from '../objects/keys.ts'
import { generateName, newUid } from '../objects/names.ts'
import { Admission } from './admit.ts'
import type { WriteCall } from './call.ts'
import { commitCreate } from './commit.ts'
import { countsGeneration } from './generation.ts'

/** How many generated names are tried before the collision is the caller's. */
const GENERATE_ATTEMPTS = 8

/**
 * The object becomes the server's. It has been decoded and given its defaults. `manage` false: its managedFields are right
 * already (apply). Throws StatusError.
 */
export async function createObject(call: WriteCall, object: KubeObject, manage = true): Promise<Entry> {
  const { resource, request } = call
  const { strategy } = resource.definition
  const { metadata } = object
  if (resource.definition.terminating)
    throw methodNotAllowed('create not allowed while custom resource definition is terminating')
  placeInNamespace(call, object)
  refuseVersion(metadata.resourceVersion)
  if (manage) trackUpdate(call, object, undefined)
  const admission = new Admission(call, { operation: 'CREATE', name: metadata.name ?? '', object })
  if (await admission.mutate()) setDefaults(resource, object)
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
  metadata.creationTimestamp = call.now
  metadata.uid = newUid(call.core.random)
  if (metadata.generateName && !metadata.name) metadata.name = unusedName(call, metadata.generateName)
  strategy.prepareForCreate?.(object, { now: call.now })
  if (countsGeneration(resource) && strategy.generationBegins !== 'update') metadata.generation = 1
  else delete metadata.generation
  const errors = [...validateMetadata(object, resource.definition), ...(strategy.validate?.(object) ?? [])]
  const more = strategy.validateExpressions?.(object, undefined, errors)
  if (more) errors.push(...(await more))
  if (errors.length > 0) throw invalid(resource.definition, metadata.name ?? '', errors)
  if (strategy.warnings) request.warnings.push(...strategy.warnings(object))
  await admission.validate()
  try {
    const key = keyOf(resource, call.namespace, metadata.name!)
    if (call.dryRun && call.core.store.get(key)) throw new KeyExists(key)
    return await commitCreate(call, key, object)
  } catch (error) {
    admission.release()
    throw error instanceof KeyExists ? alreadyExists(resource.name, metadata.name!) : error
  }
}

/** An object's namespace is its path's. Throws a 400 when it says another. */
export function placeInNamespace(call: WriteCall, object: KubeObject): void {
  const { metadata } = object
  if (!call.resource.definition.namespaced) delete metadata.namespace
  else if (!metadata.namespace) metadata.namespace = call.namespace
  else if (metadata.namespace !== call.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

function refuseVersion(version: string | undefined): void {
  if (!version) return
  const error = custom(500, '', 'resourceVersion should not be set on objects to be created')
  delete error.status.reason
  throw error
}

function unusedName(call: WriteCall, prefix: string): string {
  for (let attempt = 1; ; attempt++) {
    const name = generateName(prefix, call.core.random)
    if (attempt === GENERATE_ATTEMPTS || !call.core.store.get(keyOf(call.resource, call.namespace, name))) return name
  }
}
