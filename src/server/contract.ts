/** What the API server offers to the composition root: two doors to the same verbs, and a stop. */
import type { UserInfo } from '../api/admission.ts'
import type { ResourceDefinition } from '../api/definition.ts'
import type { NodeStreams } from '../api/streams.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Store } from '../store/store.ts'

export type { UserInfo } from '../api/admission.ts'

export interface ApiServerOptions {
  store: Store
  definitions: readonly ResourceDefinition[]
  clock: Clock
  log: Log
  /** Random bytes for uids, names and tokens; crypto's by default. */
  random?: (bytes: number) => Buffer
  /** Where keys and certificates are kept and reused; absent: made anew and kept in memory. */
  pkiDirectory?: string
  /** Service addresses, default 10.96.0.0/16, and node ports, default 30000-32767. */
  serviceCidr?: string
  nodePorts?: { from: number; to: number }
  /** Further names and addresses in the serving certificate. */
  certificateNames?: readonly string[]
}

export interface ApiServer {
  /**
   * The in-process door, as the given user. The server may not import the client: the composition root adapts this
   * to a Transport.
   */
  inProcess(user: UserInfo): InProcessDoor
  /** The HTTP door. Port 0 takes a free one. Throws with a one-line message when the port is in use. */
  listen(options: { host: string; port: number }): Promise<{ url: string; port: number }>
  /** The CA in PEM, and a client certificate for a user of the given groups. */
  readonly caCertificate: string
  issueClientCertificate(user: string, groups: readonly string[]): Promise<{ certificate: string; key: string }>
  /** What the signers `kubernetes.io/…` answer to an approved request; undefined when the signer is somebody else's. */
  signCertificate(request: {
    signerName: string
    /** PEM. */
    request: string
    usages: readonly string[]
    expirationSeconds?: number | undefined
  }): Promise<{ certificate: string; commonName: string } | { refusal: string } | undefined>
  /** Says which node's streams are reached how; the returned function takes it back. */
  connectNode(nodeName: string, streams: NodeStreams): () => void
  /** Ends watches, refuses new requests, waits for those at work, closes the sockets. The store stays the caller's. */
  close(): Promise<void>
}

/** Method, path, query and body in; a shared parsed object out. Nothing is encoded on the way unless bytes are asked for. */
export interface InProcessDoor {
  request(request: DoorRequest): Promise<DoorResponse>
  /** Delivers batches until the signal aborts; resolves when the server ends the watch; throws StatusError. */
  watch(request: DoorRequest, deliver: (events: { type: string; object: unknown }[]) => void): Promise<void>
  stream(request: DoorRequest): Promise<import('node:stream').Readable>
}

export interface DoorRequest {
  method: string
  path: string
  query?: Record<string, string | readonly string[] | undefined>
  headers?: Record<string, string>
  /** Handed over: the caller must not touch it again. */
  body?: object | Uint8Array
  signal?: AbortSignal
}

export interface DoorResponse {
  status: number
  headers: Record<string, string>
  warnings: readonly string[]
  object: unknown
  bytes(): Uint8Array
}
