/**
 * What an API server asks of a node about running containers: the four streaming calls of a kubelet, and what they use.
 * The server speaks to it for `log`, `exec`, `attach`, `portforward` and the metrics API; a node agent implements it.
 */
import type { Readable, Writable } from 'node:stream'
import type { NodeUsage } from './usage.ts'

export interface NodeStreams {
  /** The container's log as bytes; ends when the container does, or at once unless `follow`. Throws StatusError. */
  logs(pod: PodRef, options: LogOptions, signal: AbortSignal): Promise<Readable>
  /** Runs a command in a running container. Throws StatusError before anything runs; later failures are in `exit`. */
  exec(pod: PodRef, options: ExecOptions, io: ProcessIo, signal: AbortSignal): Promise<ProcessHandle>
  /** Joins the streams of the container's own process. */
  attach(pod: PodRef, options: AttachOptions, io: ProcessIo, signal: AbortSignal): Promise<ProcessHandle>
  /** One connection to a port inside the pod. */
  portForward(pod: PodRef, port: number, signal: AbortSignal): Promise<PortConnection>
  /**
   * What the node and its running containers use: all of them, or those of the pods with these uids. A container that was not measured
   * before is watched for a moment first, so this may take a second or so.
   */
  usage(pods: ReadonlySet<string> | undefined, signal: AbortSignal): Promise<NodeUsage>
}

export interface PodRef {
  namespace: string
  name: string
  uid?: string
}

export interface LogOptions {
  container?: string
  follow?: boolean
  previous?: boolean
  sinceSeconds?: number
  /** RFC 3339. */
  sinceTime?: string
  timestamps?: boolean
  tailLines?: number
  limitBytes?: number
  /** `All`, `Stdout` or `Stderr`. */
  stream?: string
}

export interface ExecOptions extends AttachOptions {
  command: readonly string[]
}

export interface AttachOptions {
  container?: string
  stdin?: boolean
  stdout?: boolean
  stderr?: boolean
  tty?: boolean
}

/** The caller's ends. `resize` yields terminal sizes as they change. */
export interface ProcessIo {
  stdin?: Readable
  stdout?: Writable
  stderr?: Writable
  resize?: AsyncIterable<TerminalSize>
}

export interface TerminalSize {
  columns: number
  rows: number
}

export interface ProcessHandle {
  /** Settles when the process has ended and its output has been written. */
  readonly exit: Promise<ProcessExit>
}

export interface ProcessExit {
  code: number
  /** Set when there is no exit code to speak of (could not start, killed with its container, …). */
  error?: string
}

export interface PortConnection {
  readonly duplex: import('node:stream').Duplex
}
