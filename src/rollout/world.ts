/** The controllers of a namespace as a driver knows them: what the watch showed, and the answers to its own writes until the watch shows them. */
import type { Informer } from '../watch/informer.ts'
import { splitKey } from '../watch/informer.ts'
import type { Listing } from './family.ts'
import { laterOf } from './follow.ts'
import { type Controller, nameOf } from './replica-kinds.ts'

export class World implements Listing {
  readonly #informer: Informer<Controller>
  readonly #namespace: string
  readonly #written = new Map<string, Controller>()

  constructor(informer: Informer<Controller>, namespace: string) {
    this.#informer = informer
    this.#namespace = namespace
  }

  /** Drops what the watch has caught up with. Returns the unsubscriber. */
  follow(): () => void {
    return this.#informer.subscribe(({ key, object, old }) => {
      const { name } = splitKey(key)
      const written = this.#written.get(name)
      if (!written) return
      // A name that was switched means another object: the end of the first says nothing of the second.
      const isPast = object ? laterOf(written, object) === object : old?.metadata.uid === written.metadata.uid
      if (isPast) this.#written.delete(name)
    })
  }

  get(name: string): Controller | undefined {
    return this.#written.get(name) ?? this.#informer.store.get(`${this.#namespace}/${name}`)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  *values(): Generator<Controller> {
    for (const controller of this.#informer.store.list(this.#namespace)) yield this.get(nameOf(controller)) ?? controller
    for (const [name, controller] of this.#written) if (!this.#informer.store.get(`${this.#namespace}/${name}`)) yield controller
  }

  /** What the watch has shown, without writes that it has not. */
  shown(name: string): Controller | undefined {
    return this.#informer.store.get(`${this.#namespace}/${name}`)
  }

  wrote(controller: Controller): void {
    const shown = this.shown(nameOf(controller))
    if (shown && laterOf(controller, shown) === shown) return
    this.#written.set(nameOf(controller), controller)
  }

  /** It turned out to be gone, or to be another. */
  forget(name: string): void {
    this.#written.delete(name)
  }
}
