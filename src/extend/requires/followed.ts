/** One kind that somebody requires: its informer, and which needs a change of one of its objects concerns. */
import type { KubeObject } from '../../api/object.ts'
import { type Change, type Informer, keyOf } from '../../watch/informer.ts'
import { labelPlaces, objectsAt, type Picked } from './picked.ts'

export class Followed {
  readonly informer: Informer<KubeObject>
  readonly #byObject = new Map<string, Set<string>>()
  readonly #byPlace = new Map<string, Map<string, Picked>>()
  readonly #changed: (need: string) => void

  /** `changed` is called with each need that a change may concern, after the caches have it. */
  constructor(informer: Informer<KubeObject>, changed: (need: string) => void) {
    this.informer = informer
    this.#changed = changed
    informer.subscribe((change) => {
      for (const need of this.#concerned(change)) changed(need)
    })
  }

  /** Something else changed on which the object's state depends. */
  touch(key: string): void {
    for (const need of this.#byObject.get(key) ?? []) this.#changed(need)
  }

  /** The need is about the object of this key. */
  followObject(need: string, key: string): void {
    let needs = this.#byObject.get(key)
    if (!needs) {
      needs = new Set()
      this.#byObject.set(key, needs)
    }
    needs.add(need)
  }

  forgetObject(need: string, key: string): void {
    const needs = this.#byObject.get(key)
    needs?.delete(need)
    if (needs?.size === 0) this.#byObject.delete(key)
  }

  /** The need is about what is picked in the namespace; empty for kinds without one. */
  followPicked(need: string, namespace: string, picked: Picked): void {
    const place = picked.place(namespace)
    for (const object of objectsAt(this.informer.store, place)) picked.see(keyOf(object), object)
    let needs = this.#byPlace.get(place)
    if (!needs) {
      needs = new Map()
      this.#byPlace.set(place, needs)
    }
    needs.set(need, picked)
  }

  forgetPicked(need: string, namespace: string, picked: Picked): void {
    const place = picked.place(namespace)
    const needs = this.#byPlace.get(place)
    needs?.delete(need)
    if (needs?.size === 0) this.#byPlace.delete(place)
  }

  #concerned({ key, object, old }: Change<KubeObject>): Set<string> {
    const concerned = new Set(this.#byObject.get(key))
    if (this.#byPlace.size === 0) return concerned
    for (const seen of [object, old]) {
      if (!seen) continue
      for (const place of labelPlaces(seen.metadata.namespace ?? '', seen.metadata.labels))
        for (const [need, picked] of this.#byPlace.get(place) ?? []) {
          if (concerned.has(need)) continue
          picked.see(key, object)
          concerned.add(need)
        }
    }
    return concerned
  }
}
