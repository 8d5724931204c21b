/** What the commands need of the machine's own cluster. The program's entry implements it: this folder may not know the cluster. */
import type { Io } from './io.ts'
import type { Driver } from './roll-pace.ts'

export type RuntimeName = 'local' | 'simulated' | 'none'

export interface DataDirectoryOptions {
  /** Absent: $SKIFF_DATA_DIR, else the user's XDG data home. */
  dataDir?: string | undefined
}

export interface UpOptions extends DataDirectoryOptions {
  /** Keeps the API objects in memory only; images and pod files lie in the data directory all the same. */
  inMemory: boolean
  /** Absent: the usual one, or a free one where that is taken. */
  port?: number | undefined
  /** A file of its own for the access; absent: a context is added to the user's kubeconfig. */
  kubeconfig?: string | undefined
  runtime: RuntimeName
  nodes: number
  controllers: boolean
  /** Off: the server is a stock one. */
  extensions: boolean
  /** What holds for namespaces that do not say whether images are pinned. */
  pinImages: 'require' | 'warn' | 'off'
  /** Leaves the cluster running in a process of its own and returns when it is ready. */
  detach: boolean
  /** What is particular about the API server. */
  apiServer?: ApiServerFiles | undefined
}

export interface ApiServerFiles {
  /** Bearer tokens, a line each. */
  tokenFile?: string | undefined
  /** Where audit events are appended, a JSON document a line. */
  auditLog?: string | undefined
  /** An audit policy in YAML; the metadata of all requests without it. */
  auditPolicy?: string | undefined
  /** The ConfigMap whose `service-ca.crt` goes into every token volume. */
  serviceCaConfigMap?: string | undefined
}

export interface UpReport {
  /** From the start of the process to a ready cluster. */
  readyMs: number
  server: string
  contextName: string
  kubeconfig: string
  /** Set when the cluster runs in another process than this one. */
  detachedPid?: number | undefined
  /** What the user should know, such as a runtime without isolation; a line each. */
  notes?: readonly string[] | undefined
}

export interface ClusterStatus {
  dataDir: string
  /** Undefined when no cluster runs on that directory. */
  running?: { pid: number; server: string; startedAt: string; contextName: string; version: string } | undefined
}

export interface BuildOptions {
  directory: string
  /** `NAME:TAG` */
  tag: string
  /** One string, split at spaces and quotes as a shell would; the pod's `args` follow it. */
  entrypoint: string
  env: readonly string[]
  workingDirectory?: string | undefined
}

export interface ImageSummary {
  /** `repo:tag` */
  name: string
  digest: string
  sizeBytes: number
  /** RFC 3339. */
  createdAt?: string | undefined
}

/** The image store of a data directory. Every call throws an Error whose message is one line for the user. */
export interface ImageCommands {
  build(options: BuildOptions): Promise<ImageSummary>
  /** Reads an OCI or Docker archive; answers what was in it. */
  load(file: string): Promise<readonly ImageSummary[]>
  save(name: string, file: string): Promise<void>
  list(): Promise<readonly ImageSummary[]>
  remove(name: string): Promise<void>
}

export interface ExtendOptions {
  host: string
  /** 0 takes a free one. */
  port: number
  /** How the API server reaches it; absent: at its own address. */
  service?: { namespace: string; name: string }
  pinImages: 'off' | 'warn' | 'require'
  kubeconfig?: string | undefined
  context?: string | undefined
}

export interface ExtendReport {
  /** Of the cluster it extends. */
  server: string
  port: number
}

export interface ExtendCommands {
  /** Runs until the signal of `io` aborts. Calls `ready` once, when the cluster asks it. Answers the exit code. */
  serve(options: ExtendOptions, io: Io, ready: (report: ExtendReport) => void): Promise<number>
  /** The objects of a cluster that runs the extensions itself, in the order they are to be made. */
  manifests(options: { image: string; namespace: string }): Promise<readonly object[]>
}

export interface Host {
  readonly version: string
  /** This process among the drivers of rolls. */
  driver(): Driver
  /** Runs until the signal of `io` aborts, or until ready when detached. Calls `ready` once. Answers the exit code. */
  up(options: UpOptions, io: Io, ready: (report: UpReport) => void): Promise<number>
  /** Stops the cluster of a data directory, in whichever process it runs; false when none ran. Removes its context. */
  down(options: DataDirectoryOptions, io: Io): Promise<boolean>
  status(options: DataDirectoryOptions, io: Io): Promise<ClusterStatus>
  images(options: DataDirectoryOptions): ImageCommands
  extend: ExtendCommands
  demo(io: Io): Promise<number>
}
