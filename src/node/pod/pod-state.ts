/** Everything the agent holds about one pod. The worker owns it; the actions work on it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret } from '../../api/types.ts'
import { environmentReferences } from '../env/references.ts'
import type { PodJobs, PodMemory } from '../plan/types.ts'
import type { ContainerProbes } from '../probe/container-probes.ts'
import type { ImageState, SandboxState } from '../runtime/runtime.ts'
import type { ObjectWatch, WatchedKind } from '../sources/object-watches.ts'
import { StatusWriter } from '../status/status-writer.ts'
import { type FieldsNow, PodVolumes } from '../volume/pod-volumes.ts'
import { volumeReferences } from '../volume/references.ts'
import { createPodTokens, type PodTokens } from '../volume/token.ts'
import type { NodeContext } from './context.ts'
import { FirstAttaches } from './first-attach.ts'
import type { Notifying } from './notifying.ts'
import { type Wishes, wishesOf } from './wishes.ts'

export class PodState {
  pod: Pod
  readonly uid: string
  readonly context: NodeContext
  readonly memory: PodMemory
  readonly jobs: PodJobs = { stopping: {} }
  sandboxes: readonly SandboxState[] = []
  readonly volumes: PodVolumes
  readonly tokens: PodTokens
  readonly status: StatusWriter
  /** Probes under way, by container id. */
  readonly probes = new Map<string, ContainerProbes>()
  /** Images made present, by container name. */
  readonly images = new Map<string, ImageState>()
  /** Who waits to be attached to a container that has not started. */
  readonly attaches: FirstAttaches
  /** Containers of this pod that notify, by name. */
  readonly notifying = new Map<string, Notifying>()
  /** What its annotations ask for. */
  readonly wishes: Wishes
  /** Has the pod looked at. */
  readonly wake: () => void
  /** Failures in a row of what a pod needs before its containers, and of its removal. */
  setupFailures = 0
  private readonly watches = new Map<string, ObjectWatch>()
  private readonly onObjectChange: () => void

  /** `onObjectChange` is called when an object that the pod names has changed, `wake` when the pod is to be looked at. */
  constructor(pod: Pod, context: NodeContext, onObjectChange: () => void, wake: () => void) {
    this.pod = pod
    this.uid = pod.metadata.uid ?? ''
    this.context = context
    this.onObjectChange = onObjectChange
    this.wake = wake
    this.wishes = wishesOf(pod)
    this.attaches = new FirstAttaches((container, attached) => {
      this.memory.containers[container] = { ...this.memory.containers[container], attached }
      wake()
    })
    this.tokens = createPodTokens(context.client, context.clock)
    const directory = join(context.podsDirectory, this.uid, 'volumes')
    this.volumes = new PodVolumes({
      directory,
      lookup: {
        configMap: (namespace, name) => this.configMap(namespace, name),
        secret: (namespace, name) => this.secret(namespace, name),
        claim: (namespace, name) => this.look('PersistentVolumeClaim', namespace, name) as PersistentVolumeClaim | undefined,
        persistentVolume: (name) => this.look('PersistentVolume', '', name) as PersistentVolume | undefined,
      },
      tokens: this.tokens,
      clock: context.clock,
      writes: context.writesFiles,
    })
    const { client, clock, log, signal, limitStatus } = context
    this.status = new StatusWriter(pod, { client, clock, log, signal, limit: limitStatus })
    const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    this.memory = {
      acceptedAtMs: pod.status?.startTime ? Date.parse(pod.status.startTime) : context.clock.now(),
      // Volumes of a finished pod may have outlived an earlier agent.
      volumesReady: over && context.writesFiles && existsSync(directory),
      nextSandbox: 0,
      ...(over && { finished: true }),
      containers: {},
      health: {},
      timeouts: this.wishes.timeouts,
      preStarts: this.wishes.preStarts,
    }
  }

  /** Begins to watch what the pod names, and waits until it is known. */
  async watchReferences(signal: AbortSignal): Promise<void> {
    const namespace = this.pod.metadata.namespace ?? ''
    for (const { kind, name } of [...environmentReferences(this.pod), ...volumeReferences(this.pod)])
      this.watch(kind, namespace, name)
    await Promise.all([...this.watches.values()].map((watch) => watch.whenSynced(signal)))
    // Volumes are named by claims, so they can only be watched once those are known.
    for (const { kind, name } of volumeReferences(this.pod)) {
      if (kind !== 'PersistentVolumeClaim') continue
      const volume = (this.look(kind, namespace, name) as PersistentVolumeClaim | undefined)?.spec?.volumeName
      if (volume) await this.watch('PersistentVolume', '', volume).whenSynced(signal)
    }
  }

  /** Secrets with registry credentials: the pod's own (the API server has put its account's there). */
  async pullSecrets(signal: AbortSignal): Promise<Secret[]> {
    const namespace = this.pod.metadata.namespace ?? ''
    const names = (this.pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => name ?? [])
    const watches = names.map((name) => this.watch('Secret', namespace, name))
    await Promise.all(watches.map((watch) => watch.whenSynced(signal)))
    return watches.flatMap((watch) => (watch.current as Secret | undefined) ?? [])
  }

  configMap(namespace: string, name: string): ConfigMap | undefined {
    return this.look('ConfigMap', namespace, name) as ConfigMap | undefined
  }

  secret(namespace: string, name: string): Secret | undefined {
    return this.look('Secret', namespace, name) as Secret | undefined
  }

  fields(): FieldsNow {
    const sandbox = this.sandboxes[0]
    const { hostAddress, allocatable } = this.context
    const ip = sandbox ? sandbox.ip || hostAddress : this.pod.status?.podIP
    return { podIps: ip ? [ip] : [], hostIps: [hostAddress], allocatable }
  }

  releaseWatches(): void {
    for (const watch of this.watches.values()) watch.release()
    this.watches.clear()
  }

  stopProbes(): void {
    for (const probes of this.probes.values()) probes.stop()
    this.probes.clear()
  }

  private look(kind: WatchedKind, namespace: string, name: string): object | undefined {
    return this.watch(kind, namespace, name).current
  }

  private watch(kind: WatchedKind, namespace: string, name: string): ObjectWatch {
    const key = `${kind}/${namespace}/${name}`
    let watch = this.watches.get(key)
    if (!watch) {
      watch = this.context.watches.acquire(kind, namespace, name, this.onObjectChange)
      this.watches.set(key, watch)
    }
    return watch
  }
}
