/** The `scale` of a resource: how many are wanted and how many there are, for every kind that has such numbers. */
import type { Column, SubresourceDefinition } from '../../api/definition.ts'
import { invalid as invalidValue } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { decode } from '../../api/schema/decode.ts'
import { labelSelector, setSelector } from '../../api/selectors.ts'
import { badRequest, conflict, internalError, invalid } from '../../api/status.ts'
import type { Core } from '../core.ts'
import { objectOf } from '../objects/codec.ts'
import { prepareEntries } from '../objects/convert.ts'
import { copyJson, isRecord } from '../objects/json.ts'
import { applyJsonPatch } from '../patch/json-patch.ts'
import { mergePatch } from '../patch/merge-patch.ts'
import { type Resource, resourceOf } from '../registry.ts'
import { readObject } from '../request/body.ts'
import type { Answer, ApiRequest } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { readEntry } from '../verbs/get.ts'
import { patchCall, patchKind, readPatch } from '../verbs/patch.ts'
import type { View } from '../views/view.ts'
import { Admission } from '../write/admit.ts'
import { type WriteCall, writeCall } from '../write/call.ts'
import { unsaved } from '../write/commit.ts'
import { MODIFIED, updateObject } from '../write/update.ts'
import { expectedPart } from './part-kinds.ts'

const SCALE = { apiVersion: 'autoscaling/v1', kind: 'Scale' }
const column = (name: string, cell: (object: KubeObject) => number): Column => ({ name, type: 'integer', priority: 0, cell })
/** How scales look as answers; there is no collection of them. */
const SCALE_RESOURCE = resourceOf({
  ...{ group: 'autoscaling', version: 'v1', kind: 'Scale', plural: 'scales', singular: 'scale', namespaced: true },
  ...{ shortNames: [], categories: [], verbs: [], schema: 'autoscaling/v1.Scale', subresources: [], strategy: {} },
  columns: [column('Desired', (scale) => scale.spec?.replicas ?? 0), column('Available', (scale) => scale.status?.replicas ?? 0)],
})
type Paths = NonNullable<SubresourceDefinition['scale']>

export async function getScale(
  core: Core,
  _request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): Promise<Answer> {
  const entry = readEntry(core, resource, target.namespace, target.name)
  await prepareEntries(resource, [entry])
  return answer(resource, objectOf(entry, resource), view)
}

export async function updateScale(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): Promise<Answer> {
  const call = writeCall(core, request, resource, target, 'UpdateOptions')
  const given = await readObject(request, expectedPart(SCALE_RESOURCE.definition), core.registry)
  return write(call, () => given, view)
}

export async function patchScale(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): Promise<Answer> {
  const kind = patchKind(request, resource)
  const call = patchCall(core, request, resource, target, kind)
  const body = kind === 'apply' ? await readApplied(request) : await readPatch(request, kind)
  const patched = (scale: KubeObject): KubeObject => {
    const copy = copyJson(scale)
    if (kind === 'json') applyJsonPatch(copy, copyJson(body))
    return decode<KubeObject>(builtinSchema('autoscaling/v1.Scale'), kind === 'json' ? copy : mergePatch(copy, body)).value
  }
  return write(call, patched, view)
}

async function readApplied(request: ApiRequest): Promise<unknown> {
  const { readConfiguration } = await import('../apply/configuration.ts')
  return readConfiguration(request)
}

async function write(call: WriteCall, change: (scale: KubeObject) => KubeObject, view: View): Promise<Answer> {
  const { resource } = call
  const paths = pathsOf(resource)
  let admission: Admission | undefined
  const next = async (old: KubeObject) => {
    const before = scaleOf(old, resource)
    const scale = copyJson(change(before))
    admission = new Admission(call, {
      ...{ operation: 'UPDATE', name: call.name, object: scale, old: before, kind: SCALE_RESOURCE.definition },
    })
    await admission.mutate()
    checkScale(call, scale, old)
    const object = copyJson(old)
    setAt(object, paths.specReplicas, scale.spec?.replicas ?? 0)
    return object
  }
  const { entry } = await updateObject(call, { next, admission: () => admission! })
  return answer(resource, objectOf(entry, resource), view)
}

function checkScale(call: WriteCall, scale: KubeObject, old: KubeObject): void {
  const { name, resourceVersion, uid } = scale.metadata
  if (name !== undefined && name !== call.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`)
  }
  if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) throw conflict(call.resource.name, call.name, MODIFIED)
  if (uid && uid !== old.metadata.uid)
    throw conflict(
      call.resource.name,
      call.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    )
  const replicas = scale.spec?.replicas ?? 0
  // A custom resource's own validation words it by the path of its field.
  if (replicas >= 0 || call.resource.itemsCarryKind) return
  const error = invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0')
  throw invalid({ group: 'autoscaling', kind: 'Scale' }, call.name, [error])
}

function pathsOf(resource: Resource): Paths {
  return resource.definition.subresources.find(({ name }) => name === 'scale')!.scale!
}

function answer(resource: Resource, object: KubeObject, view: View): Answer {
  const scale = scaleOf(object, resource)
  const entry = unsaved('', scale, Number(object.metadata.resourceVersion))
  return { type: 'object', status: 200, contentType: view.contentType, ...view.one(SCALE_RESOURCE, entry) }
}

function scaleOf(object: KubeObject, resource: Resource): KubeObject {
  const paths = pathsOf(resource)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = valueAt(object, paths.specReplicas)
  if (replicas === undefined && resource.itemsCarryKind) {
    throw internalError(`the spec replicas field ".${paths.specReplicas}" does not exist`)
  }
  const selector = selectorText(paths.labelSelector === undefined ? undefined : valueAt(object, paths.labelSelector))
  return {
    ...SCALE,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas ? { replicas } : {},
    status: { replicas: Number(valueAt(object, paths.statusReplicas) ?? 0), ...(selector && { selector }) },
  }
}

/** A selector as text: it is one already, a LabelSelector, or a plain map. */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector
  if (!isRecord(selector)) return ''
  if ('matchLabels' in selector || 'matchExpressions' in selector) return labelSelector(selector).toString()
  return setSelector(selector as Record<string, string>).toString()
}

function valueAt(object: KubeObject, path: string): unknown {
  let value: unknown = object
  for (const step of path.split('.')) value = isRecord(value) ? value[step] : undefined
  return value
}

function setAt(object: KubeObject, path: string, value: unknown): void {
  const steps = path.split('.')
  const last = steps.pop()!
  let place: Record<string, unknown> = object
  for (const step of steps) {
    if (!isRecord(place[step])) place[step] = {}
    place = place[step] as Record<string, unknown>
  }
  place[last] = value
}
