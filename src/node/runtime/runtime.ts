/**
 * What the node agent needs of a container runtime; the CRI's nouns with the wire left out. Implementations: `local`
 * (own namespaces on this host), `simulated` (pods that only have a lifecycle), later `cri`. Knows no API object.
 */
import type { Server } from 'node:net'
import type { PodNetwork } from '../../api/pod-network.ts'
import type { AttachOptions, PortConnection, ProcessHandle, ProcessIo } from '../../api/streams.ts'
import type { RegistryCredential } from '../../registry/credentials.ts'

export interface Runtime {
  readonly name: string
  /** What this runtime can and cannot do on this host; shown by `skiff status` and written on the Node. */
  readonly info: RuntimeInfo
  /** Takes stock of what an earlier process left: running sandboxes are adopted, broken ones removed. Called once, first. */
  recover(): Promise<void>
  /** Everything that exists, running or not. Cheap: called at every relist. */
  list(): Promise<SandboxState[]>
  /** Called whenever a container or sandbox changed state. A hint to look, not the truth. */
  onChange(listener: (sandboxId: string) => void): void

  createSandbox(config: SandboxConfig, signal?: AbortSignal): Promise<SandboxState>
  /**
   * Kills whatever still runs in it and frees its address, namespaces, mounts and files. Idempotent.
   * The log directory is the agent's and stays: logs of finished pods are read after their sandbox is gone.
   */
  removeSandbox(sandboxId: string): Promise<void>

  /**
   * Creates and starts. Streams that are given are joined before the process runs and so miss nothing; a runtime that
   * cannot do that leaves them alone. Throws RuntimeError.
   */
  startContainer(sandboxId: string, config: ContainerConfig, attach?: FirstAttach): Promise<ContainerState>
  /** SIGTERM (or the image's stop signal), then SIGKILL after the grace. Resolves when it has ended. */
  stopContainer(containerId: string, graceMs: number): Promise<void>
  /** Sends a signal to the container's process; one that has ended gets none. Throws RuntimeError where that cannot be done. */
  signalContainer(containerId: string, signal: NodeJS.Signals): Promise<void>
  /** Removes an ended container and its writable layer; its log is kept unless `logs`. */
  removeContainer(containerId: string, options?: { logs?: boolean }): Promise<void>

  /** Makes the image present. Throws RuntimeError with reason `ErrImagePull`, `ErrImageNeverPull` or `InvalidImageName`. */
  ensureImage(
    image: string,
    policy: 'Always' | 'IfNotPresent' | 'Never',
    signal?: AbortSignal,
    credentials?: readonly RegistryCredential[],
  ): Promise<ImageState>

  exec(containerId: string, options: RuntimeExec, io: ProcessIo, signal: AbortSignal): Promise<ProcessHandle>
  attach(containerId: string, options: AttachOptions, io: ProcessIo, signal: AbortSignal): Promise<ProcessHandle>
  portForward(sandboxId: string, port: number, signal: AbortSignal): Promise<PortConnection>
  /** What the sandbox's containers use. Costs nothing while nobody asks. */
  stats(sandboxId: string): Promise<SandboxStats>
  /** What the whole machine uses. */
  hostStats(): Promise<HostStats>
  /**
   * Listens at one of the sandbox's `loopbackAddresses`, so that only its own containers reach it. The listener is the
   * caller's to close, before the sandbox is removed. `undefined` for a sandbox without a network of its own.
   */
  listenInside?(sandboxId: string, address: string, port: number): Promise<Server | undefined>
  /**
   * Answers a probe in the container's stead, for a runtime whose containers are no processes. Where it is absent the
   * agent runs the probe itself.
   */
  probe?(containerId: string, kind: 'startup' | 'readiness' | 'liveness'): Promise<{ ok: boolean; message: string }>
  /** The container's log, for a runtime that writes no log files (`logPath` is empty there). */
  logLines?(containerId: string): readonly LogLine[]
  /**
   * Ends the agent's hold on the runtime. With `remove` everything it runs is stopped and removed; without it
   * containers go on running and a later `recover` adopts them where the runtime can do that.
   */
  close(options: { remove: boolean }): Promise<void>
  /** The network its pods live in. */
  readonly network: PodNetwork
  /** The images that are here; absent where there is no store of them. */
  readonly inventory?: RuntimeInventory | undefined
}

export interface RuntimeInventory {
  /** Cheap: asked at every heartbeat. */
  list(): Promise<readonly InventoryItem[]>
  /** Calls `listener` when the list may have changed, by whichever process; the returned function ends that. */
  onChange(listener: () => void): () => void
}

export interface InventoryItem {
  /** `repo@digest` and `repo:tag`, full names; what a tag means comes first. */
  names: readonly string[]
  sizeBytes: number
}

export interface RuntimeInfo {
  /** e.g. `skiff-local://0.1.0`. */
  version: string
  /** `namespaces` (full isolation), `process` (plain processes: no own address, host files) or `simulated`. */
  isolation: 'namespaces' | 'process' | 'simulated'
  /** One sentence for people when isolation is less than full, naming what is missing. */
  notice?: string
  operatingSystem: string
  osImage: string
  kernelVersion: string
  /** `amd64`, `arm64`, … */
  architecture: string
  capacity: { cpuCores: number; memoryBytes: number; storageBytes: number; pods: number }
}

