/**
 * The metadata service of the App Container specification, as rkt had it (appc/spec, "App Container Metadata Service"):
 * a pod's uuid, annotations and manifest, its apps' images, and signatures that other pods of this node can check.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Pod } from '../../api/types.ts'
import type { ImageState } from '../runtime/runtime.ts'

export interface AppcPod {
  pod: Pod
  image(container: string): ImageState | undefined
}

export interface AppcAnswer {
  status: number
  body: string
  json?: boolean
}

/** `path` is what follows `/acMetadata/v1/`. */
export function appcRead(path: string, { pod, image }: AppcPod): AppcAnswer {
  const { metadata } = pod
  switch (path) {
    case 'pod/uuid':
      return { status: 200, body: metadata.uid ?? '' }
    case 'pod/annotations':
      return json(nameValues(metadata.annotations))
    case 'pod/manifest':
      return json({ apiVersion: 'v1', kind: 'Pod', metadata: withoutManagers(metadata), spec: pod.spec })
  }
  const [, app = '', rest] = /^apps\/([^/]+)\/(annotations|image\/manifest|image\/id)$/.exec(path) ?? []
  const found = app && image(app)
  if (!found) return { status: 404, body: `no such path: ${path}\n` }
  if (rest === 'image/id') return { status: 200, body: found.id }
  return json(rest === 'annotations' ? nameValues(found.config.labels) : found.config)
}

/** A signature is bound to the pod: it says "this pod signed this". The key lives as long as the node's agent. */
function sign(key: Buffer, uuid: string, content: string): string {
  return createHmac('sha512', key).update(`${uuid}\0${content}`).digest('base64')
}

function verify(key: Buffer, uuid: string, content: string, signature: string): boolean {
  const expected = Buffer.from(sign(key, uuid, content), 'base64')
  const given = Buffer.from(signature, 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** `pod/hmac/sign` and `pod/hmac/verify`: forms in, a signature or a verdict out. */
export function appcPost(path: string, form: URLSearchParams, key: Buffer, uuid: string): AppcAnswer {
  const content = form.get('content')
  if (path === 'pod/hmac/sign') {
    if (content === null) return { status: 400, body: 'the form needs content\n' }
    return { status: 200, body: sign(key, uuid, content) }
  }
  if (path !== 'pod/hmac/verify') return { status: 404, body: `no such path: ${path}\n` }
  const [signature, signer] = [form.get('signature'), form.get('uuid')]
  if (content === null || signature === null || signer === null)
    return { status: 400, body: 'the form needs content, signature and uuid\n' }
  return verify(key, signer, content, signature)
    ? { status: 200, body: '' }
    : { status: 403, body: 'that pod did not sign this content on this node\n' }
}

function nameValues(map: Readonly<Record<string, string>> | undefined): { name: string; value: string }[] {
  return Object.entries(map ?? {}).map(([name, value]) => ({ name, value }))
}

function withoutManagers({ managedFields: _, ...metadata }: Pod['metadata']): object {
  return metadata
}

function json(value: unknown): AppcAnswer {
  return { status: 200, body: JSON.stringify(value), json: true }
}
