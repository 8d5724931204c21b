/** What a node is made of: its own settings, and those it shares with the other nodes of its process. */
import type { NodeStreams } from '../api/streams.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import type { Informers } from '../watch/index.ts'
import type { Runtime } from './runtime/runtime.ts'

export interface NodeOptions {
  name: string
  runtime: Runtime
  labels?: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
  /** Where pods' files lie: volumes, logs, termination messages. */
  dataDirectory: string
  /** Overrides what the runtime says it has room for. */
  maxPods?: number
  /** Name of the host in its labels and addresses; the node's name by default. */
  hostname?: string
  /** The node's address; what the runtime's network says by default. */
  address?: string
}

export interface SharedNodeOptions {
  client: Client
  clock: Clock
  log: Log
  /** Caches that other parts of this process keep anyway; without them the nodes watch for themselves. */
  informers?: Informers
  /** Name servers for pods, and the domain they serve. */
  clusterDns?: readonly string[]
  clusterDomain?: string
  /** Where pods find the API server when they cannot reach Service addresses. */
  apiServer?: { host: string; port: number }
  /** The version the nodes report. */
  version?: string
  /** The port of the nodes' own API, where there is one. */
  port?: number
}

export interface Node {
  readonly name: string
  readonly streams: NodeStreams
  /** Resolves when the node is registered, earlier pods are adopted and leftovers removed. */
  start(): Promise<void>
  /**
   * Ends the agent. With `remove`, containers are stopped and everything of the pods on this host is removed; without it
   * they go on where the runtime can do that. `farewell: false` leaves the Node object as it is.
   */
  stop(options?: { remove?: boolean; farewell?: boolean }): Promise<void>
}
