/**
 * What the volume binder looks up again and again: volumes by the claim they are for or the class they are free in, claims that wait by
 * their class, and pods by the claims they use. Kept up to date by watches, so that a claim costs what concerns it and no more.
 */

import { claimKeyOf, claimNamesOf, classNameOf } from '../../api/storage/claims.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types.ts'
import { persistentVolumeClaims, persistentVolumes, pods } from '../../client/resources.ts'
import type { ReconcileContext } from '../../reconcile/reconciler.ts'
import type { Informer } from '../../watch/informer.ts'
import { keyOf } from '../../watch/informer.ts'

/** Sets by key; a key without members is gone. */
class Index {
  readonly #members = new Map<string, Set<string>>()

  get(key: string): ReadonlySet<string> {
    return this.#members.get(key) ?? new Set()
  }

  set(key: string | undefined, before: string | undefined, member: string): void {
    if (key === before) return
    if (before !== undefined) {
      const members = this.#members.get(before)
      members?.delete(member)
      if (members?.size === 0) this.#members.delete(before)
    }
    if (key === undefined) return
    const members = this.#members.get(key)
    if (members) members.add(member)
    else this.#members.set(key, new Set([member]))
  }
}

export class Shelf {
  readonly #volumes: Informer<PersistentVolume>
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #byClaim = new Index()
  readonly #freeByClass = new Index()
  readonly #waitingByClass = new Index()

  constructor(context: ReconcileContext) {
    this.#volumes = context.informer(persistentVolumes)
    this.#claims = context.informer(persistentVolumeClaims)
    this.#volumes.subscribe(({ key, object, old }) => {
      this.#byClaim.set(object && claimKeyOf(object), old && claimKeyOf(old), key)
      this.#freeByClass.set(object && freeClassOf(object), old && freeClassOf(old), key)
    })
    this.#claims.subscribe(({ key, object, old }) => {
      this.#waitingByClass.set(object && waitingClassOf(object), old && waitingClassOf(old), key)
    })
  }

  claim(key: string): PersistentVolumeClaim | undefined {
    return this.#claims.store.get(key)
  }

  volume(name: string): PersistentVolume | undefined {
    return this.#volumes.store.get(name)
  }

  volumesFor(claimKey: string): PersistentVolume[] {
    return [...this.#byClaim.get(claimKey)].flatMap((name) => this.volume(name) ?? [])
  }

  /** Those for the claim first, then the free ones of its class. */
  *candidatesFor(claim: PersistentVolumeClaim): Generator<PersistentVolume> {
    yield* this.volumesFor(keyOf(claim))
    for (const name of this.#freeByClass.get(classNameOf(claim))) {
      const volume = this.volume(name)
      if (volume) yield volume
    }
  }

  waitingIn(className: string): ReadonlySet<string> {
    return this.#waitingByClass.get(className)
  }
}

function freeClassOf(volume: PersistentVolume): string | undefined {
  return volume.spec?.claimRef ? undefined : classNameOf(volume)
}

function waitingClassOf(claim: PersistentVolumeClaim): string | undefined {
  return claim.spec?.volumeName ? undefined : classNameOf(claim)
}

/** Pods by the claims they use, whether they have ended or not. */
export class ClaimUsers {
  readonly #pods: Informer<Pod>
  readonly #byClaim = new Map<string, Set<string>>()

  /** `changed` is called with the key of a claim when a pod that uses it came, changed or went. */
  constructor(context: ReconcileContext, changed: (claimKey: string) => void) {
    this.#pods = context.informer(pods)
    this.#pods.subscribe(({ key, object, old }) => {
      const pod = object ?? old
      for (const name of pod ? claimNamesOf(pod) : []) {
        const claimKey = `${pod?.metadata.namespace}/${name}`
        this.#note(claimKey, key, object !== undefined)
        changed(claimKey)
      }
    })
  }

  #note(claimKey: string, podKey: string, isThere: boolean): void {
    const users = this.#byClaim.get(claimKey) ?? new Set()
    if (isThere) this.#byClaim.set(claimKey, users.add(podKey))
    else if (users.delete(podKey) && users.size === 0) this.#byClaim.delete(claimKey)
  }

  of(claimKey: string): Pod[] {
    return [...(this.#byClaim.get(claimKey) ?? [])].flatMap((key) => this.#pods.store.get(key) ?? [])
  }
}
