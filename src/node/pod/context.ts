/** What a pod's worker needs of its node. */
import type { Related } from '../../api/downward/value.ts'
import type { Pod, Service } from '../../api/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import type { MetadataService } from '../metadata/metadata-service.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Dependents } from '../sources/dependents.ts'
import type { ObjectWatches } from '../sources/object-watches.ts'
import type { SandboxView } from '../sources/sandbox-view.ts'

export interface NodeContext {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly runtime: Runtime
  readonly nodeName: string
  /** One directory a pod, named by its uid: volumes, logs, termination messages. */
  readonly podsDirectory: string
  /** The node's address; what pods of the host network have. */
  readonly hostAddress: string
  /** The prefix of container ids. */
  readonly runtimeName: string
  readonly allocatable: Readonly<Record<string, string>>
  /** Name servers of the cluster; none where there is no cluster DNS. */
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  /** Where containers find the API server, when that is not the `kubernetes` Service. */
  readonly apiServer: { host: string; port: number } | undefined
  /** False for a runtime whose containers read no files. */
  readonly writesFiles: boolean
  /** Absent where pods have no programs that could ask. */
  readonly metadata: MetadataService | undefined
  readonly watches: ObjectWatches
  readonly sandboxes: SandboxView
  readonly dependents: Dependents
  /** Owners and namespaces of pods, as the server has them now. */
  readonly related: Pick<Related, 'namespace' | 'owner'>
  /** Whether the node takes no new pods; it may be drained then. */
  isCordoned(): boolean
  /** Ends with the agent. */
  readonly signal: AbortSignal
  /** Those that a pod of the namespace may be told of: the namespace's own, and that of the API server. */
  services(namespace: string): readonly Service[]
  event(pod: Pod, event: PodEvent): void
  limitStatus<T>(work: () => Promise<T>): Promise<T>
  /**
   * Why the node cannot take the pod; `undefined` when it can (a pod that is here already always can), and its share is
   * then reserved until `release`.
   */
  admit(pod: Pod, here: boolean): { reason: string; message: string } | undefined
  release(uid: string): void
}

export interface PodEvent {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
  /** The container meant, if it is about one. */
  container?: string
}
