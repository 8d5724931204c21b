/** The files of volumes that are made from API objects: configMap, secret, downwardAPI, projected. Pure. */

import { type FieldContext, fieldValue } from '../../api/downward/field-reference.ts'
import { resourceValue } from '../../api/downward/resource-reference.ts'
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from '../../api/types.ts'

export interface FileProjection {
  data: Buffer
  mode: number
}

/** Files by their path in the volume. */
export type Payload = Map<string, FileProjection>

export interface PayloadContext extends FieldContext {
  configMap(namespace: string, name: string): ConfigMap | undefined
  secret(namespace: string, name: string): Secret | undefined
  allocatable: Readonly<Record<string, string>>
  /** A token that was fetched before; see `token.ts`. */
  token(projection: ServiceAccountTokenProjection): string
  /** Mode of token files: they are for one user where the pod has one, and readable for all otherwise. */
  tokenMode: number
}

/** Why a volume cannot be set up; the text is what the FailedMount event says. */
export class VolumeError extends Error {
  override name = 'VolumeError'
}

const DEFAULT_MODE = 0o644

/** The payload of a volume made from objects, or `undefined` for other kinds. Throws VolumeError. */
export function payloadOf(pod: Pod, volume: Volume, context: PayloadContext): Payload | undefined {
  const namespace = pod.metadata.namespace ?? ''
  const { configMap, secret, downwardAPI, projected } = volume
  if (configMap) return fromConfigMap(namespace, configMap, configMap.defaultMode ?? DEFAULT_MODE, context)
  if (secret) return fromSecret(namespace, { ...secret, name: secret.secretName }, secret.defaultMode ?? DEFAULT_MODE, context)
  if (downwardAPI) return fromDownwardApi(pod, downwardAPI.items, downwardAPI.defaultMode ?? DEFAULT_MODE, context)
  if (!projected) return undefined
  const payload: Payload = new Map()
  for (const source of projected.sources ?? []) {
    for (const [path, file] of fromProjection(pod, source, projected.defaultMode ?? DEFAULT_MODE, context))
      payload.set(path, file)
  }
  return payload
}

function fromProjection(pod: Pod, source: VolumeProjection, mode: number, context: PayloadContext): Payload {
  const namespace = pod.metadata.namespace ?? ''
  if (source.configMap) return fromConfigMap(namespace, source.configMap, mode, context)
  if (source.secret) return fromSecret(namespace, source.secret, mode, context)
  if (source.downwardAPI) return fromDownwardApi(pod, source.downwardAPI.items, mode, context)
  if (source.serviceAccountToken) {
    const data = Buffer.from(context.token(source.serviceAccountToken))
    return new Map([[source.serviceAccountToken.path, { data, mode: context.tokenMode }]])
  }
  throw new VolumeError(`projected source ${Object.keys(source)[0] ?? '(none)'} is not supported by this node`)
}

interface ObjectReference {
  name?: string | undefined
  items?: KeyToPath[] | undefined
  optional?: boolean | undefined
}

function fromConfigMap(namespace: string, reference: ObjectReference, mode: number, context: PayloadContext): Payload {
  const name = reference.name ?? ''
  const object = context.configMap(namespace, name)
  if (!object && !reference.optional) throw new VolumeError(`configmap ${JSON.stringify(name)} not found`)
  const contents = new Map<string, Buffer>()
  for (const [key, text] of Object.entries(object?.data ?? {})) contents.set(key, Buffer.from(text))
  for (const [key, base64] of Object.entries(object?.binaryData ?? {})) contents.set(key, Buffer.from(base64, 'base64'))
  return select(contents, reference, mode, 'references non-existent config key')
}

function fromSecret(namespace: string, reference: ObjectReference, mode: number, context: PayloadContext): Payload {
  const name = reference.name ?? ''
  const object = context.secret(namespace, name)
  if (!object && !reference.optional) throw new VolumeError(`secret ${JSON.stringify(name)} not found`)
  const contents = new Map<string, Buffer>()
  for (const [key, base64] of Object.entries(object?.data ?? {})) contents.set(key, Buffer.from(base64, 'base64'))
  return select(contents, reference, mode, 'references non-existent secret key')
}

function select(contents: Map<string, Buffer>, { items, optional }: ObjectReference, mode: number, complaint: string): Payload {
  if (!items || items.length === 0) return new Map([...contents].map(([key, data]) => [key, { data, mode }]))
  const payload: Payload = new Map()
  for (const item of items) {
    const data = contents.get(item.key)
    if (data) payload.set(item.path, { data, mode: item.mode ?? mode })
    else if (!optional) throw new VolumeError(`${complaint}: ${item.key}`)
  }
  return payload
}

function fromDownwardApi(pod: Pod, items: DownwardAPIVolumeFile[] | undefined, mode: number, context: PayloadContext): Payload {
  const payload: Payload = new Map()
  for (const item of items ?? []) {
    payload.set(item.path, { data: Buffer.from(downwardValue(pod, item, context)), mode: item.mode ?? mode })
  }
  return payload
}

function downwardValue(pod: Pod, item: DownwardAPIVolumeFile, context: PayloadContext): string {
  if (item.fieldRef) return fieldValue(pod, item.fieldRef.fieldPath, context)
  const reference = item.resourceFieldRef
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  const container = containers.find((c) => c.name === reference?.containerName)
  if (!reference || !container) throw new VolumeError(`container ${reference?.containerName ?? ''} of ${item.path} not found`)
  return resourceValue(container, reference, context.allocatable)
}

/** Whether two payloads would write the same files. */
export function samePayload(a: Payload, b: Payload): boolean {
  if (a.size !== b.size) return false
  for (const [path, file] of a) {
    const other = b.get(path)
    if (!other || other.mode !== file.mode || !other.data.equals(file.data)) return false
  }
  return true
}
