/**
 * How pods are kept apart on this host: with namespaces, or as plain processes. The runtime keeps the books, an isolation
 * makes sandboxes and starts processes in them.
 */
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { PodNetwork } from '../../../api/pod-network.ts'
import type { ContainerConfig, ImageState, RuntimeInfo, SandboxConfig } from '../runtime.ts'
import type { ImageLayers } from './image-source.ts'
import type { RunningProcess } from './running-process.ts'

export interface Isolation {
  readonly kind: RuntimeInfo['isolation']
  readonly notice?: string
  readonly network: PodNetwork
  /** Makes the pod's namespaces and address. `directory` is the sandbox's own and goes with it. */
  createPlace(id: string, directory: string, config: SandboxConfig): Promise<Place>
  /** Removes a sandbox's or a container's directory with everything in it. */
  removeFiles(directory: string): Promise<void>
  close(): Promise<void>
}

/** Where one pod's containers run. */
export interface Place {
  /** Empty for the node's own. */
  readonly address: string
  start(request: StartRequest): RunningProcess
  /** A command line for a further process in a container; `process` is the container's. */
  enter(process: RunningProcess, request: StartRequest, command: readonly string[]): EnterPlan
  /** A connection to what listens on the pod's own loopback address only. */
  connectInside(port: number): Promise<Duplex>
  /** A listener that only the pod itself reaches; `undefined` where it has no network of its own. */
  listenInside(address: string, port: number): Promise<Server | undefined>
  /** Kills whatever runs and frees everything but files. */
  remove(): Promise<void>
  /** Settles when the place has gone by itself. */
  readonly lost: Promise<void>
}

export interface StartRequest {
  /** The container's own files: writable layer and mount points. */
  directory: string
  config: ContainerConfig
  image: ImageState
  layers: ImageLayers
  command: readonly string[]
  workingDir: string
  env: Record<string, string>
  logPath: string
  now: () => number
}

export interface EnterPlan {
  command: string
  args: string[]
  env: Record<string, string>
  cwd?: string
  /** Signals what was started, given the pid of `command`. */
  kill: (pid: number) => void
}
