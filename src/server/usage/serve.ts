/** Serves metrics.k8s.io: its objects are made of what the node agents measure, at the moment they are asked for. */
import type { KubeObject } from '../../api/object.ts'
import { notFound } from '../../api/status.ts'
import { timestamp } from '../../base/clock.ts'
import type { Entry } from '../../store/store.ts'
import type { Core } from '../core.ts'
import { decoded, encode } from '../objects/codec.ts'
import { keyOf, prefixOf } from '../objects/keys.ts'
import type { Resource } from '../registry.ts'
import type { Answer, ApiRequest } from '../request/request.ts'
import { parseSelection } from '../request/selection.ts'
import type { ResourceTarget } from '../request/target.ts'
import type { View } from '../views/view.ts'
import { nodesUsage, podsUsage } from './gather.ts'
import { nodeMetrics, podMetrics } from './objects.ts'

/** `get` or `list` of a resource of the group. */
export async function serveMetrics(
  core: Core,
  request: ApiRequest,
  resource: Resource,
  target: ResourceTarget,
  view: View,
): Promise<Answer> {
  const { contentType } = view
  if (target.verb === 'get') {
    const measured = core.store.get(keyOf(measuredResource(core, target), target.namespace, target.name))
    const shownName = target.namespace ? `${target.namespace}/${target.name}` : target.name
    if (!measured) throw notFound({ group: '', plural: target.plural }, shownName)
    const [object] = await measure(core, target, [measured], request.signal)
    if (!object) throw notFound(resource.name, shownName)
    return { type: 'object', status: 200, contentType, ...view.one(resource, entryOf(object)) }
  }
  const selection = parseSelection(request.query, resource)
  const { entries } = core.store.list(prefixOf(measuredResource(core, target), target.namespace))
  const selected = entries.filter((entry) => selection.matches(entry, resource))
  const objects = await measure(core, target, selected, request.signal)
  return { type: 'object', status: 200, contentType, ...view.list(resource, objects.map(entryOf), {}) }
}

/** The nodes or pods themselves. */
function measuredResource({ registry }: Core, { plural }: ResourceTarget): Resource {
  return registry.lookup('', 'v1', plural)!
}

/** What was measured of these, in their order. */
async function measure(
  core: Core,
  { plural }: ResourceTarget,
  entries: readonly Entry[],
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const objects = entries.map(decoded)
  if (plural === 'nodes') {
    const usage = await nodesUsage(core, objects, signal)
    const now = timestamp(core.clock)
    return objects.flatMap((node) => {
      const found = usage.get(node.metadata.name ?? '')
      return found ? [nodeMetrics(node, found, now)] : []
    })
  }
  const usage = await podsUsage(core, objects, signal)
  const now = timestamp(core.clock)
  return objects.flatMap((pod) => {
    const found = usage.get(pod.metadata.uid ?? '')
    return found ? [podMetrics(pod, found, now)] : []
  })
}

/** As views want to have what they show, though it lies nowhere. */
function entryOf(object: KubeObject): Entry {
  return { key: '', revision: 0, value: encode(object), decoded: object }
}
