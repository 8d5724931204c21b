/** What all nodes of a process read from: watches, and the writer of their events. */
import { hostname } from 'node:os'
import type { EndpointSlice, Node, Pod, Service } from '../api/types.ts'
import { endpointSlices, nodes, pods, services } from '../client/resources.ts'
import { createEventRecorder, type EventRecorder } from '../reconcile/index.ts'
import { createInformer, type Informer } from '../watch/index.ts'
import { createLimit } from './limit.ts'
import type { SharedNodeOptions } from './node-options.ts'
import { Dependents } from './sources/dependents.ts'
import { createObjectWatches, type ObjectWatches } from './sources/object-watches.ts'
import { createPodFeed, type PodFeed } from './sources/pod-feed.ts'

/** Status requests under way at a time in one process; more together make larger commits, but also longer queues. */
const PARALLEL_STATUS_WRITES = 64

export interface NodeSources {
  readonly pods: PodFeed
  readonly services: Informer<Service>
  /** Watched from the first call on. */
  readonly slices: () => Informer<EndpointSlice>
  readonly nodes: Informer<Node>
  readonly dependents: Dependents
  readonly watches: ObjectWatches
  readonly recorder: EventRecorder
  limitStatus<T>(work: () => Promise<T>): Promise<T>
  whenSynced(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export function createNodeSources(shared: SharedNodeOptions, names: readonly string[]): NodeSources {
  const { client, clock, log, informers } = shared
  const stop = new AbortController()
  const base = { client, clock, log, signal: stop.signal }
  const [only] = names
  const own = names.length === 1 && only
  const podInformer: Informer<Pod> =
    informers?.get(pods) ??
    createInformer<Pod>({ ...base, resource: pods, ...(own && { fieldSelector: `spec.nodeName=${own}` }) })
  const nodeInformer: Informer<Node> =
    informers?.get(nodes) ??
    createInformer<Node>({ ...base, resource: nodes, ...(own && { fieldSelector: `metadata.name=${own}` }) })
  const serviceInformer: Informer<Service> = informers?.get(services) ?? createInformer<Service>({ ...base, resource: services })
  let slices: Informer<EndpointSlice> | undefined
  return {
    pods: createPodFeed(podInformer),
    nodes: nodeInformer,
    services: serviceInformer,
    slices: () => {
      slices ??= informers?.get(endpointSlices) ?? createInformer<EndpointSlice>({ ...base, resource: endpointSlices })
      return slices
    },
    dependents: new Dependents(podInformer, serviceInformer),
    watches: createObjectWatches(base),
    recorder: createEventRecorder({ client, clock, log, instance: only ?? hostname() }),
    limitStatus: createLimit(PARALLEL_STATUS_WRITES),
    async whenSynced(signal) {
      await Promise.all([podInformer, nodeInformer, serviceInformer].map((informer) => informer.whenSynced(signal)))
    },
    async close() {
      stop.abort()
    },
  }
}