export interface SandboxConfig {
  /** The pod's uid; the sandbox id is derived from it and `attempt`. */
  uid: string
  attempt: number
  name: string
  namespace: string
  hostname: string
  labels: Record<string, string>
  /** The pod's annotations. */
  annotations?: Record<string, string>
  /** The pod's name in the cluster domain, for /etc/hosts; pods with a subdomain have one. */
  fqdn?: string
  hostNetwork: boolean
  /** Further addresses of its loopback interface, where it has one of its own. */
  loopbackAddresses?: readonly string[]
  hostPid?: boolean
  hostIpc?: boolean
  /** Lines for /etc/resolv.conf; absent: the host's. */
  dns?: { nameservers: string[]; searches: string[]; options: string[] }
  hostAliases?: { ip: string; hostnames: string[] }[]
  sysctls?: Record<string, string>
  shareProcessNamespace?: boolean
  /** Where the sandbox's logs go: `<logDirectory>/<container>/<attempt>.log` in CRI format. */
  logDirectory: string
}

export interface SandboxState {
  id: string
  uid: string
  name: string
  namespace: string
  attempt: number
  labels: Record<string, string>
  state: 'Ready' | 'NotReady'
  /** Empty for host network: the node's address is meant. */
  ip: string
  createdAtMs: number
  containers: ContainerState[]
}

export interface ContainerConfig {
  name: string
  /** Counts restarts, from 0. */
  attempt: number
  /** What `ensureImage` answered as `id`. */
  imageId: string
  image: string
  /** Absent: the image's own. As in Kubernetes: `command` replaces the entrypoint and drops the image's arguments. */
  command?: readonly string[]
  args?: readonly string[]
  workingDir?: string
  env: readonly { name: string; value: string }[]
  mounts: readonly Mount[]
  labels: Record<string, string>
  stdin: boolean
  stdinOnce: boolean
  tty: boolean
  user?: { uid: number; gid?: number; supplementalGroups?: number[] }
  /** Further groups of the image's own user, when `user` is absent. */
  supplementalGroups?: number[]
  /** The image's user must not be root. */
  runAsNonRoot?: boolean
  privileged?: boolean
  readOnlyRootFilesystem?: boolean
  capabilities?: { add: string[]; drop: string[] }
  noNewPrivileges?: boolean
  resources?: {
    cpuShares?: number
    cpuQuotaMs?: { quota: number; period: number }
    memoryLimitBytes?: number
    pidsLimit?: number
    /** What was asked for, where nothing runs that would use anything. */
    requested?: { cpuMillis: number; memoryBytes: number }
  }
  oomScoreAdj?: number
}

export interface Mount {
  hostPath: string
  containerPath: string
  readOnly: boolean
  propagation?: 'None' | 'HostToContainer' | 'Bidirectional'
}

export interface ContainerState {
  id: string
  name: string
  attempt: number
  image: string
  /** The digest form, as pods' status shows it. */
  imageId: string
  /** `Exited` is said once everything the container wrote is in its log. */
  state: 'Created' | 'Running' | 'Exited'
  startedAtMs?: number
  finishedAtMs?: number
  exitCode?: number
  /** Set when a signal ended it. */
  signal?: number
  /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, … */
  reason?: string
  message?: string
  logPath: string
  labels: Record<string, string>
}

export interface ImageState {
  /** `sha256:…` of the image's config. */
  id: string
  /** `repo@sha256:…` where known. */
  digest?: string
  tags: string[]
  sizeBytes: number
  /** What the image says of itself. */
  config: ImageConfig
}

export interface ImageConfig {
  user?: string
  env: string[]
  entrypoint: string[]
  cmd: string[]
  workingDir: string
  stopSignal?: string
  labels: Record<string, string>
  exposedPorts: string[]
  volumes: string[]
}

/** Who attaches to a container before it starts. */
export interface FirstAttach {
  readonly io: ProcessIo
  readonly signal: AbortSignal
  /** Called once, as soon as the streams are joined. */
  joined(handle: ProcessHandle): void
}

export interface RuntimeExec extends AttachOptions {
  command: readonly string[]
}

export interface SandboxStats {
  timestampMs: number
  /** Those that run. */
  containers: (Stats & { id: string; name: string })[]
}

export interface Stats {
  startedAtMs: number
  /** All CPU time since the start. */
  cpuNanoSeconds: number
  /** The present rate, for a runtime that knows it; otherwise it is reckoned from two looks at `cpuNanoSeconds`. */
  cpuNanoCores?: number
  /** The working set: what could not be given back without harm. */
  memoryBytes: number
}

export interface HostStats extends Stats {
  timestampMs: number
  memoryAvailableBytes: number
}

export interface LogLine {
  timeMs: number
  stream: 'stdout' | 'stderr'
  /** Without the newline. */
  text: string
}

/** Why the runtime could not do something; `reason` is what the container's waiting state shows. */
export class RuntimeError extends Error {
  override name = 'RuntimeError'
  readonly reason: string
  constructor(reason: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}
