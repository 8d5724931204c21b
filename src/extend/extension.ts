/**
 * The contract of every extension: what skiff adds to Kubernetes compiles to stock primitives as an object is written, and is
 * kept true afterwards by reconcilers. Both work against any API server: the embedded one runs the admission in process, a
 * stock cluster runs it as a webhook. An extension meets the others only at the API.
 */
import type { Socket } from 'node:net'
import type { AdmissionPlugin } from '../api/admission.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import type { Reconciler } from '../reconcile/reconciler.ts'
import type { Informers } from '../watch/informers.ts'

export interface Extension {
  /** One word or two with a hyphen, as in logs and in the names of webhooks. */
  readonly name: string
  admission?(context: ExtensionContext): readonly AdmissionPlugin[]
  reconcilers?(context: ExtensionContext): readonly Reconciler[]
}

/** What an extension works with. The server may not answer yet while extensions are made: ask nothing before the first request comes. */
export interface ExtensionContext {
  readonly client: Client
  /** An informer starts with the first who asks for it, and costs memory for each object: ask when the first object needs it. */
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
  /** Opens a TCP connection to where pods and Services are. Rejects with the system's error or the signal's reason. */
  connect(address: string, port: number, signal?: AbortSignal): Promise<Socket>
}
