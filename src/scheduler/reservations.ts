/**
 * Pods that have a node and wait for their volumes: what the decision reserved is written, and once every claim is bound the pod
 * can be too. Their place on the node is kept meanwhile.
 */
import { BOUND_BY_CONTROLLER, isFor, SELECTED_NODE } from '../api/storage/claims.ts'
import type { Pod } from '../api/types.ts'
import type { Clock } from '../base/clock.ts'
import type { Client } from '../client/client.ts'
import { persistentVolumeClaims, persistentVolumes } from '../client/resources.ts'
import type { Reservation, VolumeView } from './volumes.ts'

/** As long as kube-scheduler waits for volumes; then another node is looked for. */
const PATIENCE_MS = 600_000

export interface WaitingPod {
  readonly pod: Pod
  readonly nodeName: string
  readonly reservations: readonly Reservation[]
}

export interface ReservationsOptions {
  client: Client
  clock: Clock
  view: VolumeView
  /** Every claim is bound. */
  settled(waiting: WaitingPod): void
  failed(waiting: WaitingPod, reason: string): void
}

export class Reservations {
  readonly #options: ReservationsOptions
  readonly #waiting = new Map<string, WaitingPod & { giveUp: () => void }>()
  /** The uids of pods by the claims they wait for. */
  readonly #byClaim = new Map<string, Set<string>>()

  constructor(options: ReservationsOptions) {
    this.#options = options
  }

  /** Resolves once everything is written, or has failed. */
  async begin(waiting: WaitingPod): Promise<void> {
    const { clock, view } = this.#options
    const uid = waiting.pod.metadata.uid ?? ''
    const late = () => this.#fail(uid, 'binding volumes: context deadline exceeded')
    this.#waiting.set(uid, { ...waiting, giveUp: clock.after(PATIENCE_MS, late, { unref: true }) })
    for (const key of claimKeysOf(waiting)) this.#byClaim.set(key, (this.#byClaim.get(key) ?? new Set()).add(uid))
    view.reserve(waiting.reservations)
    try {
      for (const reservation of waiting.reservations) await this.#write(reservation, waiting.nodeName)
    } catch (error) {
      this.#fail(uid, `binding volumes: ${(error as Error).message}`)
      return
    }
    this.#look(uid)
  }

  claimChanged(key: string): void {
    for (const uid of [...(this.#byClaim.get(key) ?? [])]) this.#look(uid)
  }

  /** The pod is gone, or has another fate. */
  drop(uid: string): void {
    this.#take(uid)
  }

  stop(): void {
    for (const uid of [...this.#waiting.keys()]) this.#take(uid)
  }

  #look(uid: string): void {
    const waiting = this.#waiting.get(uid)
    if (!waiting || !this.#options.view.isSettled(waiting.reservations)) return
    this.#take(uid)
    this.#options.settled(waiting)
  }

  #fail(uid: string, reason: string): void {
    const waiting = this.#take(uid)
    if (waiting) this.#options.failed(waiting, reason)
  }

  #take(uid: string): WaitingPod | undefined {
    const waiting = this.#waiting.get(uid)
    if (!waiting) return undefined
    this.#waiting.delete(uid)
    waiting.giveUp()
    this.#options.view.forget(waiting.reservations)
    for (const key of claimKeysOf(waiting)) {
      const users = this.#byClaim.get(key)
      users?.delete(uid)
      if (users?.size === 0) this.#byClaim.delete(key)
    }
    return waiting
  }

  async #write({ claim, volume }: Reservation, nodeName: string): Promise<void> {
    const { client } = this.#options
    const { name = '', namespace, uid, annotations } = claim.metadata
    if (!volume) {
      if (annotations?.[SELECTED_NODE] === nodeName) return
      const said = { metadata: { annotations: { [SELECTED_NODE]: nodeName } } }
      await client.patch(persistentVolumeClaims, name, 'merge', said, { namespace })
      return
    }
    if (volume.spec?.claimRef?.uid === uid && isFor(volume, claim)) return
    const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid }
    const chosen = isFor(volume, claim) ? {} : { annotations: { [BOUND_BY_CONTROLLER]: 'yes' } }
    const { resourceVersion } = volume.metadata
    const body = { metadata: { resourceVersion, ...chosen }, spec: { claimRef } }
    await client.patch(persistentVolumes, volume.metadata.name ?? '', 'merge', body)
  }
}

function claimKeysOf({ reservations }: WaitingPod): string[] {
  return reservations.map(({ claim: { metadata } }) => `${metadata.namespace}/${metadata.name}`)
}
