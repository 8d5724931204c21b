/** The inside of a node: which workers there are, what they share, and how it all starts and stops. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { NodeStreams, PodRef } from '../api/streams.ts'
import type { Pod, Service } from '../api/types.ts'
import { relatedThrough } from '../client/related.ts'
import { MetadataService } from './metadata/metadata-service.ts'
import type { NodeOptions, SharedNodeOptions } from './node-options.ts'
import type { NodeSources } from './node-sources.ts'
import type { NodeContext, PodEvent } from './pod/context.ts'
import type { PodState } from './pod/pod-state.ts'
import { PodWorker } from './pod/pod-worker.ts'
import type { SandboxState } from './runtime/runtime.ts'
import { Admission } from './self/admission.ts'
import { machineIdentity } from './self/machine.ts'
import { capacityOf, type NodeDescription, nodeObject } from './self/node-object.ts'
import { Registration } from './self/registration.ts'
import { SandboxView } from './sources/sandbox-view.ts'
import { SpamFilter } from './spam-filter.ts'
import { createStreams } from './streams.ts'
import { UsageMeter } from './usage/usage-meter.ts'
import { removeTree } from './volume/pod-volumes.ts'

const COMPONENT = 'kubelet'
const DEFAULT_VERSION = 'v1.36.0'
const DEFAULT_DOMAIN = 'cluster.local'
/** The runtime tells of changes; this look finds those it missed. */
const RELIST_MS = 60_000

export class NodeAgent {
  readonly streams: NodeStreams
  private readonly options: NodeOptions
  private readonly shared: SharedNodeOptions
  private readonly sources: NodeSources
  private readonly context: NodeContext
  private readonly registration: Registration
  private readonly workers = new Map<string, PodWorker>()
  private readonly stopping = new AbortController()
  private readonly changeListeners = new Set<(sandboxId: string) => void>()
  private readonly spam: SpamFilter
  private readonly metadata: MetadataService | undefined
  private readonly meter: UsageMeter
  private unsubscribe = () => {}
  private cancelRelist = () => {}

  constructor(options: NodeOptions, shared: SharedNodeOptions, sources: NodeSources) {
    this.options = options
    this.shared = shared
    this.sources = sources
    this.spam = new SpamFilter(shared.clock)
    const description = describe(options, shared)
    this.metadata = metadataService(options, shared, sources)
    this.context = this.createContext(description)
    const { client, clock, log } = shared
    this.registration = new Registration({ client, clock, log, description, inventory: options.runtime.inventory })
    this.meter = new UsageMeter(this.context)
    this.streams = createStreams({
      context: this.context,
      meter: this.meter,
      find: (pod) => this.find(pod),
      onChange: (listener) => {
        this.changeListeners.add(listener)
        return () => this.changeListeners.delete(listener)
      },
    })
  }

  async start(): Promise<void> {
    const { runtime } = this.options
    const { signal } = this.stopping
    if (this.context.writesFiles) await mkdir(this.context.podsDirectory, { recursive: true, mode: 0o700 })
    await Promise.all([runtime.recover(), this.sources.whenSynced(signal)])
    await this.registration.start()
    if (signal.aborted) return
    this.greet()
    const present = await this.context.sandboxes.fresh()
    runtime.onChange((sandboxId) => this.runtimeChanged(sandboxId))
    this.adopt(present)
    await this.removeLeftovers(present)
    this.scheduleRelist()
  }

  async stop({ remove = false, farewell = true }: { remove?: boolean; farewell?: boolean }): Promise<void> {
    this.stopping.abort(new Error('the node agent stops'))
    this.unsubscribe()
    this.cancelRelist()
    this.meter.stop()
    await this.registration.stop(farewell)
    const workers = [...this.workers.values()]
    await Promise.all(workers.map((worker) => worker.close()))
    this.workers.clear()
    if (remove) await this.removeInOrder(workers.map(({ state }) => state))
    await this.metadata?.stop()
    await this.options.runtime.close({ remove })
    if (remove && this.context.writesFiles) await removeTree(this.context.podsDirectory)
  }

