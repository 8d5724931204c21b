/** Which subresources are served, and how, by name and verb. */
import { badRequest } from '../../api/status.ts'
import type { Core } from '../core.ts'
import type { Resource } from '../registry.ts'
import type { Answer, ApiRequest } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { get } from '../verbs/get.ts'
import { patch } from '../verbs/patch.ts'
import { update } from '../verbs/update.ts'
import type { View } from '../views/view.ts'
import { bind, createBinding } from './binding.ts'
import { evict } from './eviction.ts'
import { getLog } from './log.ts'
import { getScale, patchScale, updateScale } from './scale.ts'
import { createToken } from './token.ts'

export type Handler = (
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
) => Answer | Promise<Answer>

/** The whole object is read and written; what may change is the subresource's own rule. */
const PART_OF_OBJECT = { get, update, patch }

/** These are served on upgraded connections: see `http/upgrade.ts`. */
const needsUpgrade: Handler = () => {
  throw badRequest('Upgrade request required')
}
const passOn: Handler = async (core, request, resource, target) => {
  const { proxy } = await import('./proxy.ts')
  return proxy(core, request, resource, target)
}
const PROXY = { get: passOn, create: passOn, update: passOn, patch: passOn, delete: passOn }
const STREAM = { get: needsUpgrade, create: needsUpgrade }

export const SUBRESOURCES: Record<string, Record<string, Handler>> = {
  status: PART_OF_OBJECT,
  approval: PART_OF_OBJECT,
  ephemeralcontainers: PART_OF_OBJECT,
  resize: PART_OF_OBJECT,
  finalize: { update },
  scale: { get: getScale, update: updateScale, patch: patchScale },
  binding: { create: bind },
  eviction: { create: evict },
  token: { create: createToken },
  log: { get: getLog },
  exec: STREAM,
  attach: STREAM,
  portforward: STREAM,
  proxy: PROXY,
}

/** Resources that are posted to and never stored, by group and plural. */
export const POSTED: Record<string, Handler> = {
  '/bindings': createBinding,
}
