/**
 * Where a pod's claims let it run, and what must be written before it does: a claim that waits for its first consumer gets a volume that
 * the chosen node can reach, or the node's name for its provisioner. Decides on what the watches have shown.
 */

import { matchesNodeTerm } from '../api/node-selectors.ts'
import {
  claimKeyOf,
  claimNameOf,
  classNameOf,
  isBound,
  isProvisionable,
  SELECTED_NODE,
  waitsForConsumer,
} from '../api/storage/claims.ts'
import { bestVolume } from '../api/storage/fit.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../api/types.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../client/resources.ts'
import type { Informer } from '../watch/informer.ts'
import type { Informers } from '../watch/informers.ts'

/** What is to be written before a pod goes to a node. */
export interface Reservation {
  claim: PersistentVolumeClaim
  /** Undefined: its provisioner makes one. */
  volume: PersistentVolume | undefined
}

export interface VolumeDemand {
  /** Why no node will do. */
  refusal: string | undefined
  /** Why this node will not do. */
  check(node: Node): string | undefined
  /** Of the node that was chosen. */
  reservations(node: Node): Reservation[]
}

export const NO_VOLUMES: VolumeDemand = { refusal: undefined, check: () => undefined, reservations: () => [] }

const AFFINITY_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
const NOTHING_TO_BIND = "node(s) didn't find available persistent volumes to bind"

export class VolumeView {
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #volumes: Informer<PersistentVolume>
  readonly #classes: Informer<StorageClass>
  /** Volumes given to a claim by a decision that the watch has not shown yet, by the claim's uid. */
  readonly #given = new Map<string, string>()
  /** Names of volumes that are nobody's, by class, and of those that are for a claim, by its key. */
  readonly #free = new Map<string, Set<string>>()
  readonly #forClaim = new Map<string, string>()

  constructor(informers: Informers) {
    this.#claims = informers.get(persistentVolumeClaims)
    this.#volumes = informers.get(persistentVolumes)
    this.#classes = informers.get(storageClasses)
  }

