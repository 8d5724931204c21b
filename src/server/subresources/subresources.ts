/** Which subresources are served, and how, by name and verb. */
import type { Core } from '../core.ts'
import type { Resource } from '../registry.ts'
import type { Answer, ApiRequest } from '../request/request.ts'
import type { ResourceTarget } from '../request/target.ts'
import { get } from '../verbs/get.ts'
import { patch } from '../verbs/patch.ts'
import { update } from '../verbs/update.ts'
import type { View } from '../views/view.ts'

export type Handler = (
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
) => Answer | Promise<Answer>

export const SUBRESOURCES: Record<string, Record<string, Handler>> = {
  status: { get, update, patch },
}
