/** PATCH of an object or its status: JSON patch, merge patch, strategic merge patch; apply is passed on. */

import { forbidden, required } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { DecodeError, decode, parseJson } from '../../api/schema/decode.ts'
import { badRequest, custom, invalid, StatusError, unsupportedMediaType } from '../../api/status.ts'
import type { Core } from '../core.ts'
import { setDefaults } from '../objects/defaults.ts'
import { copyJson, isRecord } from '../objects/json.ts'
import { schemaOf } from '../objects/schema.ts'
import { applyJsonPatch } from '../patch/json-patch.ts'
import { mergePatch } from '../patch/merge-patch.ts'
import { strategicMerge } from '../patch/strategic.ts'
import type { Resource } from '../registry.ts'
import { decodeAs, fieldValidation, mediaType, messageOf, resetsManagers } from '../request/body.ts'
import type { ApiRequest, ObjectAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { View } from '../views/view.ts'
import { type WriteCall, writeCall } from '../write/call.ts'
import { rulesOf } from '../write/subresource-rules.ts'
import { updateObject } from '../write/update.ts'
import { entryAnswer } from './get.ts'
import { checkName } from './update.ts'

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply'

const KINDS: Record<string, PatchKind> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}

export async function patch(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): Promise<ObjectAnswer> {
  const kind = patchKind(request, resource)
  const call = patchCall(core, request, resource, target, kind)
  if (kind === 'apply') {
    const { apply } = await import('./apply.ts')
    return apply(call, view)
  }
  const body = await readPatch(request, kind)
  const rules = rulesOf(call)
  const { entry } = await updateObject(call, { next: (old) => patched(call, kind, body, old), ...(rules && { rules }) })
  return entryAnswer(200, resource, entry, view)
}

/** Throws a 415; custom resources have no strategic merge. */
export function patchKind(request: ApiRequest, resource: Resource): PatchKind {
  const type = mediaType(request.header('content-type'))
  const kind = KINDS[type]
  if (kind && !(kind === 'strategic' && resource.itemsCarryKind)) return kind
  if (resource.itemsCarryKind) {
    const accepted = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml'
    throw unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${accepted}`)
  }
  throw custom(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
}

/** The call with the options a patch of this kind may have. Throws a 422. */
export function patchCall(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  kind: PatchKind,
): WriteCall {
  const call = writeCall(core, request, resource, target, 'PatchOptions')
  const title = { group: 'meta.k8s.io', kind: 'PatchOptions' }
  if (kind === 'apply') {
    if (!request.query.get('fieldManager')) throw invalid(title, '', [required('fieldManager', 'is required for apply patch')])
  } else if (request.query.has('force')) {
    throw invalid(title, '', [forbidden('force', 'may not be specified for non-apply patch')])
  }
  return call
}

/** The parsed patch. Throws a 400. */
export async function readPatch(request: ApiRequest, kind: PatchKind): Promise<unknown> {
  const body = await request.body()
  if (body !== undefined && !(body instanceof Uint8Array)) return body
  const prefix = kind === 'strategic' ? '' : 'error decoding patch: '
  try {
    const { value } = parseJson(Buffer.from(body ?? []).toString())
    if (kind !== 'json' && !isRecord(value))
      throw new DecodeError(`json: cannot unmarshal into Go value of type map[string]interface {}`)
    return value
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`${prefix}${messageOf(error)}`)
    throw error
  }
}

/** The object that the patch makes of the stored one: decoded, with defaults. */
export function patched(call: WriteCall, kind: PatchKind, body: unknown, old: KubeObject): KubeObject {
  const { resource } = call
  const object = applyPatchTo(copyJson(old), kind, body, resource)
  const decoded = decodePatched(call, object)
  checkName(call, decoded)
  setDefaults(resource, decoded)
  return decoded
}

function applyPatchTo(object: KubeObject, kind: PatchKind, body: unknown, resource: Resource): KubeObject {
  if (kind === 'json') {
    applyJsonPatch(object, copyJson(body))
    return object
  }
  if (kind === 'merge') return mergePatch(object, body) as KubeObject
  return strategicMerge(object, body as Record<string, unknown>, schemaOf(resource)) as KubeObject
}

/** What no longer decodes is the patch's fault: a 422 instead of a create's 400. */
function decodePatched(call: WriteCall, object: KubeObject): KubeObject {
  const { resource, request } = call
  const validation = fieldValidation(request)
  const { kind } = resource.definition
  const schema = schemaOf(resource)
  if (object.kind === kind && object.apiVersion === resource.apiVersion) {
    const reset = resetsManagers(object)
    try {
      const { value, problems } = decode<KubeObject>(schema, object, { strict: validation !== 'Ignore' })
      if (problems.length > 0) {
        if (validation === 'Strict') throw patchInvalid(`strict decoding error: ${problems.join(', ')}`, object)
        request.warnings.push(...problems)
      }
      if (reset) value.metadata.managedFields = [{}]
      return value
    } catch (error) {
      if (error instanceof DecodeError) throw patchInvalid(error.message, object)
      throw error
    }
  }
  try {
    return decodeAs(
      { value: object, duplicates: [] },
      { apiVersion: resource.apiVersion, kind, schema },
      call.core.registry,
      'Ignore',
      [],
    )
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    throw patchInvalid(error.message.replace(/^.*? cannot be handled as an? [^:]*: /, ''), object)
  }
}

function patchInvalid(why: string, object: unknown): StatusError {
  const shown = JSON.stringify(JSON.stringify(object))
  const message = `Invalid value: ${shown}: ${why}`
  return custom(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
    causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
  })
}