  /** `changed` is called when something may have made room, with the key of a claim that changed. Returns the unsubscriber. */
  follow(changed: (claimKey?: string) => void): () => void {
    const ends = [
      this.#claims.subscribe(({ key }) => changed(key)),
      this.#classes.subscribe(() => changed()),
      this.#volumes.subscribe(({ key, object, old }) => {
        this.#note(key, object, old)
        changed()
      }),
    ]
    return () => {
      for (const end of ends) end()
    }
  }

  #note(name: string, volume: PersistentVolume | undefined, old: PersistentVolume | undefined): void {
    const before = old && claimKeyOf(old)
    if (before !== undefined && this.#forClaim.get(before) === name) this.#forClaim.delete(before)
    if (old) this.#free.get(classNameOf(old))?.delete(name)
    const claimKey = volume && claimKeyOf(volume)
    if (claimKey !== undefined) this.#forClaim.set(claimKey, name)
    else if (volume) this.#free.set(classNameOf(volume), (this.#free.get(classNameOf(volume)) ?? new Set()).add(name))
    if (!volume || claimKey !== undefined) this.#given.delete(name)
  }

  demandOf(pod: Pod): VolumeDemand {
    const names = (pod.spec?.volumes ?? []).filter((volume) => claimNameOf(pod, volume) !== undefined)
    if (names.length === 0) return NO_VOLUMES
    const bound: PersistentVolume[] = []
    const open: PersistentVolumeClaim[] = []
    for (const volume of names) {
      const name = claimNameOf(pod, volume)!
      const claim = this.#claims.store.get(`${pod.metadata.namespace}/${name}`)
      const refusal = this.#refusalOf(pod, name, claim, volume.ephemeral !== undefined)
      if (refusal !== undefined) return { ...NO_VOLUMES, refusal }
      if (!isBound(claim!)) open.push(claim!)
      else bound.push(this.#volumes.store.get(claim!.spec!.volumeName!)!)
    }
    return {
      refusal: undefined,
      check: (node) => {
        if (!bound.every((volume) => reaches(volume, node))) return AFFINITY_CONFLICT
        return this.#choose(open, node) ? undefined : NOTHING_TO_BIND
      },
      reservations: (node) => this.#choose(open, node) ?? [],
    }
  }

  /** Notes what was decided, so that the next decision does not give the same volume away. */
  reserve(reservations: readonly Reservation[]): void {
    for (const { claim, volume } of reservations)
      if (volume && !volume.spec?.claimRef) this.#given.set(volume.metadata.name ?? '', claim.metadata.uid ?? '')
  }

  forget(reservations: readonly Reservation[]): void {
    for (const { volume } of reservations) this.#given.delete(volume?.metadata.name ?? '')
  }

  /** Whether nothing is left to wait for. */
  isSettled(reservations: readonly Reservation[]): boolean {
    return reservations.every(({ claim }) => {
      const current = this.current(claim)
      return current !== undefined && isBound(current)
    })
  }

  current({ metadata }: PersistentVolumeClaim): PersistentVolumeClaim | undefined {
    const found = this.#claims.store.get(`${metadata.namespace}/${metadata.name}`)
    return found?.metadata.uid === metadata.uid ? found : undefined
  }

  #refusalOf(pod: Pod, name: string, claim: PersistentVolumeClaim | undefined, isEphemeral: boolean): string | undefined {
    const quoted = JSON.stringify(name)
    if (!claim)
      return isEphemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
        : `persistentvolumeclaim ${quoted} not found`
    if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim ${quoted} is being deleted`
    if (isEphemeral && !claim.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid))
      return `PVC ${pod.metadata.namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`
    const { volumeName } = claim.spec ?? {}
    if (claim.status?.phase === 'Lost' || (isBound(claim) && !this.#volumes.store.get(volumeName ?? '')))
      return `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${JSON.stringify(volumeName ?? '')}`
    if (isBound(claim) || waitsForConsumer(this.#classes.store.get(classNameOf(claim)))) return undefined
    return 'pod has unbound immediate PersistentVolumeClaims'
  }

  /** A volume, or a provisioner, for each of the claims; undefined when one of them has neither there. */
  #choose(open: readonly PersistentVolumeClaim[], node: Node): Reservation[] | undefined {
    const chosen: Reservation[] = []
    const taken = new Set<string | undefined>()
    for (const claim of open) {
      const allows = (volume: PersistentVolume) => !taken.has(volume.metadata.name) && reaches(volume, node)
      const volume = bestVolume(claim, this.#candidatesFor(claim), allows)
      if (!volume && !this.#canProvision(claim, node)) return undefined
      taken.add(volume?.metadata.name)
      chosen.push({ claim, volume })
    }
    return chosen
  }

  *#candidatesFor(claim: PersistentVolumeClaim): Generator<PersistentVolume> {
    const own = this.#volumes.store.get(this.#forClaim.get(`${claim.metadata.namespace}/${claim.metadata.name}`) ?? '')
    if (own) yield own
    for (const name of this.#free.get(classNameOf(claim)) ?? []) {
      const given = this.#given.get(name)
      const volume = this.#volumes.store.get(name)
      if (volume && (given === undefined || given === claim.metadata.uid)) yield volume
    }
  }

  #canProvision(claim: PersistentVolumeClaim, node: Node): boolean {
    const storageClass = this.#classes.store.get(classNameOf(claim))
    if (!isProvisionable(storageClass)) return false
    const selected = claim.metadata.annotations?.[SELECTED_NODE]
    if (selected !== undefined && selected !== node.metadata.name) return false
    const topologies = storageClass?.allowedTopologies ?? []
    return topologies.length === 0 || topologies.some((term) => isWithin(term.matchLabelExpressions ?? [], node))
  }
}

function reaches({ spec }: PersistentVolume, node: Node): boolean {
  const required = spec?.nodeAffinity?.required
  return !required || required.nodeSelectorTerms.some((term) => matchesNodeTerm(term, node))
}

function isWithin(expressions: readonly { key: string; values: string[] }[], { metadata }: Node): boolean {
  return expressions.every(({ key, values }) => values.includes(metadata.labels?.[key] ?? ''))
}
