/** Which pods have a value from which object, so that a change of it leads to them. Learnt anew at each look at a pod. */
export class Dependents {
  readonly #byObject = new Map<string, Set<string>>()
  readonly #byPod = new Map<string, ReadonlySet<string>>()

  set(pod: string, objects: ReadonlySet<string>): void {
    for (const object of this.#byPod.get(pod) ?? []) {
      if (objects.has(object)) continue
      const pods = this.#byObject.get(object)
      pods?.delete(pod)
      if (pods?.size === 0) this.#byObject.delete(object)
    }
    for (const object of objects) {
      const pods = this.#byObject.get(object)
      if (pods) pods.add(pod)
      else this.#byObject.set(object, new Set([pod]))
    }
    if (objects.size > 0) this.#byPod.set(pod, objects)
    else this.#byPod.delete(pod)
  }

  of(object: string): Iterable<string> {
    return this.#byObject.get(object) ?? []
  }
}
