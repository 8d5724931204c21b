/** Making pods on a node and waiting for what becomes of them. */
import type { Event, Pod, PodSpec } from '../../../src/api/types.ts'
import { events, pods } from '../../../src/client/resources.ts'
import type { ControlPlane } from './control-plane.ts'

const PATIENCE_MS = 5_000

export interface PodWorld {
  run(name: string, spec: Partial<PodSpec>, metadata?: Partial<Pod['metadata']>): Promise<Pod>
  get(name: string): Promise<Pod>
  /** Resolves with the pod once it is as asked; rejects with its last status after a while. */
  until(name: string, holds: (pod: Pod) => boolean): Promise<Pod>
  untilGone(name: string): Promise<Pod>
  /** `reason: message` of a pod's events, in no particular order. */
  events(name: string): Promise<string[]>
}

export function podWorld(plane: ControlPlane, nodeName = 'n1'): PodWorld {
  const { client } = plane
  const selection = (name: string) => ({ namespace: 'default', fieldSelector: `metadata.name=${name}` })

  async function watch<T>(name: string, look: (pod: Pod | undefined, last: Pod | undefined) => T | undefined): Promise<T> {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(new Error('timed out')), PATIENCE_MS)
    let last: Pod | undefined
    try {
      const list = await client.list(pods, selection(name))
      last = list.items[0]
      const first = look(last, last)
      if (first !== undefined) return first
      const { resourceVersion } = list.metadata
      for await (const batch of client.watch(pods, { ...selection(name), resourceVersion, signal: stop.signal })) {
        for (const { type, object } of batch) {
          const found = look(type === 'DELETED' ? undefined : object, object)
          last = object
          if (found !== undefined) return found
        }
      }
    } finally {
      clearTimeout(timer)
      stop.abort()
    }
    throw new Error(`pod ${name} did not become as expected: ${JSON.stringify(last?.status, undefined, 1)}`)
  }

  return {
    run: (name, spec, metadata = {}) =>
      client.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', ...metadata },
        spec: { nodeName, automountServiceAccountToken: false, containers: [{ name: 'web', image: 'web:1' }], ...spec },
      }),
    get: (name) => client.get(pods, name, { namespace: 'default' }),
    until: (name, holds) => watch(name, (pod) => (pod && holds(pod) ? pod : undefined)),
    untilGone: (name) => watch(name, (pod, last) => (pod ? undefined : (last ?? ({ metadata: { name } } as Pod)))),
    async events(name) {
      const list = await client.list(events, { namespace: 'default' })
      const own = (list.items as Event[]).filter((event) => event.involvedObject.name === name)
      return own.map(({ reason, message }) => `${reason}: ${message}`)
    },
  }
}

/** A container's state in one word: its reason, or `Running`. */
export function stateOf(pod: Pod, name = 'web'): string {
  const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const state = all.find((status) => status.name === name)?.state
  return state?.running ? 'Running' : (state?.waiting?.reason ?? state?.terminated?.reason ?? 'none')
}

export function conditionOf(pod: Pod, type: string): string | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type)?.status
}
