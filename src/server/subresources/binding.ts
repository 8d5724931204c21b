/** POST to a pod's `binding`, or to `bindings`: gives the pod its node. */

import { notSupported, required } from '../../api/field-errors.ts'
import type { KubeObject } from '../../api/object.ts'
import { badRequest, conflict, custom, type FieldError } from '../../api/status.ts'
import type { Core } from '../core.ts'
import { noSuchResource } from '../failures.ts'
import { copyJson } from '../objects/json.ts'
import type { Resource } from '../registry.ts'
import { readObject } from '../request/body.ts'
import { type Answer, type ApiRequest, jsonAnswer } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { Admission } from '../write/admit.ts'
import { type WriteCall, writeCall } from '../write/call.ts'
import { placeInNamespace } from '../write/create.ts'
import { updateObject } from '../write/update.ts'
import { expectedPart, partKind } from './part-kinds.ts'

const BINDING = partKind('', 'v1', 'Binding')

/** Throws 404, 409 for a pod that has a node, gates or is going, 500 for a target that is no node. */
export async function bind(core: Core, request: ApiRequest, resource: Resource, target: ResourceTarget): Promise<Answer> {
  const binding = await readBinding(core, request)
  const { name } = target
  if (binding.metadata.name && binding.metadata.name !== name) {
    throw badRequest(`the name of the object (${binding.metadata.name}) does not match the name on the URL (${name})`)
  }
  return bindPod(writeCall(core, request, resource, target, 'CreateOptions'), resource, name, binding)
}

/** The pod is the binding's name. */
export async function createBinding(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
): Promise<Answer> {
  const pods = core.registry.lookup('', 'v1', 'pods')
  if (!pods) throw noSuchResource()
  const binding = await readBinding(core, request)
  const name = binding.metadata.name ?? ''
  if (name === '') throw badRequest('name must be provided')
  return bindPod(writeCall(core, request, resource, target, 'CreateOptions'), pods, name, binding)
}

async function readBinding(core: Core, request: ApiRequest): Promise<KubeObject> {
  return readObject(request, expectedPart(BINDING), core.registry)
}

/** Admission sees the call as it came: for the pod's `binding`, or for a Binding of its own. */
async function bindPod(call: WriteCall, pods: Resource, name: string, binding: KubeObject): Promise<Answer> {
  placeInNamespace(call, binding)
  const admission = new Admission(call, { operation: 'CREATE', name, object: binding, kind: BINDING })
  await admission.mutate()
  checkTarget(binding)
  await admission.validate()
  const next = (old: KubeObject) => bound(copyJson(old), binding, call.now)
  try {
    await updateObject(
      { ...call, resource: pods, name, subresource: 'binding' },
      { next, rules: {}, managed: true, admitted: true },
    )
  } catch (error) {
    admission.release()
    throw error
  }
  return jsonAnswer(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

/** Findings about the target are plain errors on the wire. */
function checkTarget({ target }: KubeObject): void {
  const errors: FieldError[] = []
  if (target?.kind && target.kind !== 'Node') errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']))
  if (!target?.name) errors.push(required('target.name'))
  if (errors.length === 0) return
  const lines = errors.map(({ field, message }) => `${field}: ${message}`)
  const error = custom(500, '', lines.length === 1 ? lines[0]! : `[${lines.join(', ')}]`)
  delete error.status.reason
  throw error
}

/** The pod with its node, the binding's annotations and labels, and the condition that says so. */
function bound(pod: KubeObject, binding: KubeObject, now: string): KubeObject {
  const { metadata } = pod
  const name = metadata.name ?? ''
  const refuse = (why: string) => conflict({ group: '', plural: 'pods/binding' }, name, why)
  const { uid, resourceVersion, annotations, labels } = binding.metadata
  if (uid && uid !== metadata.uid)
    throw refuse(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`)
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) throw refuse('the object has been modified')
  if (metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`)
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`)
  pod.spec.nodeName = binding.target.name
  if (annotations) metadata.annotations = { ...metadata.annotations, ...annotations }
  if (labels) metadata.labels = { ...metadata.labels, ...labels }
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now }
  pod.status ??= {}
  pod.status.conditions = [...(pod.status.conditions ?? []).filter((c: { type: string }) => c.type !== 'PodScheduled'), scheduled]
  return pod
}
