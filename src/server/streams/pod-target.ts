/** Finds the container a stream is about, and the node that has it. */
import type { KubeObject } from '../../api/object.ts'
import { badRequest, unavailable } from '../../api/status.ts'
import type { NodeStreams, PodRef } from '../../api/streams.ts'
import type { Core } from '../core.ts'
import { objectOf } from '../objects/codec.ts'
import type { Resource } from '../registry.ts'
import type { ResourceTarget } from '../request/target.ts'
import { readEntry } from '../verbs/get.ts'

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container'

export interface PodTarget {
  pod: KubeObject
  ref: PodRef
  node: NodeStreams
}

/** Throws 404 for a missing pod, 400 for one without a node, 503 for a node that is not connected. */
export function findPod(core: Core, resource: Resource, target: ResourceTarget): PodTarget {
  const pod = objectOf(readEntry(core, resource, target.namespace, target.name), resource)
  const { name = '', namespace = '', uid } = pod.metadata
  const nodeName: string = pod.spec?.nodeName ?? ''
  if (nodeName === '') throw badRequest(`pod ${name} does not have a host assigned`)
  const node = core.nodes.get(nodeName)
  if (!node) throw unavailable(`node ${JSON.stringify(nodeName)} is not connected to this API server`)
  return { pod, ref: { namespace, name, ...(uid !== undefined && { uid }) }, node }
}

interface Named {
  name: string
}

/** The container asked for, or the only one there is. Throws a 400 that lists the choices. */
export function chooseContainer(pod: KubeObject, asked: string | undefined): string {
  const { name } = pod.metadata
  const containers: Named[] = pod.spec?.containers ?? []
  const initial: Named[] = pod.spec?.initContainers ?? []
  const ephemeral: Named[] = pod.spec?.ephemeralContainers ?? []
  if (asked) {
    if ([...containers, ...initial, ...ephemeral].some((container) => container.name === asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${name}`)
  }
  const annotated = pod.metadata.annotations?.[DEFAULT_CONTAINER]
  if (annotated && containers.some((container) => container.name === annotated)) return annotated
  if (containers.length === 1 && containers[0]) return containers[0].name
  const list = (group: readonly Named[]) => `[${group.map((container) => container.name).join(' ')}]`
  const others = [
    ...(initial.length > 0 ? [` or one of the init containers: ${list(initial)}`] : []),
    ...(ephemeral.length > 0 ? [` or one of the ephemeral containers: ${list(ephemeral)}`] : []),
  ]
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: ${list(containers)}${others.join('')}`)
}
