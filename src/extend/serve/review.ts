/** An AdmissionReview (admission.k8s.io/v1) as the request that admission plugins know, and their work as its answer. */
import { createPatch } from 'rfc6902'
import type { AdmissionPlugin, AdmissionRequest, UserInfo } from '../../api/admission.ts'
import type { ResourceDefinition } from '../../api/definition.ts'
import type { KubeObject } from '../../api/object.ts'
import { StatusError } from '../../api/status.ts'

export interface AdmissionReview {
  apiVersion: 'admission.k8s.io/v1'
  kind: 'AdmissionReview'
  request?: ReviewedRequest
  response?: ReviewResponse
}

export interface ReviewedRequest {
  uid: string
  kind: { group: string; version: string; kind: string }
  resource: { group: string; version: string; resource: string }
  subResource?: string
  name?: string
  namespace?: string
  operation: AdmissionRequest['operation']
  userInfo: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> }
  object?: KubeObject | null
  oldObject?: KubeObject | null
  dryRun?: boolean
  options?: Record<string, unknown> | null
}

export interface ReviewResponse {
  uid: string
  allowed: boolean
  status?: object
  patchType?: 'JSONPatch'
  /** Base64. */
  patch?: string
  warnings?: string[]
}

/** Runs the plugins as the embedded server does: all mutators in their order, then all validators. A refusal is an answer; other errors are thrown. */
export async function answerReview(
  request: ReviewedRequest,
  plugins: readonly AdmissionPlugin[],
  definitionOf: (group: string, plural: string) => ResourceDefinition | undefined,
): Promise<ReviewResponse> {
  const { uid } = request
  const { group, resource } = request.resource
  const definition = definitionOf(group, resource)
  // Registered are only kinds that are built in: whatever else comes is nobody's affair here.
  if (!definition) return { uid, allowed: true }
  const warnings: string[] = []
  const admission = requestOf(request, definition, warnings)
  const before = request.object ?? undefined
  try {
    const handling = plugins.filter((plugin) => plugin.handles(admission))
    for (const plugin of handling) await plugin.mutate?.(admission)
    for (const plugin of handling) await plugin.validate?.(admission)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return { uid, allowed: false, status: error.status, ...(warnings.length > 0 && { warnings }) }
  }
  const changes = before && admission.object ? createPatch(before, admission.object) : []
  return {
    ...{ uid, allowed: true },
    ...(changes.length > 0 && { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(changes)).toString('base64') }),
    ...(warnings.length > 0 && { warnings }),
  }
}

function requestOf(request: ReviewedRequest, definition: ResourceDefinition, warnings: string[]): AdmissionRequest {
  const { operation, subResource = '', namespace = '', name = '', dryRun = false, object, oldObject, options } = request
  return {
    ...{ operation, definition, subresource: subResource, namespace, name, dryRun },
    kind: { ...definition, ...request.kind },
    user: userOf(request),
    object: object ? structuredClone(object) : undefined,
    old: oldObject ?? undefined,
    options: options ?? {},
    warn: (text) => {
      warnings.push(text)
    },
  }
}

function userOf({ userInfo: { username = '', uid, groups = [], extra } }: ReviewedRequest): UserInfo {
  return { name: username, groups, ...(uid && { uid }), ...(extra && { extra }) }
}