  /** What ends with this process ends in the order of stopping, too: dependents first. The runtime's own end has the rest. */
  private async removeInOrder(states: readonly PodState[]): Promise<void> {
    const { dependents, runtime } = this.context
    const left = new Map(states.filter(({ sandboxes }) => sandboxes.length > 0).map((state) => [state.uid, state]))
    const waitsFor = new Map<PodState, readonly string[]>()
    for (const state of left.values())
      waitsFor.set(
        state,
        dependents.of(state.pod).map(({ metadata }) => metadata.uid ?? ''),
      )
    if ([...waitsFor.values()].every((uids) => uids.length === 0)) return
    while (left.size > 0) {
      const free = [...left.values()].filter((state) => waitsFor.get(state)!.every((uid) => !left.has(uid)))
      if (free.length === 0) return
      await Promise.all(free.flatMap(({ sandboxes }) => sandboxes.map(({ id }) => runtime.removeSandbox(id))))
      for (const { uid } of free) left.delete(uid)
    }
  }

  private createContext(description: NodeDescription): NodeContext {
    const { options, shared, sources } = this
    const { runtime } = options
    const allocatable = capacityOf(description)
    const admission = new Admission(() => sources.nodes.store.get(options.name) ?? nodeObject(description), allocatable)
    return {
      client: shared.client,
      clock: shared.clock,
      log: shared.log.named(`node ${options.name}`),
      runtime,
      nodeName: options.name,
      podsDirectory: join(options.dataDirectory, 'pods'),
      hostAddress: description.address,
      runtimeName: runtime.info.version.split(':')[0] ?? runtime.name,
      allocatable,
      clusterDns: shared.clusterDns ?? [],
      clusterDomain: shared.clusterDomain ?? DEFAULT_DOMAIN,
      apiServer: shared.apiServer,
      writesFiles: runtime.info.isolation !== 'simulated',
      metadata: this.metadata,
      watches: sources.watches,
      sandboxes: new SandboxView(runtime),
      dependents: sources.dependents,
      related: relatedThrough(shared.client),
      isCordoned: () => sources.nodes.store.get(options.name)?.spec?.unschedulable === true,
      signal: this.stopping.signal,
      services: (namespace) => servicesFor(namespace, sources),
      event: (pod, event) => this.record(pod, event),
      limitStatus: (work) => sources.limitStatus(work),
      admit: (pod, here) => admission.admit(pod, here),
      release: (uid) => admission.release(uid),
    }
  }

  private greet(): void {
    // A Node's events name it by its name in place of its uid, as kubelets write them.
    const { name } = this.options
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, uid: name } }
    this.sources.recorder.record(node, {
      type: 'Normal',
      reason: 'Starting',
      message: 'Starting kubelet.',
      source: COMPONENT,
      host: name,
    })
  }

  private record(pod: Pod, { type, reason, message, container }: PodEvent): void {
    if (!this.spam.allows(pod.metadata.uid ?? '')) return
    const list = listOf(pod, container)
    this.sources.recorder.record(
      { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata },
      {
        type,
        reason,
        message,
        source: COMPONENT,
        host: this.options.name,
        ...(container && { fieldPath: `spec.${list}{${container}}` }),
      },
    )
  }

  /** Takes on every pod that is bound here, oldest first, and from then on follows the changes. */
  private adopt(present: ReadonlyMap<string, SandboxState[]>): void {
    const { name } = this.options
    const bound = [...this.sources.pods.list(name)].sort((a, b) => age(a) - age(b))
    for (const pod of bound) this.take(pod, present.has(pod.metadata.uid ?? '') || pod.status?.startTime !== undefined)
    this.unsubscribe = this.sources.pods.subscribe(name, (pod, old) => this.podChanged(pod, old))
  }

  private podChanged(pod: Pod | undefined, old: Pod | undefined): void {
    if (old && old.metadata.uid !== pod?.metadata.uid) this.workers.get(old.metadata.uid ?? '')?.gone()
    if (!pod) return
    const worker = this.workers.get(pod.metadata.uid ?? '')
    if (worker) worker.update(pod)
    else this.take(pod, false)
  }

  private take(pod: Pod, adopted: boolean): void {
    const uid = pod.metadata.uid ?? ''
    const worker = new PodWorker(pod, this.context, { adopted, onForgotten: () => this.forget(uid) })
    this.workers.set(uid, worker)
    worker.wake()
  }

  private forget(uid: string): void {
    this.workers.delete(uid)
    this.spam.forget(uid)
  }

  /** What the runtime and the disk still have of pods that the API no longer knows. */
  private async removeLeftovers(present: ReadonlyMap<string, SandboxState[]>): Promise<void> {
    const { runtime } = this.options
    const { log, podsDirectory, writesFiles } = this.context
    for (const [uid, sandboxes] of present) {
      if (this.workers.has(uid)) continue
      for (const { id, namespace, name } of sandboxes) {
        log.info('removing a pod that is no longer known', { pod: `${namespace}/${name}` })
        await runtime.removeSandbox(id)
      }
    }
    if (!writesFiles) return
    for (const uid of await readdir(podsDirectory)) {
      if (!this.workers.has(uid)) await removeTree(join(podsDirectory, uid))
    }
  }

  private runtimeChanged(sandboxId: string): void {
    const uid = this.context.sandboxes.uidOf(sandboxId)
    if (uid !== undefined) this.workers.get(uid)?.wake()
    for (const listener of this.changeListeners) listener(sandboxId)
  }

  private scheduleRelist(): void {
    const relist = () => {
      for (const worker of this.workers.values()) worker.wake()
      this.scheduleRelist()
    }
    this.cancelRelist = this.shared.clock.after(RELIST_MS, relist, { unref: true })
  }

  private find({ namespace, name, uid }: PodRef): PodState | undefined {
    let found: PodState | undefined
    for (const { state } of this.workers.values()) {
      const { metadata } = state.pod
      if (metadata.namespace !== namespace || metadata.name !== name || (uid && metadata.uid !== uid)) continue
      // A pod of the same name that is on its way out gives way to the one that is there.
      if (!found || found.memory.gone) found = state
    }
    return found
  }
}

/** Pods whose containers are no processes have nobody who could ask. */
function metadataService(options: NodeOptions, shared: SharedNodeOptions, sources: NodeSources): MetadataService | undefined {
  const { runtime, name } = options
  if (runtime.info.isolation === 'simulated') return undefined
  const { nodes, services, slices, watches } = sources
  return new MetadataService({
    ...{ nodes, services, slices, watches, nodeName: name, clock: shared.clock, network: runtime.network },
    clusterDomain: shared.clusterDomain ?? DEFAULT_DOMAIN,
    listenInside: async (sandboxId, address, port) => runtime.listenInside?.(sandboxId, address, port),
  })
}

function describe(options: NodeOptions, shared: SharedNodeOptions): NodeDescription {
  const { runtime } = options
  return {
    name: options.name,
    labels: options.labels ?? {},
    annotations: options.annotations ?? {},
    info: runtime.info,
    address: options.address ?? runtime.network.nodeAddress,
    hostname: options.hostname ?? options.name,
    podCidr: runtime.network.podCidr,
    maxPods: options.maxPods,
    machine: machineIdentity(),
    version: shared.version ?? DEFAULT_VERSION,
    port: shared.port ?? 0,
  }
}

function servicesFor(namespace: string, { services: { store } }: NodeSources): readonly Service[] {
  const own = store.list(namespace)
  const master = namespace === 'default' ? undefined : store.get('default/kubernetes')
  return master ? [...own, master] : own
}

/** The list of the spec that a container is in, as events name it. */
function listOf(pod: Pod, container: string | undefined): string {
  if (pod.spec?.initContainers?.some((c) => c.name === container)) return 'initContainers'
  return pod.spec?.ephemeralContainers?.some((c) => c.name === container) ? 'ephemeralContainers' : 'containers'
}

function age(pod: Pod): number {
  return Date.parse(pod.metadata.creationTimestamp ?? '') || 0
}
